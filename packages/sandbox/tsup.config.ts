import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { library, program } from '../../scripts/tsup.mjs'

const api = dirname(createRequire(import.meta.url).resolve('@duckdb/node-api/package.json'))

export default [
  library([
    'index',
    'sql/index',
    'duckdb/index',
    // what an executor seals: no export of the package, built for this package's own tests
    'duckdb/contents',
    'io/index',
    'io/scratch',
    'io/table',
    'reveal/index',
    'desensitize/index',
  ]),
  // a zone starts a child for every run: found in 181 files, this package took two thirds of the time that takes
  program(['sql/parser-child', 'duckdb/child/main'], {
    name: '@duckdb/node-api',
    license: readFileSync(join(api, 'LICENSE'), 'utf8'),
  }),
]

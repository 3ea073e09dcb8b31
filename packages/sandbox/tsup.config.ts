import { library } from '../../scripts/tsup.mjs'

export default library([
  'index',
  'sql/index',
  'sql/parser-child',
  'duckdb/index',
  // what an executor seals: no export of the package, built for this package's own tests
  'duckdb/contents',
  'duckdb/child/main',
  'io/index',
  'io/scratch',
  'reveal/index',
  'desensitize/index',
])

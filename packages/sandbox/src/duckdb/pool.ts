import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ChildPool, type PoolOptions } from '../isolation/pool.js'

export type EnginePoolOptions = Omit<PoolOptions, 'program'>

/** A pool of children that each hold one fresh DuckDB instance. Close it when the zone closes. */
export function createEnginePool(options: EnginePoolOptions): ChildPool {
  // by the package's own name, for bundling moves this module
  const manifest = createRequire(import.meta.url).resolve('@sluice/sandbox/package.json')
  return new ChildPool({
    ...options,
    program: {
      entry: join(dirname(manifest), 'dist', 'duckdb', 'child', 'main.js'),
      dependencies: ['@duckdb/node-bindings', 'apache-arrow'],
    },
  })
}

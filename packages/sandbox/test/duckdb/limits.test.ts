import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createEnginePool, DuckDbExecutor } from '@sluice/sandbox/duckdb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Harness } from './harness.js'

let harness: Harness
beforeAll(async () => {
  harness = await Harness.start()
  const rows = `SELECT i % 1000 AS a, i // 3 AS b, 'text ' || i AS name FROM range(60000) t(i)`
  await harness.register('numbers', { rows, entity: 'row' })
  await harness.register('others', { rows, entity: 'row' })
  await harness.register('shown', { rows, entity: 'none', release: 'rows' })
})
afterAll(() => harness.stop())

// about a thousand million pairs: longer than any test waits
const ENDLESS =
  'SELECT count(*) AS n, sum(x.b * y.b * z.b) AS t FROM numbers x JOIN numbers y ON x.a <> y.a JOIN others z ON y.b <> z.b'

describe('limits of a run', () => {
  it('takes its time, and no more', async () => {
    const executor = new DuckDbExecutor(harness.pool, { milliseconds: 1500 })
    const approved = await harness.approve(ENDLESS)
    await expect(executor.execute(approved, harness.inputs)).toThrowWithCode('TIME_EXCEEDED', 'wall-clock')
    expect(await readdir(join(harness.folder, 'staging'))).toEqual([])
  })

  it('stops when it is told to, and leaves nothing', async () => {
    const executor = new DuckDbExecutor(harness.pool)
    const approved = await harness.approve(ENDLESS)
    const abort = new AbortController()
    const stages: string[] = []
    const run = executor.execute(approved, harness.inputs, {
      signal: abort.signal,
      onProgress: ({ stage }) => {
        stages.push(stage)
        if (stage === 'compute') setTimeout(() => abort.abort(), 200)
      },
    })
    await expect(run).toThrowWithCode('INTERRUPTED')
    expect(stages).toEqual(['open', 'compute'])
    expect(await readdir(join(harness.folder, 'staging'))).toEqual([])
    await expect(executor.execute(approved, harness.inputs, { signal: AbortSignal.abort() })).toThrowWithCode(
      'INTERRUPTED',
    )
  })

  it('uses its memory, and no more', async () => {
    const small = createEnginePool({
      stagingRoot: join(harness.folder, 'staging'),
      minimum: 'process',
      warm: 0,
      memoryBytes: 2 ** 29,
    })
    const executor = new DuckDbExecutor(small, { temporaryBytes: 2 ** 20 })
    const approved = await harness.approve(
      'SELECT x.name, y.name AS other, count(*) AS n FROM numbers x JOIN numbers y ON x.a = y.a GROUP BY x.name, y.name',
    )
    await expect(executor.execute(approved, harness.inputs)).toThrowWithCode('MEMORY_EXCEEDED', 'memory')
    await small.close()
  })

  it('releases as many cells as it may', async () => {
    const approved = await harness.approve('SELECT name, a FROM shown')
    await expect(
      new DuckDbExecutor(harness.pool, { cells: 100_000 }).execute(approved, harness.inputs),
    ).toThrowWithCode('RESULT_TOO_LARGE', 'output-size')
    await expect(
      new DuckDbExecutor(harness.pool, { bytes: 100_000 }).execute(approved, harness.inputs),
    ).toThrowWithCode('RESULT_TOO_LARGE', 'output-size')
    await new DuckDbExecutor(harness.pool, { cells: 120_000 }).execute(approved, harness.inputs)
  })

  it('names a value that cannot be computed by its kind, never by itself', async () => {
    const approved = await harness.approve('SELECT sum(CAST(name AS INTEGER)) AS n FROM numbers')
    const error = await new DuckDbExecutor(harness.pool)
      .execute(approved, harness.inputs)
      .catch(reason => reason)
    expect(error).toMatchObject({ code: 'ENGINE_FAILED', rule: 'engine.conversion' })
    expect(JSON.stringify([error, error.message, String(error.cause)])).not.toMatch(/text \d/)
  })
})

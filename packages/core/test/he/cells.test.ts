import { cellsOf, type SlotValues, shapeOf } from '@sluice/core/he'
import { Field, Int64, makeData, RecordBatch, Schema, Struct } from 'apache-arrow'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { column, Plans, planOf } from '../plan/plans.ts'
import { begin, type Round, runsOf } from './fixture.ts'

const GROUPS = 5000
const LARGE = 2n ** 55n

let round: Round
beforeAll(async () => {
  const plans = new Plans()
  const scan = plans.scan('subsidies', 'amount', 'age')
  const type = { kind: 'integer', bits: 128, signed: true } as const
  const plan = planOf(
    plans.aggregate(
      scan,
      { age: column(scan, 'age') },
      { total: ['sum', column(scan, 'amount'), { type }], grants: ['count', null] },
    ),
  )
  round = await begin(plan, {
    groups: { kind: 'range', first: -7, count: GROUPS },
    columns: { amount: { minimum: '0', maximum: String(LARGE) } },
    auditor: null,
  })
})

/** Rows of random groups in no order, some amounts so large that doubles do not hold their sums. */
function rowsOf(seed: number, count: number): RecordBatch[] {
  const numbers = fc.sample(fc.tuple(fc.integer({ min: -7, max: GROUPS - 8 }), fc.bigInt(0n, LARGE)), {
    seed,
    numRuns: count,
  })
  const batches: RecordBatch[] = []
  for (let at = 0; at < count; at += 1000) {
    const part = numbers.slice(at, at + 1000)
    batches.push(
      batchOf(
        part.map(([age]) => BigInt(age)),
        part.map(([, amount]) => amount),
      ),
    )
  }
  return batches
}

function batchOf(ages: readonly bigint[], amounts: readonly bigint[]): RecordBatch {
  const fields = ['age', 'amount'].map(name => new Field(name, new Int64(), true))
  const children = [ages, amounts].map(values =>
    makeData({ type: new Int64(), length: values.length, data: BigInt64Array.from(values) }),
  )
  const data = makeData({ type: new Struct(fields), length: ages.length, nullCount: 0, children })
  return new RecordBatch(new Schema(fields), data)
}

/** All runs' values one after the other, for each component. */
function joined(runs: readonly (readonly SlotValues[])[]): bigint[][] {
  return runs[0]!.map((_, component) => runs.flatMap(run => Array.from(run[component]!, BigInt)))
}

describe('a contributor’s cells', () => {
  it('are the same read at once and read again for every run of slots', async () => {
    const { components, set } = shapeOf(round.aggregation)
    const rows = rowsOf(31, 4000)
    const once = await runsOf(cellsOf(round.aggregation, rows))
    expect(once).toHaveLength(1)
    let readings = 0
    const again = () => {
      readings++
      return rows
    }
    const runs = await runsOf(cellsOf(round.aggregation, again, { atOnce: components * set.degree }))
    expect(runs.map(([first]) => first!.length)).toEqual([set.degree, GROUPS - set.degree])
    expect(readings).toBe(2)
    expect(joined(runs)).toEqual(joined(once))
    const total = rows.reduce(
      (sum, batch) =>
        (batch.getChild('amount')!.toArray() as BigInt64Array).reduce((all, value) => all + value, sum),
      0n,
    )
    expect(joined(runs)[0]!.reduce((all, value) => all + value, 0n)).toBe(total)
  })

  it('need rows that can be read again', async () => {
    const once = (function* () {
      yield* rowsOf(1, 10)
    })()
    await expect(runsOf(cellsOf(round.aggregation, once, { atOnce: 1 }))).toThrowWithCode(
      'PARAMETER_INVALID',
      'he.reread',
    )
  })

  it('need the same rows every time', async () => {
    let more = 0
    const growing = () => rowsOf(2, 10 + more++)
    await expect(runsOf(cellsOf(round.aggregation, growing, { atOnce: 1 }))).toThrowWithCode(
      'FINGERPRINT_MISMATCH',
      'he.reread',
    )
  })

  it('of a group before the first and after the last are refused', async () => {
    for (const age of [-8n, BigInt(GROUPS - 7), 2n ** 62n]) {
      await expect(runsOf(cellsOf(round.aggregation, [batchOf([age], [1n])]))).toThrowWithCode(
        'PARAMETER_INVALID',
        'he.group',
      )
    }
  })

  it('are no more than can be waited for', async () => {
    const stop = new AbortController()
    const endless = function* () {
      for (let at = 0; ; at++) {
        if (at === 3) stop.abort(new Error('enough'))
        yield* rowsOf(at, 10)
      }
    }
    await expect(runsOf(cellsOf(round.aggregation, endless(), { signal: stop.signal }))).rejects.toThrow(
      'enough',
    )
  })
})

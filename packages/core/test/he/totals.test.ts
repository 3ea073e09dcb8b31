import { checkDisclosure } from '@sluice/core/disclosure'
import { openCheckedResult } from '@sluice/core/disclosure/open'
import {
  type Cells,
  chooseParameters,
  HeExecutor,
  largestTotal,
  PARAMETER_SETS,
  parameterSet,
} from '@sluice/core/he'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { column, dataset, Plans, planOf } from '../plan/plans.ts'
import { approvedFor, begin, contribution, inputs, person, type Round, sumOf } from './fixture.ts'

/** Public reference data: what is counted is a total of any size, and nothing is withheld. */
const RECORDS = dataset(
  'records',
  ['slot', 'amount'],
  `version: 1
owner: bureau
grade: 1
entity: none
purposes: [credit-risk]
consumers: [insurer]
columns: {slot: {role: attribute, uses: [group]}, amount: {role: measure, uses: [aggregate]}}
`,
)

const SLOTS = 12
/** aggregations with keys of their own, a dozen random totals each; SLUICE_LONG asks for a thousand of them */
const RUNS = process.env['SLUICE_LONG'] === undefined ? 90 : 1000

/** sum(amount) by slot, with one row a contributor and slot whose amount is of this magnitude at most. */
async function roundFor(
  contributors: number,
  maximum: bigint,
): Promise<{ round: Round; signers: ReturnType<typeof person>[] }> {
  const plans = new Plans()
  const scan = plans.scan(
    'records',
    { name: 'slot', type: { kind: 'integer', bits: 64, signed: true } },
    WIDE,
  )
  const aggregate = plans.aggregate(
    scan,
    { slot: column(scan, 'slot') },
    { total: ['sum', column(scan, 'amount'), { type: WIDE.type }] },
  )
  const records = { ...RECORDS, columns: [{ name: 'slot', type: scan.columns[0]!.type }, WIDE] }
  const signers = Array.from({ length: contributors }, (_, index) => person(`c${index}`))
  const round = await begin(
    planOf(aggregate),
    {
      groups: { kind: 'range', first: 0, count: SLOTS },
      columns: { amount: { minimum: String(-maximum), maximum: String(maximum) } },
      rowsPerGroup: 1,
      contributors: signers.map(({ party }) => party),
      auditor: null,
    },
    [records],
  )
  return { round, signers }
}

const WIDE = { name: 'amount', type: { kind: 'integer', bits: 128, signed: true } } as const

async function totals(
  round: Round,
  signers: ReturnType<typeof person>[],
  values: readonly (readonly bigint[])[],
) {
  const ones = Array.from({ length: SLOTS }, () => 1n)
  const contributions: Uint8Array[] = []
  for (const [index, own] of values.entries()) {
    const cells: Cells = [[own, ones, ones]]
    contributions.push(await contribution(round, signers[index]!, cells))
  }
  const sum = await sumOf(round, contributions)
  const raw = await new HeExecutor({ threads: 0 }).execute(approvedFor(round), inputs(round, sum, null))
  const { table } = openCheckedResult(await checkDisclosure(raw))
  return Array.from({ length: table.numRows }, (_, row) =>
    unitsOf(table.getChild('total')!.get(row) as Uint32Array),
  )
}

function unitsOf(words: Uint32Array): bigint {
  return BigInt.asIntN(
    128,
    [...words].reduceRight((value, word) => (value << 32n) | BigInt(word), 0n),
  )
}

describe('totals', () => {
  it('equal sums of integers in more than a thousand random slots over the whole range of parameters', async () => {
    const used = new Set<string>()
    let slots = 0
    const check = async (contributors: number, bits: number, seed: number) => {
      const maximum = (1n << BigInt(bits)) / BigInt(contributors)
      const { round, signers } = await roundFor(contributors, maximum)
      used.add(round.aggregation.parameters)
      const random = generator(seed)
      const values = signers.map((_, index) =>
        Array.from({ length: SLOTS }, (_, slot) => {
          // the first slots lie at the bounds, all contributors on one side
          if (slot === 0) return maximum
          if (slot === 1) return -maximum
          if (slot === 2) return index % 2 === 0 ? maximum : -maximum
          return (random() % (2n * maximum + 1n)) - maximum
        }),
      )
      const expected = Array.from({ length: SLOTS }, (_, slot) =>
        values.reduce((sum, own) => sum + own[slot]!, 0n),
      )
      expect(await totals(round, signers, values)).toEqual(expected)
      slots += SLOTS
    }
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 8, max: 117 }), fc.nat(), check),
      { numRuns: RUNS, seed: 21, endOnFailure: true },
    )
    expect(slots).toBe(RUNS * SLOTS)
    expect([...used].sort()).toEqual(PARAMETER_SETS.map(({ name }) => name).sort())
  })

  it.each(PARAMETER_SETS.map(({ name }) => name))('%s: at the bound, and one past it', async name => {
    const contributors = 3
    const most = largestTotal(parameterSet(name)) / BigInt(contributors)
    expect(chooseParameters({ contributors, maximum: most }).name).toBe(name)
    const { round, signers } = await roundFor(contributors, most)
    expect(round.aggregation.parameters).toBe(name)
    const all = (value: bigint) => signers.map(() => Array.from({ length: SLOTS }, () => value))
    expect(new Set(await totals(round, signers, all(most)))).toEqual(new Set([most * 3n]))
    expect(new Set(await totals(round, signers, all(-most)))).toEqual(new Set([most * -3n]))
    await expect(totals(round, signers, all(most + 1n))).toThrowWithCode('PARAMETER_INVALID', 'he.range')
    await expect(totals(round, signers, all(-most - 1n))).toThrowWithCode('PARAMETER_INVALID', 'he.range')
  })
})

/** splitmix64, for tests that replay; 128 bits a call. */
function generator(seed: number): () => bigint {
  let state = BigInt(seed)
  const next = () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n)
    let z = state
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    return z ^ (z >> 31n)
  }
  return () => (next() << 64n) | next()
}

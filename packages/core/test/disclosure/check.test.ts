import type { Evidence } from '@sluice/core/disclosure'
import {
  checkDisclosure,
  type RawContents,
  RawResult,
  sealRawResult,
  unsettled,
} from '@sluice/core/disclosure'
import { openCheckedResult } from '@sluice/core/disclosure/open'
import type { ApprovedPlan, Obligation } from '@sluice/core/plan'
import { Table, tableFromArrays, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { approved } from '../plan/approved.ts'
import { column, dataset, int, Plans, planOf, test } from '../plan/plans.ts'
import { boundsEvidence, exactEvidence, type Row } from './cells.ts'

const policy = (limits: string, values = 'public', onFailure = 'suppress') => `version: 1
owner: bank
grade: 1
entity: {column: person_id}
disclosure: {${limits}, onFailure: ${onFailure}, step: {rows: 10}}
purposes: [credit-risk]
consumers: [insurer]
columns:
  person_id: {role: identifier}
  state: {role: quasi, uses: [group, filter], values: ${values}}
  amount: {role: measure, uses: [aggregate]}
  score: {role: sensitive, uses: [filter]}
`
const LIMITS = 'minimumEntities: 3, dominance: {n: 1, percent: 60}, pPercent: 20'

/** SELECT state, sum(amount), count(*), count(*) FILTER (WHERE score > 5), sum(amount) / count(*) … GROUP BY state */
function approvedPlan(text = policy(LIMITS)) {
  const plans = new Plans()
  const loans = plans.scan('loans', 'state', 'amount', 'score')
  const flagged = test('greater', column(loans, 'score'), int(5))
  const grouped = plans.aggregate(
    loans,
    { state: column(loans, 'state') },
    {
      total: ['sum', column(loans, 'amount')],
      many: ['count', null],
      flagged: ['count', null, { filter: flagged }],
    },
  )
  const mean: Parameters<typeof plans.project>[1][string] = {
    kind: 'call',
    type: { kind: 'float', bits: 64 },
    function: 'divide',
    arguments: [column(grouped, 'total'), column(grouped, 'flagged')],
  }
  const root = plans.project(grouped, {
    state: column(grouped, 'state'),
    total: column(grouped, 'total'),
    many: column(grouped, 'many'),
    flagged: column(grouped, 'flagged'),
    mean,
  })
  const facts = dataset('loans', ['person_id', 'state', 'amount', 'score'], text)
  const ids = Object.fromEntries(
    ['total', 'many', 'flagged'].map(name => [name, (column(grouped, name) as { id: number }).id]),
  ) as Record<'total' | 'many' | 'flagged', number>
  return { approved: approved(planOf(root), [facts]), ids }
}

const amount = (row: Row) => Math.abs(row.amount ?? 0)
const one = () => 1
type Maker = typeof exactEvidence

function evidenceFor(
  rows: readonly Row[],
  groups: number,
  ids: ReturnType<typeof approvedPlan>['ids'],
  make: Maker,
) {
  return [
    make(rows, groups, { kind: 'group' }, () => true, []),
    make(rows, groups, { kind: 'cell', id: ids.total }, row => row.amount !== null, [amount]),
    make(rows, groups, { kind: 'cell', id: ids.many }, () => true, [one]),
    make(rows, groups, { kind: 'cell', id: ids.flagged }, row => row.flag, [one]),
    make(rows, groups, { kind: 'complement', id: ids.flagged }, row => !row.flag, [one]),
  ]
}

function tableOf(rows: readonly Row[], groups: number): Table {
  const of = (group: number) => rows.filter(row => row.group === group)
  const each = (value: (inside: readonly Row[]) => number) =>
    Float64Array.from({ length: groups }, (_, group) => value(of(group)))
  const total = each(inside => inside.reduce((sum, row) => sum + (row.amount ?? 0), 0))
  const flagged = each(inside => inside.filter(row => row.flag).length)
  const numbers = tableFromArrays({
    total,
    many: each(inside => inside.length),
    flagged,
    mean: total.map((value, group) => value / (flagged[group] || 1)),
  })
  const state = vectorFromArray(
    Array.from({ length: groups }, (_, group) => `s${group}`),
    new Utf8(),
  )
  return new Table({ state }).assign(numbers)
}

function contents(
  plan: ApprovedPlan,
  table: Table,
  evidence: readonly Evidence[],
  more: Partial<RawContents> = {},
): RawContents {
  return {
    approved: plan,
    table,
    keep: null,
    keepDependsOn: [],
    rank: null,
    rankDependsOn: [],
    keyRank: null,
    limit: null,
    evidence,
    isolation: 'process',
    milliseconds: 1,
    ...more,
  }
}

const check = async (raw: RawContents) => openCheckedResult(await checkDisclosure(sealRawResult(raw)))

/** Straight from the definitions, an entity at a time, in whole numbers. */
function isSafe(rows: readonly Row[], contribution: (row: Row) => number): boolean {
  const entities = new Map<number, number>()
  for (const row of rows) {
    if (row.entity === null) continue
    entities.set(row.entity, (entities.get(row.entity) ?? 0) + contribution(row))
  }
  const [first = 0, second = 0, ...rest] = [...entities.values()].sort((a, b) => b - a)
  const others = rest.reduce((sum, value) => sum + value, 0)
  return entities.size >= 3 && first * 100 <= 60 * (first + second + others) && others * 100 >= 20 * first
}

const GROUPS = 4
const rowsOf = fc.array(
  fc.record<Row>({
    entity: fc.option(fc.integer({ min: 0, max: 9 }), { freq: 8 }),
    group: fc.integer({ min: 0, max: GROUPS - 1 }),
    amount: fc.option(fc.integer({ min: -40, max: 40 }), { freq: 8 }),
    flag: fc.boolean(),
  }),
  { maxLength: 60 },
)

describe('checkDisclosure against an oracle that knows every entity', () => {
  const { approved: plan, ids } = approvedPlan()

  const oracle = (rows: readonly Row[]) =>
    Array.from({ length: GROUPS }, (_, group) => {
      const inside = rows.filter(row => row.group === group)
      const many = new Set(inside.filter(row => row.entity !== null).map(row => row.entity)).size
      const rest = inside.filter(row => !row.flag)
      const safe = {
        total: isSafe(
          inside.filter(row => row.amount !== null),
          amount,
        ),
        many: isSafe(inside, one),
        flagged:
          isSafe(
            inside.filter(row => row.flag),
            one,
          ) &&
          (rest.every(row => row.entity === null) || isSafe(rest, one)),
      }
      const all = { ...safe, mean: safe.total && safe.flagged }
      return many >= 3 ? all : { total: false, many: false, flagged: false, mean: false }
    })

  it('with exact evidence passes exactly the safe cells', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, async rows => {
        const { table } = await check(
          contents(plan, tableOf(rows, GROUPS), evidenceFor(rows, GROUPS, ids, exactEvidence)),
        )
        const passed = table.toArray().map(row => ({
          total: row.total !== null,
          many: row.many !== null,
          flagged: row.flagged !== null,
          mean: row.mean !== null,
        }))
        expect(passed).toEqual(oracle(rows))
      }),
      { seed: 11, numRuns: 400 },
    )
  })

  it('with bounds passes no unsafe cell, and says which rows are not settled', async () => {
    let passedAny = 0
    await fc.assert(
      fc.asyncProperty(rowsOf, fc.integer({ min: 1, max: 16 }), async (rows, buckets) => {
        const bounds = evidenceFor(rows, GROUPS, ids, (r, g, part, takes, contributions) =>
          boundsEvidence(r, g, part, takes, contributions, buckets),
        )
        const { table } = await check(contents(plan, tableOf(rows, GROUPS), bounds))
        const safe = oracle(rows)
        for (const [group, row] of table.toArray().entries()) {
          for (const name of ['total', 'many', 'flagged', 'mean'] as const) {
            if (row[name] === null) continue
            passedAny++
            expect(safe[group]![name]).toBe(true)
          }
        }
        // counting exactly only what is not settled gives the cells of exact evidence
        const exact = evidenceFor(rows, GROUPS, ids, exactEvidence)
        const obligation = plan.reviewed.obligations[0] as Obligation
        const mixed = bounds.map((bound, index) =>
          replace(bound, exact[index]!, unsettled(obligation, bound)),
        )
        const a = await check(contents(plan, tableOf(rows, GROUPS), mixed))
        const b = await check(contents(plan, tableOf(rows, GROUPS), exact))
        expect(a.table.toArray().map(String)).toEqual(b.table.toArray().map(String))
      }),
      { seed: 12, numRuns: 300 },
    )
    expect(passedAny).toBeGreaterThan(50)
  })
})

const many = (group: number, entities: number, more: Partial<Row> = {}): Row[] =>
  Array.from({ length: entities }, (_, entity) => ({ entity, group, amount: 10, flag: true, ...more }))

describe('checkDisclosure', () => {
  const { approved: plan, ids } = approvedPlan()
  // group 0 is safe, group 1 is too small, group 2 is dominated in its sum, group 3 is safe
  const rows = [
    ...many(0, 5),
    ...many(1, 2),
    ...many(2, 4),
    { entity: 0, group: 2, amount: 900, flag: true },
    ...many(3, 6),
  ]
  const table = tableOf(rows, GROUPS)
  const evidence = evidenceFor(rows, GROUPS, ids, exactEvidence)
  const run = (more: Partial<RawContents> = {}, of = plan) => check(contents(of, table, evidence, more))
  const states = (result: Awaited<ReturnType<typeof run>>) => result.table.toArray().map(row => row.state)
  const keyRank = Uint32Array.of(0, 1, 2, 3)

  it('marks what it suppresses with its rule, and counts to the step', async () => {
    const { table: released, suppressions, suppressed } = await run()
    expect(released.toArray().map(row => row.total)).toEqual([50, null, null, 60])
    expect(released.toArray().map(row => row.many)).toEqual([5, null, 5, 6])
    expect(suppressions).toEqual([
      { row: 1, column: 'total', rule: 'minimum-entities', dataset: 'loans' },
      { row: 2, column: 'total', rule: 'dominance', dataset: 'loans' },
      { row: 1, column: 'many', rule: 'minimum-entities', dataset: 'loans' },
      { row: 1, column: 'flagged', rule: 'minimum-entities', dataset: 'loans' },
      { row: 1, column: 'mean', rule: 'minimum-entities', dataset: 'loans' },
      { row: 2, column: 'mean', rule: 'dominance', dataset: 'loans' },
    ])
    expect(suppressed).toEqual({ 'minimum-entities': 10, dominance: 10 })
  })

  it('leaves a small group out where its key would name somebody, and does not tell how many', async () => {
    const hidden = approvedPlan(policy(LIMITS, 'private'))
    const small = [...many(0, 5), ...many(1, 2), ...many(2, 1), ...many(3, 2)]
    const own = evidenceFor(small, GROUPS, hidden.ids, exactEvidence)
    const result = await check(contents(hidden.approved, tableOf(small, GROUPS), own))
    expect(states(result)).toEqual(['s0'])
    expect(result.suppressions).toEqual([
      { row: null, column: null, rule: 'minimum-entities', dataset: 'loans' },
    ])
  })

  it('refuses the run where the policy says so', async () => {
    const refusing = approvedPlan(policy(LIMITS, 'public', 'refuse'))
    const own = evidenceFor(rows, GROUPS, refusing.ids, exactEvidence)
    const raw = sealRawResult(contents(refusing.approved, table, own))
    const error = await checkDisclosure(raw).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'DISCLOSURE_REFUSED',
      rule: 'minimum-entities',
      facts: { dominance: 10 },
    })
    const safe = [0, 1, 2, 3].flatMap(group => many(group, 5))
    const fine = evidenceFor(safe, GROUPS, refusing.ids, exactEvidence)
    const { table: released } = await check(contents(refusing.approved, tableOf(safe, GROUPS), fine))
    expect(released.numRows).toBe(4)
  })

  it('applies HAVING to checked cells: a row whose condition was computed from an unsafe cell goes', async () => {
    const keep = Uint8Array.of(1, 1, 1, 0)
    const { suppressions, ...result } = await run({ keep, keepDependsOn: [ids.total] })
    expect(states(result as never)).toEqual(['s0'])
    expect(suppressions).toEqual([
      { row: null, column: null, rule: 'minimum-entities', dataset: 'loans' },
      { row: null, column: null, rule: 'dominance', dataset: 'loans' },
    ])
    // whichever way the condition came out for the unsafe cells, the result is the same
    for (const other of [Uint8Array.of(1, 0, 0, 0), Uint8Array.of(1, 1, 0, 0)]) {
      expect((await run({ keep: other, keepDependsOn: [ids.total] })).suppressions).toEqual(suppressions)
    }
    expect(states(await run({ keep, keepDependsOn: [] }))).toEqual(['s0', 's1', 's2'])
  })

  it('orders checked cells: a row whose place would tell of an unsafe cell comes last, by its keys', async () => {
    // 2 is largest, then 3, 0, 1
    const rank = Uint32Array.of(2, 3, 0, 1)
    const ordered = { rank, rankDependsOn: [ids.total], keyRank }
    expect(states(await run(ordered))).toEqual(['s3', 's0', 's1', 's2'])
    const reversed = { ...ordered, rank: Uint32Array.of(2, 0, 3, 1) }
    expect(states(await run(reversed))).toEqual(['s3', 's0', 's1', 's2'])
    expect(states(await run({ ...ordered, rankDependsOn: [] }))).toEqual(['s2', 's3', 's0', 's1'])
    expect(states(await run({ keyRank: Uint32Array.of(3, 2, 1, 0) }))).toEqual(['s3', 's2', 's1', 's0'])
    await expect(run({ rank, rankDependsOn: [ids.total] })).toThrowWithCode(
      'ENGINE_FAILED',
      'result.key-rank',
    )
  })

  it('limits what is left after that', async () => {
    const rank = Uint32Array.of(2, 3, 0, 1)
    const ordered = { rank, rankDependsOn: [ids.total], keyRank }
    const { suppressions, ...result } = await run({ ...ordered, limit: { count: 2, offset: 1 } })
    expect(states(result as never)).toEqual(['s0', 's1'])
    expect(new Set(suppressions.map(({ row }) => row))).toEqual(new Set([1]))
    expect(states(await run({ limit: { count: null, offset: 3 } }))).toEqual(['s3'])
    expect(states(await run({ limit: { count: 0, offset: 0 } }))).toEqual([])
  })

  it.each<[string, Partial<RawContents>, string, string]>([
    ['no evidence at all', { evidence: [] }, 'EVIDENCE_UNDEFINED', 'evidence.missing'],
    ...evidence.map((part, index): [string, Partial<RawContents>, string, string] => [
      `no evidence of the ${part.part.kind} ${index}`,
      { evidence: evidence.filter(other => other !== part) },
      'EVIDENCE_UNDEFINED',
      'evidence.missing',
    ]),
    [
      'evidence of another scan',
      { evidence: evidence.map(part => ({ ...part, source: 1 })) },
      'EVIDENCE_UNDEFINED',
      'evidence.missing',
    ],
    [
      'no contributions',
      { evidence: evidence.map(part => ({ ...part, contributions: [] })) },
      'EVIDENCE_UNDEFINED',
      'evidence.missing',
    ],
    [
      'one largest contribution where two are needed',
      {
        evidence: evidence.map(part => ({
          ...part,
          contributions: part.contributions.map(of => ({ ...of, largest: of.largest.slice(0, 1) })),
        })),
      },
      'EVIDENCE_UNDEFINED',
      'evidence.missing',
    ],
    [
      'evidence of fewer rows',
      { evidence: evidence.map(part => ({ ...part, entities: part.entities.slice(1) })) },
      'EVIDENCE_UNDEFINED',
      'evidence.missing',
    ],
    ['a column too few', { table: table.select(['state', 'total']) }, 'ENGINE_FAILED', 'result.columns'],
    [
      'columns in another order',
      { table: table.select(['total', 'state', 'many', 'flagged', 'mean']) },
      'ENGINE_FAILED',
      'result.columns',
    ],
    ['a HAVING of fewer rows', { keep: Uint8Array.of(1) }, 'ENGINE_FAILED', 'result.keep'],
    ['an order that is none', { rank: Uint32Array.of(0, 0, 1, 2) }, 'ENGINE_FAILED', 'result.rank'],
    ['a condition on an unknown cell', { keepDependsOn: [999] }, 'ENGINE_FAILED', 'result.depends-on'],
    ['a limit that is none', { limit: { count: -1, offset: 0 } }, 'ENGINE_FAILED', 'result.limit'],
  ])('fails closed on %s', async (_, more, code, rule) => {
    await expect(run(more)).toThrowWithCode(code, rule)
  })

  it('takes a NaN, an infinity or a negative count for unsafe', async () => {
    for (const strange of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const spoiled = evidence.map(part => ({
        ...part,
        contributions: part.contributions.map(({ total, largest }) => ({
          total: total.map(() => strange),
          largest,
        })),
      }))
      const { table: released } = await run({ evidence: spoiled })
      for (const row of released.toArray())
        expect([row.total, row.many, row.flagged]).toEqual([null, null, null])
    }
    const none = evidence.map(part => ({ ...part, entities: part.entities.map(() => Number.NaN) }))
    for (const row of (await run({ evidence: none })).table.toArray()) expect(row.many).toBeNull()
  })

  it('suppresses the aggregate over no rows', async () => {
    const { table: released } = await check(
      contents(plan, tableOf([], 1), evidenceFor([], 1, ids, exactEvidence)),
    )
    expect(released.toArray().map(row => row.many)).toEqual([null])
  })

  it('opens for nothing but a sealed result', async () => {
    const raw = contents(plan, table, evidence)
    const seal = sealRawResult(raw)
    expect(JSON.stringify({ seal })).toBe('{"seal":"[RawResult]"}')
    for (const copy of [raw, { ...seal }, Object.create(seal), structuredClone({ ...seal }), null]) {
      await expect(checkDisclosure(copy as never)).toThrowWithCode('BRAND_INVALID')
    }
    const checked = await checkDisclosure(seal)
    for (const copy of [{ ...checked }, Object.create(checked), seal, undefined]) {
      await expect(() => openCheckedResult(copy)).toThrowWithCode('BRAND_INVALID')
    }
    const Made = RawResult as unknown as new (...given: unknown[]) => unknown
    await expect(() => new Made(Symbol('x'), raw)).toThrowWithCode('BRAND_INVALID')
  })
})

describe('ways around a minimum of entities (sum of amounts by state)', () => {
  const { approved: plan, ids } = approvedPlan()
  const release = async (rows: readonly Row[]) =>
    (await check(contents(plan, tableOf(rows, 1), evidenceFor(rows, 1, ids, exactEvidence)))).table.get(0)!

  it('a FILTER that leaves one person out: the complement is that person', async () => {
    const all = many(0, 10)
    const butOne = all.map(row => ({ ...row, flag: row.entity !== 3 }))
    expect((await release(butOne)).flagged).toBeNull()
    expect((await release(all)).flagged).toBe(10)
    const half = all.map(row => ({ ...row, flag: row.entity! % 2 === 0 }))
    expect((await release(half)).flagged).toBe(5)
  })

  it('a join that repeats one person’s rows: entities are counted, not rows', async () => {
    const repeated = Array.from({ length: 100 }, () => many(0, 1)[0]!)
    expect((await release(repeated)).many).toBeNull()
    const inflated = [...repeated, ...many(0, 4)]
    expect((await release(inflated)).many).toBeNull()
    expect((await release(many(0, 5))).many).toBe(5)
  })

  it('rows that belong to nobody: they are no entities', async () => {
    expect((await release(many(0, 10, { entity: null }))).many).toBeNull()
  })

  it('contributions of both signs: absolute values dominate', async () => {
    const mixed = [
      ...many(0, 8),
      { entity: 20, group: 0, amount: 1000, flag: true },
      { entity: 20, group: 0, amount: -990, flag: true },
    ]
    expect((await release(mixed)).total).toBeNull()
  })
})

function replace(bound: Evidence, exact: Evidence, where: Uint8Array): Evidence {
  const pick = (a: Float64Array, b: Float64Array) =>
    a.map((value, row) => (where[row] === 1 ? b[row]! : value))
  return {
    ...bound,
    entities: pick(bound.entities, exact.entities),
    exact: where,
    contributions: bound.contributions.map(({ total, largest }, index) => ({
      total: pick(total, exact.contributions[index]!.total),
      largest: largest.map((values, i) => pick(values, exact.contributions[index]!.largest[i]!)),
    })),
  }
}

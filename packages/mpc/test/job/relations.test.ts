import type { Expression } from '@sluice/core/plan'
import type { InputForm, JointInput, JointJob, JointOperation } from '@sluice/mpc'
import { type Protocol, runLocally } from '@sluice/mpc'
import { establish, type Index, type OpenedGroups } from '@sluice/mpc/replicated'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { running } from '../../dist/job/protocol.js'
import { queryOf } from '../../dist/job/query.js'
import { checkRelationMemory, openRelation } from '../../dist/job/relational.js'
import { groupCells, shownTable } from '../../dist/job/result.js'
import { columnsFor, type Row } from './locally.js'
import { leftOverOf } from './meaning.js'
import { makeJob } from './parties.js'
import { columnsOf, query } from './plans.js'

const BANDS = ['low', 'high']
const code = { kind: 'code', alphabet: 'AB', length: 2 } as const
const number = (bound: string, scale = 0) => ({ kind: 'number', scale, bound }) as const
const column = <T>(name: string, type: T, nullable = false) => ({ name, type, nullable })

/** Many loans a borrower; companies once each; districts, one row each, by a number. */
const loans: InputForm = {
  name: 'loans',
  owner: 'bank',
  entity: 'borrower',
  columns: [
    column('borrower', code),
    column('branch', number('3'), true),
    column('debt', number('1000', 2), true),
  ],
}
const companies: InputForm = {
  name: 'companies',
  owner: 'bureau',
  entity: 'company',
  columns: [
    column('company', code),
    column('band', { kind: 'category', categories: BANDS }, true),
    column('tax', number('1000', 2)),
    column('district', number('4'), true),
    column('year', number('9')),
  ],
}
const districts: InputForm = {
  name: 'districts',
  owner: 'operator',
  entity: 'name',
  columns: [column('no', number('4.0', 1)), column('wealth', number('9'), true)],
}
const all = [loans, companies, districts]
const c = columnsOf(all)

type Value = Row[string]

const chunkOf = (inputs: readonly JointInput[], rows: readonly Row[]) => ({
  rows: rows.length,
  columns: columnsFor({ inputs }, rows),
})

const cents = fc.bigInt({ min: -40_000n, max: 40_000n })
const small = (bound: bigint) => fc.bigInt({ min: -bound, max: bound })
const codes = fc.constantFrom('A', 'B', 'AA', 'AB', 'BA', 'BB')
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 4 })
/** Mostly many rows, at times none or one. */
const many = <T>(row: fc.Arbitrary<T>, least: number, most: number, selector?: (row: T) => unknown) => {
  const list = (minLength: number, maxLength: number) =>
    selector === undefined
      ? fc.array(row, { minLength, maxLength, size: 'max' })
      : fc.uniqueArray(row, { minLength, maxLength, size: 'max', selector })
  return fc.oneof({ weight: 1, arbitrary: list(0, 1) }, { weight: 6, arbitrary: list(least, most) })
}
const rowsOf = {
  loans: many(fc.record({ borrower: codes, branch: maybe(small(1n)), debt: maybe(cents) }), 30, 60),
  companies: many(
    fc.record({
      company: codes,
      band: maybe(fc.constantFrom(...BANDS, 'elsewhere')),
      tax: cents,
      district: maybe(small(2n)),
      year: fc.nat(24).map(draw => (draw === 7 ? 2n : 1n)),
    }),
    4,
    8,
    row => `${row.company} ${row.year}`,
  ),
  districts: many(
    fc.record({
      no: fc.constantFrom(-20n, -10n, 0n, 5n, 10n, 20n),
      wealth: maybe(fc.constantFrom(1n, 1n, 1n, -1n)),
    }),
    3,
    6,
    row => row.no,
  ),
}

/** What joins the inputs, as a plan and as a loop says it. */
const JOINS: {
  inputs: InputForm[]
  on: Expression[]
  meet: ((row: Row, other: Row) => boolean)[]
}[] = [
  { inputs: [loans], on: [], meet: [] },
  {
    inputs: [loans, companies],
    on: [c.equal('borrower', 'company')],
    meet: [(a, b) => a['borrower'] === b['company']],
  },
  {
    inputs: [loans, companies, districts],
    on: [c.equal('company', 'borrower'), c.equal('district', 'no')],
    meet: [
      (a, b) => a['borrower'] === b['company'],
      (a, b) => a['district'] !== null && 10n * (a['district'] as bigint) === b['no'],
    ],
  },
  {
    inputs: [districts, companies],
    on: [c.and(c.equal('no', 'district'), c.equal('wealth', 'year'))],
    meet: [
      (a, b) =>
        b['district'] !== null && a['no'] === 10n * (b['district'] as bigint) && a['wealth'] === b['year'],
    ],
  },
]

interface Condition {
  readonly expression: Expression
  readonly about: readonly string[]
  of(row: Row): boolean
}
const CONDITIONS: Condition[] = [
  { expression: c.equal('year', 1), about: ['companies'], of: row => row['year'] === 1n },
  {
    expression: c.greater('debt', 0),
    about: ['loans'],
    of: row => row['debt'] !== null && (row['debt'] as bigint) > 0n,
  },
  {
    expression: c.less('tax', 'debt'),
    about: ['loans', 'companies'],
    of: row => row['debt'] !== null && (row['tax'] as bigint) < (row['debt'] as bigint),
  },
  {
    expression: c.or(c.isNull('branch'), c.equal('band', c.text('low'))),
    about: ['loans', 'companies'],
    of: row => row['branch'] === null || row['band'] === 'low',
  },
  {
    expression: c.among('borrower', ['A', 'B', 'AB', 'BB']),
    about: ['loans'],
    of: row => ['A', 'B', 'AB', 'BB'].includes(row['borrower'] as string),
  },
  {
    expression: c.notEqual('company', c.text('A')),
    about: ['companies'],
    of: row => row['company'] !== 'A',
  },
]

const KEYS: { key: string | Expression; about: string; of(row: Row): Value }[] = [
  { key: 'borrower', about: 'loans', of: row => row['borrower']! },
  { key: 'branch', about: 'loans', of: row => row['branch']! },
  { key: 'band', about: 'companies', of: row => (BANDS.includes(String(row['band'])) ? row['band']! : null) },
  { key: 'district', about: 'companies', of: row => row['district']! },
  {
    key: c.add('year', 'year'),
    about: 'companies',
    of: row => 2n * (row['year'] as bigint),
  },
  { key: 'wealth', about: 'districts', of: row => row['wealth']! },
]

const ENTITIES: Readonly<Record<string, string>> = {
  loans: 'borrower',
  companies: 'company',
  districts: 'no',
}
const VALUES = [
  { name: 'debt', about: 'loans' },
  { name: 'tax', about: 'companies' },
  { name: 'wealth', about: 'districts' },
]

const base = await makeJob()

function jobOf(plan: unknown, rows: readonly number[], minimum: number, inputs: readonly InputForm[] = all) {
  const operation = { name: 'asked', plan, receivers: ['bureau', 'operator'] } as JointOperation
  const given = inputs.map((form, place) => ({ ...form, rows: rows[place]!, fingerprint: '0'.repeat(64) }))
  const job: JointJob = { ...base, inputs: given, operations: [operation], minimumEntities: minimum }
  return { job, operation, found: queryOf(job, operation) }
}

/** What three parties open, without a network. */
function opened(
  { job, operation, found }: ReturnType<typeof jobOf>,
  rows: Readonly<Record<string, readonly Row[]>>,
) {
  const { relation } = found
  if (relation === undefined) throw new Error('there is no relation')
  const query = { ...found, relation }
  const tables = relation.tables.map(({ inputs }) => chunkOf(inputs, rows[inputs[0]!.name]!))
  function* party(self: Index): Protocol<OpenedGroups | undefined> {
    const run = running(job, operation, query, self, yield* establish(self, '00'.repeat(32)))
    return yield* openRelation({ ...run, query }, tables)
  }
  const { outputs } = runLocally([party(0), party(1), party(2)])
  expect(outputs[1]).toBeUndefined()
  const [first, , third] = outputs.map(
    groups => groups && shownTable(operation, query, groupCells(query, groups)),
  )
  expect(third).toEqual(first)
  return first!.rows
}

const written = (value: bigint, scale: number) => {
  if (scale === 0) return String(value)
  const text = String(value < 0n ? -value : value).padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${text.slice(0, -scale)}.${text.slice(-scale)}`
}

describe('an operation on rows that secret keys bring together', () => {
  const named = JOINS.map(join => [join.inputs.map(({ name }) => name).join(' and '), join] as const)

  it.each(named)('opens of %s what an ordinary loop finds, and no group below the minimum', (_, join) => {
    const asked = fc.record({
      rows: fc.record(rowsOf),
      where: fc.subarray(CONDITIONS, { maxLength: 2 }),
      keys: fc.subarray(KEYS, { maxLength: 2 }),
      values: fc.subarray(VALUES),
      picks: fc.option(fc.constantFrom(...CONDITIONS), { freq: 2 }),
      counted: fc.boolean(),
      minimum: fc.integer({ min: 1, max: 2 }),
      reference: fc.boolean(),
    })
    let refused = 0
    let found = 0
    let hidden = 0
    fc.assert(
      fc.property(asked, ({ rows, where, keys, values, picks, counted, minimum, reference }) => {
        const names = join.inputs.map(({ name }) => name)
        const conditions = where.filter(({ about }) => about.every(name => names.includes(name)))
        const by = keys.filter(({ about }) => names.includes(about))
        const totals = values.filter(({ about }) => names.includes(about))
        const picked = picks?.about.every(name => names.includes(name)) ? picks : null
        const aggregates = {
          ...(counted || totals.length === 0 ? { n: ['count'] as const } : {}),
          ...Object.fromEntries(totals.map(({ name }) => [name, ['sum', name] as const])),
          ...Object.fromEntries(
            totals.map(({ name }) => [
              `${name}s`,
              ['count', name, ...(picked === null ? [] : [picked.expression])] as const,
            ]),
          ),
        }
        const plan = query({
          inputs: join.inputs,
          of: all,
          on: join.on,
          ...(conditions.length > 0 && {
            where:
              conditions.length === 1
                ? conditions[0]!.expression
                : c.and(...conditions.map(one => one.expression)),
          }),
          groupBy: by.map(({ key }) => key),
          aggregates,
        })
        const leftOver = leftOverOf(plan, c, all)
        const [sums, counts] = [
          leftOver.slice(-2 * totals.length, -totals.length),
          leftOver.slice(-totals.length),
        ]
        const sizes = join.inputs.map(({ name }) => rows[name as keyof typeof rows].length)
        const given = join.inputs.map(form =>
          form === districts && reference ? { ...form, reference: true as const } : form,
        )
        const job = jobOf(plan, sizes, minimum, given)
        // a key may be there twice among rows that no condition of their own leaves out
        const [first, ...others] = join.inputs
        const twice = others.some(({ name }, place) => {
          const own = conditions.filter(({ about }) => about.join() === name)
          const there = (rows[name as keyof typeof rows] as Row[]).filter(row =>
            own.every(one => one.of(row)),
          )
          const keyed = there.map(row =>
            name === 'companies' && first!.name === 'districts'
              ? row['district'] === null
                ? null
                : `${row['district']} ${row['year']}`
              : row[ENTITIES[name]!],
          )
          const known = keyed.filter(key => key !== null)
          return place >= 0 && new Set(known).size < known.length
        })
        if (twice) {
          refused++
          expect(() => opened(job, rows)).toThrow(/is there twice/)
          return
        }
        let joined: Row[] = rows[first!.name as keyof typeof rows]
        others.forEach(({ name }, place) => {
          joined = joined.flatMap(row =>
            (rows[name as keyof typeof rows] as Row[])
              .filter(other => join.meet[place]!(row, other))
              .map(other => ({ ...row, ...other })),
          )
        })
        const groups = new Map<string, { keys: Value[]; rows: Row[] }>()
        for (const row of joined) {
          if (!conditions.every(one => one.of(row))) continue
          const values = by.map(key => key.of(row))
          if (values.includes(null)) continue
          const name = values.join('|')
          const group = groups.get(name) ?? { keys: values, rows: [] }
          group.rows.push(row)
          groups.set(name, group)
        }
        /** rows, and of every input different entities */
        const enough = (some: readonly Row[]) =>
          some.length >= minimum &&
          names.every(name => {
            // rows of a table that stays, with one entity each, are counted as rows
            if (name === 'districts' && (reference || first!.name === 'districts')) return true
            const keyed = name === 'companies' && first!.name === 'districts' ? 'company' : ENTITIES[name]!
            return new Set(some.map(row => row[keyed])).size >= minimum
          })
        const expected = new Map<string, (string | null)[]>()
        for (const group of groups.values()) {
          if (!enough(group.rows)) continue
          const shown: (string | null)[] = group.keys.map(String)
          if (counted || totals.length === 0) shown.push(String(group.rows.length))
          for (const kind of ['sum', 'count'])
            for (const { name } of totals) {
              const there = group.rows.filter(
                row => row[name] !== null && (kind === 'sum' || picked === null || picked.of(row)),
              )
              const guards = kind === 'sum' ? sums : counts
              const settled = guards[totals.findIndex(total => total.name === name)]!.every(rows => {
                const some = group.rows.filter(rows)
                return some.length === 0 || enough(some)
              })
              if (enough(there) && !settled) hidden++
              if (!enough(there) || !settled) shown.push(null)
              else if (kind === 'count') shown.push(String(there.length))
              else {
                const sum = there.reduce((sum, row) => sum + (row[name] as bigint), 0n)
                shown.push(written(sum, name === 'wealth' ? 0 : 2))
              }
            }
          expected.set(group.keys.map(String).join('|'), shown)
        }
        const listed = by.every(({ key }) => key === 'band')
        const actual = opened(job, rows)
        if (listed) {
          for (const row of actual) {
            const name = row.slice(0, by.length).join('|')
            expect(row.slice(by.length)).toEqual(
              expected.get(name)?.slice(by.length) ?? row.slice(by.length).map(() => null),
            )
          }
          expect(actual).toHaveLength(by.length === 0 ? 1 : BANDS.length)
        } else {
          expect(new Map(actual.map(row => [row.slice(0, by.length).join('|'), row]))).toEqual(expected)
          expect(actual).toHaveLength(expected.size)
        }
        found += expected.size
      }),
      { numRuns: 35, seed: 20261122 },
    )
    // neither side of what is tested is empty
    expect(refused > 0).toBe(join.inputs.length > 1)
    expect(found).toBeGreaterThan(3)
    if (join.inputs[0] === loans) expect(hidden).toBeGreaterThan(0)
  })

  it('counts nobody for reference data that is looked up, and the entities of the others as ever', () => {
    const plan = query({
      inputs: [loans, districts],
      of: all,
      on: [c.equal('branch', 'no')],
      aggregates: { n: ['count'] },
    })
    const about = { districts: [{ no: 10n, wealth: 1n }] }
    const [two, one] = [
      ['A', 'B'],
      ['A', 'A'],
    ].map(borrowers => borrowers.map(borrower => ({ borrower, branch: 1n, debt: 1n })))
    const found = (form: InputForm, given: readonly Row[]) =>
      opened(jobOf(plan, [2, 1], 2, [loans, form]), { ...about, loans: given })
    const reference = { ...districts, reference: true as const }
    expect(found(districts, two!)).toEqual([[null]])
    expect(found(reference, two!)).toEqual([['2']])
    expect(found(reference, one!)).toEqual([[null]])
  })

  it('opens to one outside what it opens to a party', () => {
    const plan = query({
      inputs: [loans, companies],
      of: all,
      on: [c.equal('borrower', 'company')],
      groupBy: ['borrower', 'branch'],
      aggregates: { n: ['count'], debt: ['sum', 'debt'] },
    })
    const given: Record<string, Row[]> = {
      loans: ['A', 'A', 'B', 'AB', 'AB', 'BB'].map((borrower, i) => ({
        borrower,
        branch: 1n,
        debt: BigInt(i),
      })),
      companies: ['A', 'AB', 'B'].map(company => ({
        company,
        band: 'low',
        tax: 1n,
        district: 1n,
        year: 1n,
      })),
    }
    const made = jobOf(plan, [6, 3], 1, [loans, companies])
    const parties = [...base.parties, { ...base.parties[2]!, name: 'registry', role: 'provider' as const }]
    const job = { ...made.job, parties }
    const operation = { ...made.operation, receivers: ['registry'] }
    const relation = made.found.relation!
    const relational = { ...made.found, relation }
    const tables = relation.tables.map(({ inputs }) => chunkOf(inputs, given[inputs[0]!.name]!))
    function* party(self: Index): Protocol<OpenedGroups | undefined> {
      const run = running(job, operation, relational, self, yield* establish(self, '00'.repeat(32)))
      return yield* openRelation({ ...run, query: relational }, tables)
    }
    const run = running(job, operation, relational, 3, undefined)
    const outside = openRelation({ ...run, query: relational }, [])
    const { outputs } = runLocally([party(0), party(1), party(2), outside])
    expect(outputs.slice(0, 3)).toEqual([undefined, undefined, undefined])
    expect(shownTable(operation, relational, groupCells(relational, outputs[3]!)).rows).toEqual([
      ['A', '1', '2', '0.01'],
      ['AB', '1', '2', '0.07'],
      ['B', '1', '1', '0.02'],
    ])
  })

  it('states the memory that it needs, and is refused beyond it', async () => {
    const plan = query({
      inputs: [loans, companies],
      of: all,
      on: [c.equal('borrower', 'company')],
      groupBy: ['branch'],
      aggregates: { n: ['count'] },
    })
    const run = (rows: number) => {
      const { job, operation, found } = jobOf(plan, [rows, 1000], 10, [loans, companies])
      const query = { ...found, relation: found.relation! }
      return { ...running(job, operation, query, 0, undefined), query }
    }
    expect(() => checkRelationMemory(run(100_000))).not.toThrow()
    await expect(() => checkRelationMemory(run(10_000_000))).toThrowWithCode('MEMORY_EXCEEDED', 'job.limits')
  })

  const joined = (
    on: Expression,
    groupBy: (string | Expression)[] = ['branch'],
    inputs = [loans, companies],
  ) => query({ inputs, of: all, on: [on], groupBy, aggregates: { n: ['count'] } })
  const refusals: [string, string, () => unknown, number?][] = [
    ['a table that nothing joins', 'mpc.join', () => joined(c.isNotNull('branch'))],
    ['keys that differ in order only', 'mpc.join', () => joined(c.less('branch', 'district'))],
    ['a number joined with a code', 'mpc.key', () => joined(c.equal('borrower', 'district'))],
    ['a code joined with a category', 'mpc.key', () => joined(c.equal('borrower', 'band'))],
    [
      'an entity that is not shared',
      'mpc.join',
      () => joined(c.equal('name', 'borrower'), ['branch'], [loans, districts]),
    ],
    [
      'a group by an entity that is not shared',
      'mpc.key',
      () => joined(c.equal('no', 'branch'), ['name'], [loans, districts]),
    ],
    ['a group by a constant', 'mpc.key', () => joined(c.equal('borrower', 'company'), [c.expression(3)])],
    [
      'a text that is no code',
      'mpc.code',
      () => joined(c.and(c.equal('borrower', 'company'), c.equal('company', c.text('C')))),
    ],
    [
      'a text that is too long',
      'mpc.code',
      () => joined(c.and(c.equal('borrower', 'company'), c.equal('company', c.text('ABA')))),
    ],
    ['more rows than are sorted', 'mpc.rows', () => joined(c.equal('borrower', 'company')), 17_000_000],
  ]
  it.each(refusals)('refuses %s, by rule %s', async (_, rule, make, rows = 10) => {
    const plan = make()
    const scanned = JSON.stringify(plan)
    const inputs = all.filter(({ name }) => scanned.includes(`"dataset":"${name}"`))
    await expect(() =>
      jobOf(
        plan,
        inputs.map(() => rows),
        1,
        inputs,
      ),
    ).toThrowWithCode('SQL_REFUSED', rule)
  })

  it('takes no statistic of them', async () => {
    const plan = query({ inputs: [loans], of: all, aggregates: { n: ['count'] } })
    const root = plan.root.kind === 'aggregate' ? plan.root.input : plan.root
    const output = [{ name: 'debt', id: (c.expression('debt') as { id: number }).id }]
    await expect(() => jobOf({ ...plan, root, output }, [1], 1, [loans])).toThrowWithCode('SQL_REFUSED')
    const { job, operation } = jobOf(plan, [1], 1, [loans])
    const statistic = { kind: 'covariance', digits: 2 } as const
    await expect(() =>
      queryOf(job, { ...operation, plan: { ...plan, root, output }, statistic }),
    ).toThrowWithCode('SQL_REFUSED', 'mpc.statistic')
  })
})

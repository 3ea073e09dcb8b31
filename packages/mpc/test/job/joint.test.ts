import type { SluiceError } from '@sluice/core'
import {
  type InputForm,
  type JointEvent,
  type JointJob,
  type JointTable,
  jobDigest,
  parseJob,
  type RunJointOptions,
  runJoint,
} from '@sluice/mpc'
import { Bool, Table, Utf8, vectorFromArray } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { people, person } from '../session/parties.js'
import {
  BANDS,
  bank,
  bureau,
  c,
  described,
  draft,
  forms,
  INDUSTRIES,
  loans,
  makeJob,
  type Row,
  rows,
  taxpayers,
} from './parties.js'
import { query } from './plans.js'

const everybody = (given: JointJob | readonly JointJob[], more: Partial<RunJointOptions>[] = []) =>
  Promise.allSettled(
    people.map((signer, self) => {
      const inputs = [{ taxpayers: bureau() }, { loans: bank() }, {}][self]! as Record<string, Table>
      const job = Array.isArray(given) ? given[self] : given
      return runJoint(job, { signer, wait: 20, inputs, ...more[self] })
    }),
  )

const tablesOf = (results: Awaited<ReturnType<typeof everybody>>): (readonly JointTable[] | undefined)[] =>
  results.map(result => (result.status === 'fulfilled' ? result.value.tables : undefined))
const reasons = (results: PromiseSettledResult<unknown>[]) =>
  results.map(result => (result.status === 'rejected' ? result.reason : undefined))

const money = (cents: bigint, digits = 2) => {
  const text = (cents < 0n ? -cents : cents).toString().padStart(digits + 1, '0')
  return `${cents < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** By an ordinary loop over the joined table; Int64 debts are whole, so scaled by 100. */
function expected(minimum: number): (string | null)[][] {
  return INDUSTRIES.flatMap(industry =>
    BANDS.map(band => {
      const inside = rows.filter(
        row =>
          row.industry === industry &&
          row.band === band &&
          row.days >= 30 &&
          row.debt !== null &&
          row.tax < row.debt * 100n,
      )
      if (inside.length < minimum) return [industry, band, null, null, null, null]
      const debt = inside.reduce((sum, row) => sum + row.debt! * 100n, 0n)
      const tax = inside.reduce((sum, row) => sum + row.tax, 0n)
      const count = BigInt(inside.length)
      const mean = (2n * debt * 10n ** 6n + count) / (2n * count)
      return [industry, band, String(count), money(debt), money(tax), money(mean, 8)]
    }),
  )
}

describe('a joint job of a bureau, a bank and an operator', () => {
  it('opens to the receivers what an ordinary loop finds, and nothing below the minimum', async () => {
    const events: JointEvent[] = []
    const onEvent = (event: JointEvent) => events.push(event)
    const results = await everybody(await makeJob(), [{ onEvent }])
    expect(reasons(results)).toEqual([undefined, undefined, undefined])
    const [first, second, third] = tablesOf(results)
    expect(first![0]!.rows).toEqual(expected(10))
    expect(first![0]!.columns.map(({ name }) => name)).toEqual([
      'industry',
      'band',
      'firms',
      'debt',
      'tax',
      'mean',
    ])
    expect(second).toEqual(first)
    expect(third).toEqual([])
    expect(first![0]!.rows.some(row => row[2] === null)).toBe(true)
    expect(first![0]!.rows.some(row => row[2] !== null)).toBe(true)
    expect(events.map(({ kind }) => kind)).toEqual([
      'reading',
      'listening',
      'connected',
      'connected',
      'computing',
    ])
    const sessions = results.map(result => (result.status === 'fulfilled' ? result.value.session : ''))
    expect(new Set(sessions).size).toBe(1)
  })

  it('a party with a changed job is named, and refused before any share leaves', async () => {
    const theirs = await makeJob()
    const changed = { ...theirs, minimumEntities: 1 }
    const found = reasons(await everybody([theirs, changed, theirs]))
    expect(found.map(error => error.code)).toEqual(['JOB_MISMATCH', 'JOB_MISMATCH', 'JOB_MISMATCH'])
    expect(found[0].facts.party).toBe('bank')
    expect(found[2].facts.party).toBe('bank')
  })

  it('a table in another order is put in order; another table is refused before anybody is met', async () => {
    const job = await makeJob()
    const signer = people[1]!
    const turned = await everybody(job, [{}, { inputs: { loans: bank([...rows].reverse()) } }])
    expect(reasons(turned)).toEqual([undefined, undefined, undefined])
    const changed = rows.map((row, i) => (i === 7 ? { ...row, days: row.days + 1 } : row))
    const given = (table: Table) => runJoint(job, { signer, inputs: { loans: table }, wait: 0.1 })
    await expect(given(bank(changed))).toThrowWithCode('FINGERPRINT_MISMATCH', 'job.fingerprint')
    await expect(given(bank(rows.slice(1)))).toThrowWithCode('FINGERPRINT_MISMATCH')
  })

  it('rows of other entities are refused before they are shared', async () => {
    const others = bank(rows.map(row => ({ ...row, id: `X${row.id}` })))
    const inputs = [await described(taxpayers, bureau()), await described(loans, others)]
    const found = reasons(await everybody(await makeJob({ inputs }), [{}, { inputs: { loans: others } }]))
    // each computing party sees it by itself, unless another one told it first
    const codes = found.map(error => error.code)
    expect(codes.filter(code => code !== 'PEER_STOPPED' && code !== 'JOB_MISMATCH')).toEqual([])
    const seen = found.filter(error => error.code === 'JOB_MISMATCH')
    expect(seen.length).toBeGreaterThan(0)
    for (const error of seen) expect(error.rule).toBe('job.rows')
    expect(found[2].facts).toMatchObject(
      codes[2] === 'JOB_MISMATCH' ? { party: 'bank' } : { code: 'JOB_MISMATCH' },
    )
  })

  it('a party that is interrupted ends the others’ sessions, and is named', async () => {
    const controller = new AbortController()
    let connected = 0
    const onEvent = (event: JointEvent) => {
      // all three have met: before that, a party that is gone is one that never came
      if (event.kind === 'connected' && ++connected === 6) controller.abort()
    }
    const found = reasons(
      await everybody(await makeJob(), [{ onEvent }, { signal: controller.signal, onEvent }, { onEvent }]),
    )
    expect(found[1].code).toBe('INTERRUPTED')
    for (const self of [0, 2]) {
      expect(['PEER_STOPPED', 'PEER_LOST']).toContain(found[self].code)
      expect(found[self].facts.party).toBe('bank')
    }
  })

  it('an input that fails while it is read a second time ends the others’ sessions, and is named', async () => {
    let reading = 0
    const failing = async function* () {
      yield bank().slice(0, 300)
      if (++reading === 2) throw new Error('the disk is gone')
      yield bank().slice(300)
    }
    const found = reasons(await everybody(await makeJob(), [{}, { inputs: { loans: failing } }]))
    expect(found[1].code).toBe('INTERNAL')
    expect(found[0]).toMatchObject({ code: 'PEER_STOPPED', facts: { party: 'bank' } })
    expect(found[2]).toMatchObject({ code: 'PEER_STOPPED', facts: { party: 'bank' } })
  })

  it('ends where it would take more traffic than the job allows', async () => {
    const limits = { seconds: 60, bytes: 20_000, memory: 2 ** 30 }
    const found = reasons(await everybody(await makeJob({ limits })))
    expect(found.map(error => error.code)).toContain('TRAFFIC_EXCEEDED')
  })

  it('refuses inputs that are not the job’s, and shows no value', async () => {
    const signer = people[0]!
    const own = await makeJob()
    const given = (table: Table) => runJoint(own, { signer, inputs: { taxpayers: table }, wait: 0.1 })
    await expect(given(bureau().select(['id', 'tax']))).toThrowWithCode('NAME_UNKNOWN')
    await expect(given(bureau(rows.map(row => ({ ...row, id: 'E1' }))))).toThrowWithCode(
      'SCHEMA_INVALID',
      'job.rows',
    )
    const large = given(bureau(rows.map(row => ({ ...row, tax: 123_456_789n }))))
    await expect(large).toThrowWithCode('PARAMETER_INVALID', 'job.bound')
    await expect(large.catch(error => Promise.reject(new Error(JSON.stringify(error))))).rejects.not.toThrow(
      '123',
    )
    const flags = new Table({
      id: bureau().getChild('id')!,
      industry: bureau().getChild('industry')!,
      tax: vectorFromArray(
        rows.map(() => true),
        new Bool(),
      ),
    })
    await expect(given(flags)).toThrowWithCode('SCHEMA_INVALID', 'job.columns')
    await expect(runJoint(own, { signer })).toThrowWithCode('USAGE', 'job.inputs')
    await expect(runJoint(own, { signer: person('stranger') })).toThrowWithCode('JOB_INVALID')
  })
})

describe('providers outside the three', () => {
  it('give inputs, receive, and compute nothing', async () => {
    const [customs, registry] = ['customs', 'registry'].map(person)
    const given = await draft()
    const parties = [
      ...(given['parties'] as object[]),
      ...[customs!, registry!].map(({ name, publicKey }) => ({ name, role: 'provider', key: publicKey })),
    ]
    const theirs = [
      { ...taxpayers, owner: 'registry' },
      { ...loans, owner: 'customs' },
    ]
    const card: InputForm = {
      name: 'card',
      owner: 'customs',
      entity: 'version',
      columns: ['tax', 'days', 'base'].map(name => ({
        name,
        nullable: false,
        type: { kind: 'number', scale: 1, bound: '100' },
      })),
    }
    const model = new Table({
      version: vectorFromArray(['2026'], new Utf8()),
      ...Object.fromEntries(
        Object.entries({ tax: '0.1', days: '-2.5', base: '20' }).map(([name, weight]) => [
          name,
          vectorFromArray([weight], new Utf8()),
        ]),
      ),
    })
    const inputs = [
      await described(theirs[0]!, bureau()),
      await described(theirs[1]!, bank()),
      await described(card, model),
    ]
    const operations = [
      {
        name: 'arrears',
        plan: query({
          inputs: forms,
          where: c.and(c.greaterOrEqual('days', 30), c.less('tax', 'debt')),
          groupBy: ['industry', 'band'],
          aggregates: {
            firms: ['count'],
            debt: ['sum', 'debt'],
            tax: ['sum', 'tax'],
            mean: ['average', 'debt'],
          },
        }),
        receivers: ['customs', 'operator'],
      },
    ]
    const counted = query({ inputs: forms, aggregates: { n: ['count'] } })
    const joined = counted.root.kind === 'aggregate' ? counted.root.input : counted.root
    const ofRows = (...names: string[]) => {
      const output = names.map(name => ({ name, id: (c.expression(name) as { id: number }).id }))
      return { plan: { ...counted, root: joined, output }, receivers: ['customs', 'operator'] }
    }
    const bins = { kind: 'histogram', edges: ['0', '30', '60', '1000'] }
    const more = [
      { name: 'bins', ...ofRows('days'), statistic: bins },
      { name: 'spread', ...ofRows('tax', 'days'), statistic: { kind: 'covariance', digits: 2 } },
      { name: 'range', ...ofRows('industry', 'debt'), statistic: { kind: 'extremes' } },
      {
        name: 'scores',
        ...ofRows('tax', 'days'),
        statistic: {
          kind: 'score',
          model: 'card',
          weights: { tax: 'tax', days: 'days' },
          intercept: 'base',
          threshold: '0',
          totals: ['tax'],
        },
      },
      { name: 'middle', ...ofRows('debt'), statistic: { kind: 'quantiles', fractions: ['0.5'] } },
    ]
    const job = await makeJob({ parties, inputs, operations: [...operations, ...more] })
    const tables: Record<string, Record<string, Table>> = {
      customs: { loans: bank(), card: model },
      registry: { taxpayers: bureau() },
    }
    const computed = new Map<string, number>()
    const onEvent = (event: JointEvent) => {
      if (event.kind === 'computing' && event.rows === event.of)
        computed.set(event.operation, (computed.get(event.operation) ?? 0) + 1)
    }
    const results = await Promise.allSettled(
      [...people, customs!, registry!].map(signer =>
        runJoint(job, { signer, wait: 20, inputs: tables[signer.name] ?? {}, onEvent }),
      ),
    )
    expect(reasons(results)).toEqual([undefined, undefined, undefined, undefined, undefined])
    expect([...computed]).toEqual(job.operations.map(({ name }) => [name, 5]))
    const opened = tablesOf(results)
    expect(opened[3]![0]!.rows).toEqual(expected(10))
    expect(opened[2]).toEqual(opened[3])
    const [low, middle] = [
      rows.filter(row => row.days < 30),
      rows.filter(row => row.days >= 30 && row.days < 60),
    ]
    expect(opened[3]![1]!.rows.slice(0, 2)).toEqual([
      ['0', '30', String(low.length)],
      ['30', '60', String(middle.length)],
    ])
    expect(opened[3]![2]!.rows.map(row => row.slice(0, 2))).toEqual([
      ['tax', 'tax'],
      ['tax', 'days'],
      ['days', 'days'],
    ])
    const debts = (inside: readonly Row[]) =>
      inside.flatMap(({ debt }) => debt ?? []).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    const whole = (value: bigint | undefined) => `${value}.00`
    expect(opened[3]![3]!.rows).toEqual(
      INDUSTRIES.map(industry => {
        const values = debts(rows.filter(row => row.industry === industry))
        return values.length < 10
          ? [industry, null, null]
          : [industry, whole(values[0]), whole(values.at(-1))]
      }),
    )
    const all = debts(rows)
    // 0.1 · tax − 2.5 · days + 20, with three digits after the point
    const good = rows.filter(({ tax, days }) => tax - 2500n * BigInt(days) + 20_000n >= 0n)
    const sum = good.reduce((total, { tax }) => total + tax, 0n)
    expect(opened[3]![4]!.rows).toEqual([['0', String(good.length), money(sum)]])
    expect(opened[3]![5]!.rows).toEqual([['0.5', whole(all[Math.ceil(all.length / 2) - 1])]])
    expect([opened[0], opened[1], opened[4]]).toEqual([[], [], []])
  })
})

describe('a job file', () => {
  const broken: [string, (good: JointJob) => unknown][] = [
    ['an unknown key', good => ({ ...good, note: 'x' })],
    ['another version', good => ({ ...good, version: 'sluice-joint/1' })],
    ['two parties', good => ({ ...good, parties: good.parties.slice(0, 2) })],
    [
      'one key twice',
      good => ({
        ...good,
        parties: [good.parties[0], { ...good.parties[0], name: 'bank' }, good.parties[2]],
      }),
    ],
    [
      'a provider among the three',
      good => ({
        ...good,
        parties: [{ name: 'bureau', role: 'provider', key: good.parties[0]!.key }, ...good.parties.slice(1)],
      }),
    ],
    [
      'an owner who takes no part',
      good => ({ ...good, inputs: good.inputs.map(input => ({ ...input, owner: 'x' })) }),
    ],
    [
      'a receiver who takes no part',
      good => ({ ...good, operations: good.operations.map(given => ({ ...given, receivers: ['x'] })) }),
    ],
    ['an operation twice', good => ({ ...good, operations: [good.operations[0], good.operations[0]] })],
    [
      'an operation that is no plan',
      good => ({ ...good, operations: [{ ...good.operations[0], plan: {} }] }),
    ],
    ['an input that is not there', good => ({ ...good, inputs: good.inputs.slice(1) })],
    [
      'joined inputs of unequal length',
      good => ({ ...good, inputs: [{ ...good.inputs[0], rows: 3 }, good.inputs[1]] }),
    ],
    [
      'a bound that is none',
      good => ({
        ...good,
        inputs: good.inputs.map(input => ({
          ...input,
          columns: input.columns.map(column =>
            column.type.kind === 'number' ? { ...column, type: { ...column.type, bound: '-1' } } : column,
          ),
        })),
      }),
    ],
    [
      'two columns of one name',
      good => ({ ...good, inputs: good.inputs.map(input => ({ ...input, entity: 'Tax' })) }),
    ],
    ['no minimum', good => ({ ...good, minimumEntities: 0 })],
    ['no object', () => null],
  ]

  it.each(broken)('with %s is refused', async (_, change) => {
    const good = await makeJob()
    await expect(() => parseJob(change(good))).toThrowWithCode('JOB_INVALID')
    expect(parseJob(good)).toEqual(good)
  })

  it('says which input or operation is wrong', async () => {
    const good = await makeJob()
    const [operation] = good.operations
    const factsOf = (change: Partial<typeof good>): unknown => {
      try {
        return parseJob({ ...good, ...change })
      } catch (error) {
        return (error as SluiceError).facts
      }
    }
    const second = { ...operation!, name: 'second' }
    expect(factsOf({ operations: [operation!, { ...second, receivers: ['x'] }] })).toEqual({
      at: 'operations.1.receivers',
    })
    expect(factsOf({ inputs: [good.inputs[0]!, { ...good.inputs[1]!, owner: 'x' }] })).toEqual({
      at: 'inputs.1.owner',
    })
    expect(factsOf({ operations: [operation!, { ...second, statistic: { kind: 'extremes' } }] })).toEqual({
      operation: 'second',
    })
  })

  it('has a digest that follows everything in it', async () => {
    const good = await makeJob()
    expect(jobDigest(parseJob(JSON.parse(JSON.stringify(good))))).toBe(jobDigest(good))
    expect(jobDigest({ ...good, minimumEntities: 11 })).not.toBe(jobDigest(good))
  })
})

describe('a fingerprint', () => {
  it('is that of the table, whatever the batches, and of nobody else’s', async () => {
    const one = await described(loans, bank())
    const batches = () => [bank().slice(0, 7), bank().slice(7, 7), bank().slice(7)]
    expect(await described(loans, batches)).toEqual(one)
    const other = rows.map((row, i) => (i === 399 ? { ...row, debt: null } : row))
    expect((await described(loans, bank(other))).fingerprint).not.toBe(one.fingerprint)
    const nobody = await described({ ...loans, reference: true }, bank())
    expect(nobody.fingerprint).not.toBe(one.fingerprint)
    const theirs = await described({ ...loans, owner: 'operator' }, bank())
    expect(theirs.fingerprint).not.toBe(one.fingerprint)
  })

  it('wants streamed rows in order, an entity once', async () => {
    const turned = () => [bank([...rows].reverse())]
    await expect(described(loans, turned)).toThrowWithCode('SCHEMA_INVALID', 'job.rows')
    const twice = () => [bank([rows[0]!, rows[0]!])]
    await expect(described(loans, twice)).toThrowWithCode('SCHEMA_INVALID', 'job.rows')
  })
})

import { type Evidence, unsettled } from '@sluice/core/disclosure'
import type { CellSpecification, Obligation } from '@sluice/core/plan'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Harness } from './harness.js'
import { keyText, type OracleEvidence, oracleGroups, type TableRows } from './oracle.js'

/**
 * Differential: evidence from the engine against evidence counted one by one, over generated rows and queries of
 * every shape that evidence is defined for. Where `exact` is 1 the numbers are equal, else they err towards unsafe,
 * and either way the verdict is that of the true numbers.
 */
const ROWS = `
  SELECT
    CASE WHEN h(i, 1) % 11 = 0 THEN NULL ELSE h(i, 1) % 6 END AS town,
    CASE WHEN h(i, 2) % 13 = 0 THEN NULL WHEN h(i, 2) % 17 = 0 THEN 'NOBODY'
      ELSE 'p' || CAST(floor(pow(h(i, 3) % 1000 / 1000.0, 3) * 150) AS INTEGER) END AS person,
    CASE WHEN h(i, 4) % 7 = 0 THEN NULL ELSE CAST(h(i, 4) % 200 AS INTEGER) - 60 END AS cost,
    CAST(h(i, 5) % 9 AS SMALLINT) AS amount,
    chr(CAST(97 + h(i, 6) % 3 AS INTEGER)) AS kind,
    CAST((h(i, 7) % 100000) / 100.0 AS DOUBLE) AS weight
  FROM range(SIZE) t(i)`

function generated(size: number, seed: number): string {
  return ROWS.replaceAll(
    /h\(i, (\d)\)/g,
    (_, n) => `CAST(hash(i * 31 + ${n} + ${seed} * 1009) % 1000003 AS BIGINT)`,
  ).replace('SIZE', String(size))
}

const LIMITS = { minimumEntities: 8, dominance: { n: 2, percent: 60 }, pPercent: 15 }

const COLUMNS =
  'count(*) AS n, count(cost) AS costs, sum(cost) AS total, avg(cost) AS mean, sum(weight) AS weight, ' +
  "count(*) FILTER (WHERE amount > 5) AS many, sum(CASE WHEN kind = 'a' THEN cost ELSE 0 END) AS a_cost, " +
  'sum(cost * amount) AS product, count(DISTINCT kind) AS kinds'

const QUERIES: Record<string, string> = {
  'groups of one table': `SELECT town, ${COLUMNS} FROM visits GROUP BY town`,
  'selections that overlap':
    'SELECT town, count(*) AS n, count(*) FILTER (WHERE amount > 5) AS a, count(*) FILTER (WHERE amount > 6) AS b, sum(cost) FILTER (WHERE amount < 3) AS c, sum(cost) FILTER (WHERE amount < 4) AS d FROM visits GROUP BY town',
  'finer groups': `SELECT town, kind, amount, ${COLUMNS} FROM visits WHERE cost > -50 GROUP BY town, kind, amount`,
  'everything at once':
    'SELECT count(*) AS n, sum(cost) AS total, count(DISTINCT person) AS people FROM visits',
  'extremes of many rows an entity':
    'SELECT town, min(cost) AS low, max(cost) AS high, max(kind) AS kind, min(weight) FILTER (WHERE amount > 3) AS some FROM visits GROUP BY town',
  'quantiles where rows are entities':
    'SELECT kind, quantile_disc(cost, 0.25) AS low, quantile_disc(cost, 0.5) AS half, max(weight, 20)[20] AS top, quantile_disc(amount, 0.1) FILTER (WHERE amount > 2) AS some, count(*) AS n FROM events GROUP BY kind',
  'quantiles of an entity that is a unique key':
    'SELECT kind, quantile_disc(cost, 0.25) AS low, quantile_disc(cost, 0.75) AS high, min(cost, 10)[10] AS tenth, max(cost) AS most, sum(cost) AS total FROM single GROUP BY kind',
  'nothing at all': 'SELECT count(*) AS n, sum(cost) AS total FROM visits WHERE amount > 100',
  'rows as entities': `SELECT town, ${COLUMNS} FROM events GROUP BY town`,
  'entities without registered codes': `SELECT kind, ${COLUMNS} FROM uncoded GROUP BY kind`,
  'a join along a unique key':
    'SELECT region, count(*) AS n, sum(cost) AS total, sum(size) AS size FROM visits JOIN towns ON visits.town = towns.id GROUP BY region',
  'a left join that finds nothing for some':
    'SELECT kind, count(*) AS n, sum(cost) AS total, sum(size) AS size, count(size) AS sizes FROM visits LEFT JOIN towns ON visits.town = towns.id AND towns.size > 20 GROUP BY kind',
  'a join that repeats rows of both sides':
    'SELECT visits.kind, count(*) AS n, sum(visits.cost) AS total, sum(events.cost) AS other FROM visits JOIN events ON visits.town = events.town AND visits.amount = events.amount GROUP BY visits.kind',
  'two tables of people':
    'SELECT uncoded.kind, count(*) AS n, sum(visits.cost) AS total, sum(uncoded.weight) AS weight FROM visits JOIN uncoded ON visits.person = uncoded.person GROUP BY uncoded.kind',
  'a table with itself':
    'SELECT a.kind, count(*) AS n, sum(b.cost) AS total FROM visits a JOIN visits b ON a.person = b.person AND a.town = b.town GROUP BY a.kind',
  'columns without a null, and least values that have no negation':
    'SELECT kind, count(*) AS n, count(amount) AS amounts, sum(amount) AS total, avg(weight) AS weight, sum(least) AS least, sum(amount) FILTER (WHERE amount > 3) AS many FROM stays GROUP BY kind',
  'a left join to columns without a null':
    'SELECT towns.region, count(*) AS n, count(stays.amount) AS amounts, sum(stays.amount) AS total FROM towns LEFT JOIN stays ON towns.id = stays.town AND stays.amount > 5 GROUP BY towns.region',
}

const BY_32 = /finer groups|without a null/
const IN_PASSES = /everything|registered codes|repeats rows|without a null/

let harness: Harness
const tables: Record<string, TableRows> = {}

beforeAll(async () => {
  harness = await Harness.start({ warm: 1 })
  const person = { column: 'person', not: ['NOBODY'] }
  await harness.register('visits', { rows: generated(600, 1), entity: person, disclosure: LIMITS })
  await harness.register('events', { rows: generated(250, 2), entity: 'row', disclosure: LIMITS })
  await harness.register('uncoded', {
    rows: generated(300, 3),
    entity: person,
    coded: 'town',
    disclosure: { ...LIMITS, pPercent: 'none' },
  })
  await harness.register('stays', {
    rows: `SELECT coalesce(person, 'p0') AS person, coalesce(town, 0) AS town, kind, amount, weight,
      CAST(CASE WHEN amount = 0 THEN -128 ELSE amount END AS TINYINT) AS least FROM (${generated(500, 4)})`,
    entity: { column: 'person' },
    disclosure: LIMITS,
  })
  await harness.register('single', {
    rows: `SELECT 'p' || row_number() OVER () AS person, kind, cost FROM (${generated(260, 5)})`,
    entity: { column: 'person' },
    keys: [['person']],
    disclosure: LIMITS,
  })
  await harness.register('towns', {
    rows: `SELECT i AS id, 'region ' || i % 2 AS region, CAST(i * 10 AS INTEGER) AS size FROM range(5) t(i)`,
    entity: 'row',
    keys: [['id']],
    disclosure: { minimumEntities: 2, dominance: 'none', pPercent: 'none' },
  })
  for (const name of Object.keys(harness.files)) {
    tables[name] = (await harness.bare(`SELECT * FROM ${name}`)) as TableRows
  }
})
afterAll(() => harness.stop())

describe.each([
  [64, undefined],
  [32, undefined],
  [4, undefined],
  // too little for all entities at once: counted exactly in several passes
  [4, 20_000],
])('evidence by %i buckets, in passes of %s bytes', (buckets, passBytes) => {
  // 32 are counted without bits; nothing else differs from 64
  const some = passBytes !== undefined ? IN_PASSES : buckets === 32 ? BY_32 : /./
  const queries = Object.entries(QUERIES).filter(([name]) => some.test(name))
  it.each(queries)('%s', async (_, sql) => {
    const approved = await harness.approve(sql)
    const contents = await harness.contents(approved, buckets, passBytes)
    const { release, obligations } = approved.reviewed
    if (release.mode !== 'aggregate') throw new Error('not an aggregate')
    const keys = release.aggregate.keys.length
    const groups = new Map(
      oracleGroups(release, obligations, tables).map(group => [keyText(group.key), group.evidence]),
    )
    const rows = contents.table.toArray().map(row => Object.values(row.toJSON() as object))
    expect(rows.length).toBe(groups.size)

    const truths = rows.map(row => groups.get(keyText(row.slice(0, keys)))!)
    expect(truths.every(truth => truth !== undefined)).toBe(true)
    expect(contents.evidence.length).toBeGreaterThan(0)
    for (const given of contents.evidence) compare(given, truths, obligations, release.cells)

    // and the values are those of the query without evidence
    const { table } = contents
    const ours = table.toArray().map(row => Object.values(row.toJSON() as object).map(plain))
    const bare = (await harness.bare(sql)).map(row => Object.values(row).map(plain))
    const order = (a: unknown[], b: unknown[]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
    const text = (rows: unknown[][]) => rows.map(row => row.map(approximate)).sort(order)
    expect(text(ours)).toEqual(text(bare))
  })
})

it('notices evidence that is one off', async () => {
  const approved = await harness.approve('SELECT town, sum(cost) AS total FROM visits GROUP BY town')
  const { evidence, table } = await harness.contents(approved, 64)
  const { release, obligations } = approved.reviewed
  if (release.mode !== 'aggregate') throw new Error('not an aggregate')
  const groups = new Map(oracleGroups(release, obligations, tables).map(group => [keyText(group.key), group]))
  const truths = table.toArray().map(row => groups.get(keyText([row.toJSON()['town']]))!.evidence)
  for (const given of evidence) {
    const exact = new Uint8Array(table.numRows).fill(1)
    const wrong = { ...given, exact, entities: given.entities.map(count => count + 1) }
    expect(() => compare(wrong, truths, obligations)).toThrow()
  }
})

/** 128-bit integers come as words from Arrow, as bigints from the engine's own client. */
function plain(value: unknown): unknown {
  if (value instanceof Uint32Array) {
    return Number(
      BigInt.asIntN(
        128,
        value.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n),
      ),
    )
  }
  return typeof value === 'bigint' ? Number(value) : value
}

/** Nine digits: floating sums differ by rounding between two runs of the engine itself. */
function approximate(value: unknown): unknown {
  return typeof value === 'number' ? value.toPrecision(9) : value
}

function compare(
  given: Evidence,
  truths: readonly (readonly OracleEvidence[])[],
  obligations: readonly Obligation[],
  cells: readonly CellSpecification[] = [],
) {
  const obligation = obligations.find(({ source }) => source === given.source)!
  const needed = Math.max(obligation.dominance?.n ?? 0, obligation.pPercent === null ? 0 : 2)
  const truth = truths.map(
    group => group.find(({ source, part }) => source === given.source && samePart(part, given.part))!,
  )
  const tooFew = truths.map(
    group =>
      group.find(({ source, part }) => source === given.source && part.kind === 'group')!.entities <
      obligation.minimumEntities,
  )
  truth.forEach((group, row) => {
    const exact = given.exact[row] === 1
    if (exact) expect(given.entities[row]).toBe(group.entities)
    else expect(given.entities[row]).toBeLessThanOrEqual(group.entities)
    given.contributions.forEach(({ total, largest }, index) => {
      const shares = group.contributions[index]!
      const sum = shares.reduce((a, b) => a + b, 0)
      if (exact) expect(total[row]).toBeCloseTo(sum, 6)
      else expect(total[row]).toBeLessThanOrEqual(sum * (1 + 1e-9))
      for (let n = 1; n <= needed; n++) {
        const top = shares.slice(0, n).reduce((a, b) => a + b, 0)
        if (exact) expect(largest[n - 1]?.[row]).toBeCloseTo(top, 6)
        else expect(largest[n - 1]?.[row]).toBeGreaterThanOrEqual(top * (1 - 1e-9))
      }
    })
  })
  // with every row called a bound, `unsettled` is the verdict
  const verdict = (evidence: Evidence) =>
    unsettled(obligation, { ...evidence, exact: new Uint8Array(truth.length) }, cells)
  const ours = verdict(given)
  const theirs = verdict(exactly(given, truth, needed))
  truth.forEach((group, row) => {
    // nobody is left out: safe as a complement, and only exact evidence says so
    const isLeft = given.part.kind === 'complement' || given.part.kind === 'difference'
    if (isLeft && group.entities === 0) expect(given.exact[row]).toBe(1)
    else if (!tooFew[row]) expect(ours[row]).toBe(theirs[row])
  })
}

function exactly(given: Evidence, truth: readonly OracleEvidence[], needed: number): Evidence {
  const column = (value: (group: OracleEvidence) => number) => Float64Array.from(truth, value)
  return {
    ...given,
    entities: column(group => group.entities),
    contributions: given.contributions.map((_, index) => ({
      total: column(group => group.contributions[index]!.reduce((a, b) => a + b, 0)),
      largest: Array.from({ length: needed }, (_, n) =>
        column(group => group.contributions[index]!.slice(0, n + 1).reduce((a, b) => a + b, 0)),
      ),
    })),
  }
}

function samePart(a: Evidence['part'], b: Evidence['part']): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())
}

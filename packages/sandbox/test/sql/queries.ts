import type { CatalogueTable } from '@sluice/sandbox/sql'
import fc from 'fast-check'

/** Two small tables with nulls, dates, decimals and text beyond ASCII, and random queries over them. */
export const tables: readonly CatalogueTable[] = [
  {
    name: 't',
    columns: [
      { name: 'k', type: { kind: 'integer', bits: 32, signed: true } },
      { name: 'n', type: { kind: 'integer', bits: 16, signed: true } },
      { name: 'big', type: { kind: 'integer', bits: 64, signed: true } },
      { name: 'm', type: { kind: 'decimal', precision: 10, scale: 2 } },
      { name: 'f', type: { kind: 'float', bits: 64 } },
      { name: 's', type: { kind: 'text' } },
      { name: 'Group', type: { kind: 'text' } },
      { name: 'd', type: { kind: 'date' } },
      { name: 'moment', type: { kind: 'timestamp' } },
      { name: 'ok', type: { kind: 'boolean' } },
    ],
  },
  {
    name: 'u',
    columns: [
      { name: 'k', type: { kind: 'integer', bits: 32, signed: true } },
      { name: 'name', type: { kind: 'text' } },
      { name: 'w', type: { kind: 'decimal', precision: 6, scale: 3 } },
    ],
  },
]

export const inserts: readonly string[] = [
  `INSERT INTO zone.main.t
   SELECT CASE WHEN i % 11 = 0 THEN NULL ELSE i % 9 END, CASE WHEN i % 7 = 0 THEN NULL ELSE (i * 37) % 200 - 100 END,
     i * 1000003 - 30000000, CASE WHEN i % 5 = 0 THEN NULL ELSE ((i * 7919) % 100000 - 50000)::DECIMAL(12, 2) / 100 END,
     CASE WHEN i % 13 = 0 THEN NULL ELSE sin(i) * 100 END,
     CASE WHEN i % 6 = 0 THEN NULL ELSE ['Ünïcode', '数据专区', 'a%b_c', '', 'Zebra', 'zebra 🎉'][i % 6 + 1] END,
     ['A', 'B', 'C', NULL][i % 4 + 1], CASE WHEN i % 8 = 0 THEN NULL ELSE DATE '2000-01-31' + CAST((i * 17) % 900 AS INTEGER) END,
     TIMESTAMP '1999-12-31 22:10:05.5' + to_hours(i * 31), CASE WHEN i % 3 = 0 THEN NULL ELSE i % 2 = 0 END
   FROM range(60) AS r(i)`,
  `INSERT INTO zone.main.u VALUES (0, '零', 1.5), (1, 'one', NULL), (2, NULL, -0.125), (3, '三', 2.25), (3, 'three', 0),
   (5, 'five', 99.999), (NULL, 'nobody', 7)`,
]

export interface GeneratedQuery {
  readonly sql: string
  /** ORDER BY names every output column, so that rows have one order */
  readonly ordered: boolean
}

type Text = fc.Arbitrary<string>
type Columns = Readonly<
  Record<'int' | 'dec' | 'float' | 'text' | 'date' | 'stamp' | 'bool', readonly string[]>
>

const OF_T: Columns = {
  int: ['k', 'n', 'big'],
  dec: ['m'],
  float: ['f'],
  text: ['s', '"Group"'],
  date: ['d'],
  stamp: ['moment'],
  bool: ['ok'],
}
const OF_BOTH: Columns = {
  int: ['t.k', 'n', 't.BIG'],
  dec: ['m', 'u.w'],
  float: ['t.f'],
  text: ['s', 'u.name', '"group"'],
  date: ['D'],
  stamp: ['moment'],
  bool: ['ok'],
}

/** Scalar expressions by kind; what can overflow is kept small, what can divide by zero is not. */
function expressions(columns: Columns) {
  const one = (items: readonly string[]) => fc.constantFrom(...items)
  return fc.letrec<Record<keyof Columns, string>>(tie => {
    const all = (template: string, ...parts: Text[]): Text =>
      fc.tuple(...parts).map(values => {
        let next = 0
        return template.replace(/\?/g, () => values[next++]!)
      })
    const { int, dec, float, text, date, stamp, bool } = {
      int: tie('int'),
      dec: tie('dec'),
      float: tie('float'),
      text: tie('text'),
      date: tie('date'),
      stamp: tie('stamp'),
      bool: tie('bool'),
    }
    const any = fc.oneof(int, dec, float, text, date, stamp, bool)
    const small = one(['-2', '0', '1', '3', '100'])
    const near = { depthSize: 'small', maxDepth: 3 } as const
    return {
      int: fc.oneof(
        near,
        one(columns.int),
        small,
        all('(CAST(? AS BIGINT) + ?)', int, small),
        all('(? - ?)', one(['big', 'n + 0']), small),
        all('(n * ?)', small),
        all('(? // ?)', int, small),
        all('(? % ?)', int, small),
        all('abs(?)', one(['n', 'big'])),
        all('length(?)', text),
        all("position('b' IN ?)", text),
        all('year(?)', date),
        all('extract(dow FROM ?)', date),
        all("date_part('hour', ?)", stamp),
        all("date_diff('month', ?, ?)", date, date),
        all('(? - ?)', date, date),
        all('coalesce(?, ?)', int, int),
        all('nullif(?, ?)', int, int),
        all('CASE WHEN ? THEN ? ELSE ? END', bool, int, int),
        all('CASE ? WHEN ? THEN ? END', text, text, int),
        all('greatest(?, ?)', int, int),
        all('sign(?)', dec),
      ),
      dec: fc.oneof(
        near,
        one(columns.dec),
        one(['1.5', '0.001', '-12.25']),
        all('(? + ?)', one(columns.dec), dec),
        all('(? - ?)', one(columns.dec), small),
        all('(? * ?)', one(columns.dec), one(['2', '0.5', 'm'])),
        all('round(?, 1)', dec),
        all('floor(?)', dec),
        all('abs(?)', dec),
        all('(-?)', one(columns.dec)),
        all('coalesce(?, 0)', dec),
        all('CAST(? AS DECIMAL(20, 4))', one(['n', 'm', 'big'])),
        all('least(?, 3)', dec),
      ),
      float: fc.oneof(
        near,
        one(columns.float),
        all('(? / ?)', int, int),
        all('(? / ?)', dec, one(['2', '4.0', 'n'])),
        all('(? + ?)', float, int),
        all('(? * ?)', one(columns.float), dec),
        all('sqrt(abs(?))', float),
        all('ceil(?)', float),
        all('CAST(? AS DOUBLE)', int),
      ),
      text: fc.oneof(
        near,
        one(columns.text),
        one(["'A'", "'zebra'", "'数'", "''", "'it''s'"]),
        all('upper(?)', text),
        all('lower(?)', text),
        all('(? || ?)', text, text),
        all('concat(?, ?)', text, text),
        all('substring(?, ?, 2)', text, small),
        all("replace(?, 'e', '数')", text),
        all('trim(?)', text),
        all('CAST(? AS VARCHAR)', fc.oneof(int, dec, date, bool)),
        all('coalesce(?, ?)', text, text),
        all("CASE WHEN ? THEN ? ELSE 'x' END", bool, text),
      ),
      date: fc.oneof(
        near,
        one(columns.date),
        one(["DATE '2000-02-29'", "DATE '2001-12-31'"]),
        all('(? + 3)', one(columns.date)),
        all('(? - ?)', one(columns.date), one(['1', '30'])),
        all('CAST(? AS DATE)', stamp),
        all('coalesce(?, ?)', date, date),
      ),
      stamp: fc.oneof(
        near,
        one(columns.stamp),
        one(["TIMESTAMP '2000-01-01 00:00:00'"]),
        all("date_trunc('month', ?)", fc.oneof(date, stamp)),
        all("date_trunc('week', ?)", stamp),
        all('(? + INTERVAL 1 MONTH)', fc.oneof(one(columns.date), one(columns.stamp))),
        all("(? - INTERVAL '2' DAY)", one(columns.stamp)),
      ),
      bool: fc.oneof(
        near,
        one(columns.bool),
        all('(? < ?)', int, int),
        all('(? = ?)', dec, fc.oneof(dec, int)),
        all('(? >= ?)', int, dec),
        all('(? <> ?)', text, text),
        all("(? >= '2000-06-01')", date),
        all('(? < ?)', date, stamp),
        all('(? IS DISTINCT FROM ?)', int, int),
        all('(? AND ?)', bool, bool),
        all('(? OR ?)', bool, bool),
        all('(NOT ?)', bool),
        all('(? IS NULL)', any),
        all('(? IS NOT NULL)', any),
        all('(? BETWEEN ? AND ?)', int, small, small),
        all('(? NOT BETWEEN -1.5 AND 5)', dec),
        all("(? IN ('A', 'B', NULL))", text),
        all('(? NOT IN (1, 2, 3))', int),
        all("(? LIKE '%e%')", text),
        all("(? NOT LIKE 'a!%%' ESCAPE '!')", text),
        all("starts_with(?, 'z')", text),
        all('(? = 1) IS NULL', int),
      ),
    }
  })
}

const FROMS = [
  ['t', OF_T],
  ['(SELECT * EXCEPT FROM t)', OF_T],
  ['t JOIN u ON t.k = u.k', OF_BOTH],
  ['t LEFT JOIN u ON t.k = u.k AND u.w > 0', OF_BOTH],
  ['t LEFT JOIN u USING (k)', { ...OF_BOTH, int: ['k', 'n', 'big'] }],
  ['t JOIN (SELECT k, name, w FROM u WHERE w IS NOT NULL) AS u ON u.k = t.k', OF_BOTH],
  ['t LEFT JOIN (SELECT k, max_w AS w, name FROM v) AS u ON u.k = t.k', OF_BOTH],
] as const

const WITH = "WITH v AS (SELECT k, 'v' AS name, sum(w) AS max_w, count(*) AS c FROM u GROUP BY k) "
const INNER = '(SELECT k, n, big, m, f, s, "Group", d, moment, ok FROM t WHERE n > -90 OR n IS NULL) AS t'

export const queries: fc.Arbitrary<GeneratedQuery> = fc.constantFrom(...FROMS).chain(([from, columns]) => {
  const of = expressions(columns)
  const scalar = fc.oneof(of.int, of.dec, of.float, of.text, of.date, of.stamp, of.bool)
  const exact = fc.oneof(of.int, of.dec, of.text, of.date, of.stamp, of.bool)
  const key = fc.oneof(exact, fc.constantFrom(...columns.text, ...columns.date), of.text)
  const measured = fc.oneof(of.int, of.dec)
  const aggregate = fc.oneof(
    fc.constant('count(*)'),
    exact.map(x => `count(${x})`),
    exact.map(x => `count(DISTINCT ${x})`),
    measured.map(x => `sum(${x})`),
    fc.constantFrom(...columns.float).map(x => `sum(${x})`),
    measured.map(x => `avg(${x})`),
    fc.tuple(measured, of.bool).map(([x, p]) => `sum(${x}) FILTER (WHERE ${p})`),
    of.bool.map(p => `count(*) FILTER (WHERE ${p})`),
    fc.tuple(measured, measured).map(([x, y]) => `sum(${x}) / nullif(count(${y}), 0)`),
    measured.map(x => `sum(DISTINCT ${x}) + 1`),
    fc
      .tuple(fc.constantFrom('min', 'max'), fc.oneof(of.int, of.dec, of.text, of.date, of.stamp))
      .map(([called, x]) => `${called}(${x})`),
    fc
      .tuple(fc.constantFrom('min', 'max'), fc.oneof(of.int, of.dec, of.date), fc.integer({ min: 1, max: 4 }))
      .map(([called, x, k]) => `${called}(${x}, ${k})[${k}]`),
    fc
      .tuple(
        fc.oneof(of.int, of.dec, of.date, of.stamp),
        fc.constantFrom('0', '0.1', '0.25', '0.50', '0.9', '1.0'),
      )
      .map(([x, part]) => `quantile_disc(${x}, ${part})`),
    fc.tuple(measured, of.bool).map(([x, p]) => `quantile_disc(${x}, 0.5) FILTER (WHERE ${p})`),
  )
  return fc
    .record({
      shape: fc.constantFrom(
        'rows',
        'rows',
        'distinct',
        'groups',
        'groups',
        'all',
        'total',
        'union',
        'cells',
      ),
      items: fc.array(scalar, { minLength: 1, maxLength: 4 }),
      keys: fc.array(key, { minLength: 1, maxLength: 3 }),
      aggregates: fc.array(aggregate, { minLength: 1, maxLength: 4 }),
      where: fc.option(of.bool, { nil: null }),
      having: fc.option(fc.constantFrom('count(*) > 1', 'a0 IS NOT NULL', 'sum(n) > 0 OR count(big) < 3'), {
        nil: null,
      }),
      order: fc.option(
        fc.array(fc.constantFrom('', ' DESC', ' NULLS FIRST', ' DESC NULLS FIRST'), {
          minLength: 9,
          maxLength: 9,
        }),
        { nil: null },
      ),
      limit: fc.option(fc.constantFrom('LIMIT 3', 'LIMIT 10 OFFSET 2', 'LIMIT 0'), { nil: null }),
    })
    .map(parts => build({ ...parts, from: from.replace('(SELECT * EXCEPT FROM t)', INNER) }))
})

interface Parts {
  readonly shape: string
  readonly from: string
  readonly items: readonly string[]
  readonly keys: readonly string[]
  readonly aggregates: readonly string[]
  readonly where: string | null
  readonly having: string | null
  readonly order: readonly string[] | null
  readonly limit: string | null
}

function build(parts: Parts): GeneratedQuery {
  const { shape, from, items, keys, aggregates } = parts
  const where = parts.where === null ? '' : ` WHERE ${parts.where}`
  const having = parts.having === null ? '' : ` HAVING ${parts.having}`
  const named = (list: readonly string[], prefix: string) => list.map((item, i) => `${item} AS ${prefix}${i}`)
  const columns = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
  const cells = [...named(keys, 'g'), ...named(aggregates, 'a')]
  const grouped = `SELECT ${cells.join(', ')} FROM ${from}${where}`
  const finish = (body: string, width: number): GeneratedQuery => {
    const sql = from.includes('FROM v') ? WITH + body : body
    if (parts.order === null) return { sql, ordered: false }
    const order = columns(width).map(i => `${i}${parts.order![i] ?? ''}`)
    return { sql: `${sql} ORDER BY ${order.join(', ')} ${parts.limit ?? ''}`.trimEnd(), ordered: true }
  }
  switch (shape) {
    case 'rows':
      return finish(`SELECT ${named(items, 'c').join(', ')} FROM ${from}${where}`, items.length)
    case 'distinct':
      return finish(`SELECT DISTINCT ${named(keys, 'c').join(', ')} FROM ${from}${where}`, keys.length)
    case 'groups':
      return finish(`${grouped} GROUP BY ${columns(keys.length).join(', ')}${having}`, cells.length)
    case 'all':
      return finish(`${grouped} GROUP BY ALL${having}`, cells.length)
    case 'total':
      return finish(`SELECT ${named(aggregates, 'a').join(', ')} FROM ${from}${where}`, aggregates.length)
    case 'union': {
      const select = `SELECT ${named(keys, 'c').join(', ')} FROM ${from}`
      return finish(`${select}${where} UNION ${keys.length % 2 === 0 ? 'ALL ' : ''}${select}`, keys.length)
    }
    default: {
      const inner = `${grouped} GROUP BY ${columns(keys.length).join(', ')}`
      return finish(`SELECT q.g0 AS g, q.a0 AS a, count(*) AS n FROM (${inner}) AS q GROUP BY q.g0, q.a0`, 3)
    }
  }
}

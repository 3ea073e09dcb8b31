import { arrowTypeOf } from '@sluice/core/columns'
import { type Column, columnOfVector, dataOfColumn, definitionOf, Rule } from '@sluice/core/desensitize'
import { decodePlan, encodePlan, maskedColumn, type ScalarType } from '@sluice/core/plan'
import { Gate, lookupName, quoteText } from '@sluice/sandbox/sql'
import { makeVector, vectorFromArray } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BareEngine, openBareEngine } from './bare-engine.js'

/** What the scan hands on is what core/desensitize makes of the same values, one for one. */
const TEXT: ScalarType = { kind: 'text' }
const TABLE = 'a7'.repeat(32)
const NUMBERS: Record<string, ScalarType> = {
  tiny: { kind: 'integer', bits: 8, signed: true },
  unsigned: { kind: 'integer', bits: 8, signed: false },
  integer: { kind: 'integer', bits: 32, signed: true },
  long: { kind: 'integer', bits: 64, signed: true },
  huge: { kind: 'integer', bits: 64, signed: false },
  cents: { kind: 'decimal', precision: 9, scale: 2 },
  fine: { kind: 'decimal', precision: 18, scale: 6 },
  whole: { kind: 'decimal', precision: 18, scale: 0 },
  single: { kind: 'float', bits: 32 },
  double: { kind: 'float', bits: 64 },
}

let gate: Gate
beforeAll(async () => {
  gate = await Gate.start()
})
afterAll(() => gate.close())

const random = (() => {
  let state = 11
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
})()

const SEEDS =
  '13800138000 110101190001010015 11010119000101001X 110101900101001 0571-88888888 01066666666 6222020000000000 4000000000000000002 zhang.san@example.com a.b@x-1.co.uk 浙A12345 京AD12345 粤Z1234港 91330106MA00000000 E12345678 EA1234567 张三 欧阳修文 阿卜杜·热西提 𠮷田 浙江省杭州市西湖区文三路1号 北京市朝阳区建国路1号 四川省阿坝藏族羌族自治州汶川县某处 浙江省文三路城市花园3幢 2024-05-17 20240517 2023-02-29 330106 330106001002 *** a@b x·y'.split(
    ' ',
  )
const DAMAGE = [
  ...'１*x -@·𠮷\u0301\u200b\n0张🇨é_\ufe0f\u3099',
  '👨‍👩‍👧',
  '🇨🇳',
  '\r\n',
  '\u2028',
  '葛\u{e0101}',
  '한',
  '\u1112\u1161',
]

function texts(count: number): (string | null)[] {
  return Array.from({ length: count }, (_, i) => {
    if (i % 50 === 0) return i % 100 === 0 ? null : ''
    let value = SEEDS[random(SEEDS.length)]!
    for (let times = random(4); times > 0; times--) {
      const at = random(value.length + 1)
      value =
        value.slice(0, at) +
        (random(3) > 0 ? DAMAGE[random(DAMAGE.length)]! : '') +
        value.slice(at + random(2))
    }
    return value.toWellFormed()
  })
}

const TEXT_RULES: object[] = [
  ...[
    'name',
    'identity-number',
    'mobile',
    'landline',
    'bank-card',
    'email',
    'plate',
    'credit-code',
    'passport',
  ].map(preset => ({ kind: 'preset', preset })),
  ...['province', 'city', 'district'].map(level => ({ kind: 'preset', preset: 'address', level })),
  { kind: 'mask', keep: { first: 1 } },
  { kind: 'mask', keep: { last: 2 }, with: '×' },
  { kind: 'mask', keep: { first: 2, last: 1 }, width: 3 },
  { kind: 'mask', hide: { first: 1 } },
  { kind: 'mask', hide: { first: 2, last: 2 } },
  { kind: 'mask', hide: { last: 1 }, width: 2 },
  { kind: 'mask', hide: { last: 1 }, least: 10 },
  { kind: 'mask', hide: { from: 2, to: 4 }, least: 50 },
  { kind: 'mask', hide: { from: 2, to: 3 } },
  { kind: 'mask', hide: { from: 1, to: 2 }, width: 1 },
  { kind: 'mask', keep: { from: 2, to: 4 } },
  { kind: 'mask', keep: { from: 1, to: 2 }, width: 4 },
  { kind: 'mask', keep: { before: '@' } },
  { kind: 'mask', hide: { before: '@' }, width: 3 },
  { kind: 'mask', keep: { after: '·' } },
  { kind: 'mask', hide: { after: '-' } },
  { kind: 'date-part', to: 'month' },
  { kind: 'date-part', to: 'quarter' },
  { kind: 'date-part', to: 'year' },
  { kind: 'division', to: 'province' },
  { kind: 'division', to: 'county' },
  { kind: 'constant', value: "it's 数闸" },
  { kind: 'nullify' },
  { kind: 'replace', values: { 张三: "o'x", '': 'empty', '13800138000': '13800138000' } },
]

const NUMBER_RULES: object[] = [
  { kind: 'band', width: 10 },
  { kind: 'band', width: 7, from: 3 },
  { kind: 'band', edges: [-20, 0, 18, 60] },
  { kind: 'round', to: 5 },
  { kind: 'round', to: 100 },
  { kind: 'limit', bottom: -10, top: 90 },
  { kind: 'limit', top: 50 },
  { kind: 'nullify' },
]

describe('on texts', () => {
  let engine: BareEngine
  const values = texts(20_000)
  const column = columnOfVector(vectorFromArray(values, arrowTypeOf(TEXT)))
  beforeAll(async () => {
    engine = await loaded(TEXT, values, value => value as string)
  })
  afterAll(() => engine.close())

  it.each(TEXT_RULES)('%o', async rule => {
    const changed = await compare(engine, rule, column)
    if ((rule as { kind: string }).kind !== 'nullify') expect(changed).toBeGreaterThan(5)
  })

  it.each([
    { kind: 'replace', table: 't.csv' },
    { kind: 'hierarchy', table: 't.csv', level: 1 },
    { kind: 'hierarchy', table: 't.csv', level: 3 },
  ])('%o, of a registered table', async rule => {
    const known = [...new Set(values.filter(value => value !== null))].filter((_, i) => i % 3 !== 0)
    const table = new Map(known.map((value, i) => [value, [`${value}′`, i % 2 === 0 ? value : 'b', '']]))
    await engine.connection.run(`CREATE SCHEMA IF NOT EXISTS "zone"."tables"`)
    await engine.connection.run(
      `CREATE OR REPLACE TABLE ${lookupName(TABLE)} (c0 VARCHAR, c1 VARCHAR, c2 VARCHAR, c3 VARCHAR)`,
    )
    const rows = [...table].map(([from, to]) => `(${[from, ...to].map(quoteText).join(', ')})`)
    await engine.connection.run(`INSERT INTO ${lookupName(TABLE)} VALUES ${rows.join(',')}`)
    expect(await compare(engine, rule, column, table)).toBeGreaterThan(100)
  })

  it('characters are the same, for every one that fits alone and between others', async () => {
    const points = Array.from({ length: 0x323b0 }, (_, p) => p).filter(
      p => p > 0 && (p < 0xd800 || p > 0xdfff),
    )
    const every = points.map(p => `a${String.fromCodePoint(p)}张b`)
    const other = await loaded(TEXT, every, value => value as string)
    try {
      const all = columnOfVector(vectorFromArray(every, arrowTypeOf(TEXT)))
      expect(
        await compare(other, { kind: 'mask', keep: { first: 2, last: 1 }, least: 20 }, all),
      ).toBeGreaterThan(90_000)
    } finally {
      other.close()
    }
  })
})

describe.each(Object.entries(NUMBERS))('on numbers: %s', (_, type) => {
  let engine: BareEngine
  const values = numbers(type, 2000)
  const column = columnOfVector(vectorFromArray(values, arrowTypeOf(type)))
  beforeAll(async () => {
    engine = await loaded(type, values, value => written(value, type))
  })
  afterAll(() => engine.close())

  it.each(NUMBER_RULES)('%o', async rule => {
    const parsed = Rule.parse(rule)
    try {
      definitionOf(parsed).resultType(parsed, type)
    } catch {
      // a bound that the type cannot hold: refused before any scan
      return
    }
    await compare(engine, rule, column)
  })
})

describe('on dates', () => {
  it.each(['date', 'timestamp'] as const)('%s', async kind => {
    const moments = Array.from({ length: 3000 }, (_, i) =>
      i % 40 === 0
        ? null
        : Math.floor((random(2 ** 31) / 2 ** 31) * 3.5e14 - (kind === 'date' ? 1e14 : 6e13)),
    )
    const days = moments.map(moment =>
      moment === null ? null : Math.floor(moment / 86_400_000) * 86_400_000,
    )
    const values = kind === 'date' ? days.map(day => (day === null ? null : new Date(day))) : moments
    const text = (value: unknown) => {
      const iso = new Date(value as number).toISOString()
      const [, year, rest] = /^([+-]?\d+)(-.*)$/.exec(iso)!
      const number = Number(year)
      const shown = String(number > 0 ? number : 1 - number).padStart(4, '0')
      return `${shown}${kind === 'date' ? rest!.slice(0, 6) : rest!.slice(0, -1).replace('T', ' ')}${number > 0 ? '' : ' (BC)'}`
    }
    const engine = await loaded({ kind }, kind === 'date' ? days : moments, text)
    try {
      const column = columnOfVector(vectorFromArray(values, arrowTypeOf({ kind })))
      for (const to of ['month', 'quarter', 'year']) {
        expect(await compare(engine, { kind: 'date-part', to }, column)).toBeGreaterThan(1000)
      }
    } finally {
      engine.close()
    }
  })
})

describe('a masked column', () => {
  const catalogue = [
    {
      name: 't',
      columns: [
        { name: 'id', type: NUMBERS['integer']! },
        maskedColumn({ name: 'v', type: TEXT }, { kind: 'preset', preset: 'mobile' }),
        maskedColumn({ name: 'n', type: NUMBERS['integer']! }, { kind: 'band', edges: [18] }),
      ],
    },
  ]

  it('is masked before a filter, a join, a group or a sort sees it', async () => {
    const engine = await openBareEngine([
      {
        name: 't',
        columns: catalogue[0]!.columns.map(({ name, mask, type }) => ({ name, type: mask?.from ?? type })),
      },
    ])
    try {
      await engine.connection.run(
        "INSERT INTO \"zone\".\"main\".\"t\" VALUES (1, '13800138000', 20), (2, '13900139000', 5), (3, '13811118000', 30), (4, 'x', 1)",
      )
      const run = async (sql: string) => {
        const { emitted, plan } = await gate.compile({ sql, catalogue })
        expect(decodePlan(encodePlan(plan))).toEqual(plan)
        return (await engine.connection.runAndReadAll(emitted)).getRowsJson()
      }
      expect(await run("SELECT id FROM t WHERE v = '13800138000'")).toEqual([])
      expect(await run("SELECT id FROM t WHERE v = '138****8000' ORDER BY id")).toEqual([[1], [3]])
      expect(await run("SELECT id FROM t WHERE v LIKE '%0013%'")).toEqual([])
      expect(await run('SELECT v, count(*) AS c FROM t GROUP BY v ORDER BY v NULLS LAST')).toEqual([
        ['138****8000', '2'],
        ['139****9000', '1'],
        [null, '1'],
      ])
      expect(
        await run('SELECT a.id, b.id AS other FROM t AS a JOIN t AS b ON a.v = b.v WHERE a.id < b.id'),
      ).toEqual([[1, 3]])
      expect(
        await run("SELECT v, id FROM (SELECT id, v, n FROM t) AS q WHERE n = '>=18' ORDER BY v, id"),
      ).toEqual([
        ['138****8000', 1],
        ['138****8000', 3],
      ])
      expect(await run('SELECT min_v FROM (SELECT lower(v) AS min_v, id FROM t) AS q WHERE id = 4')).toEqual([
        [null],
      ])
    } finally {
      engine.close()
    }
  })

  it('is bound to the table that it looks values up in', async () => {
    const rule = { kind: 'hierarchy', table: 't.csv', level: 2 } as const
    const columns = [maskedColumn({ name: 'v', type: TEXT }, rule, { 't.csv': TABLE })]
    const { plan, emitted } = await gate.compile({
      sql: 'SELECT a.v FROM t AS a JOIN t AS b ON a.v = b.v',
      catalogue: [{ name: 't', columns }],
    })
    expect(emitted.split(lookupName(TABLE))).toHaveLength(3)
    const { planDigest, printPlan } = await import('@sluice/core/plan')
    expect(printPlan(plan)).toContain(`"level":2} of the registered table ${TABLE.slice(0, 16)}…`)
    const text = new TextDecoder().decode(encodePlan(plan))
    expect(planDigest(decodePlan(text.replace(TABLE, 'b8'.repeat(32))))).not.toBe(planDigest(plan))
    for (const [from, to] of [
      [`,"table":"${TABLE}"`, ''],
      [TABLE, 'b8'],
      ['"kind":"hierarchy","level":2', '"kind":"hierarchy","level":17'],
    ] as const) {
      expect(text).toContain(from)
      await expect(() => decodePlan(text.replace(from, to))).toThrowWithCode('SCHEMA_INVALID')
    }
    await expect(() => maskedColumn({ name: 'v', type: TEXT }, rule, {})).toThrowWithCode('FILE_MISSING')
  })

  it('has the type that the rule makes of it', async () => {
    await expect(gate.compile({ sql: 'SELECT sum(n) AS s FROM t', catalogue })).toThrowWithCode('SQL_REFUSED')
  })

  it('stands in the plan, in its digest and in what approvers read', async () => {
    const { plan, emitted } = await gate.compile({ sql: 'SELECT v FROM t', catalogue })
    const { printPlan, planDigest, validatePlan } = await import('@sluice/core/plan')
    expect(printPlan(plan)).toContain('v masked by {"kind":"preset","preset":"mobile"}')
    expect(emitted).toContain('regexp_full_match')
    const json = JSON.parse(new TextDecoder().decode(encodePlan(plan)))
    expect(json.root.input?.columns ?? json.root.columns).toHaveLength(1)
    const other = JSON.parse(JSON.stringify(json).replace('"mobile"', '"landline"'))
    expect(planDigest(decodePlan(other))).not.toBe(planDigest(plan))
    for (const [from, to] of [
      ['"mobile"', '"mobiles"'],
      ['"preset":"mobile"', '"preset":"mobile","more":1'],
      ['"kind":"preset"', '"kind":"token"'],
    ] as const) {
      await expect(() => decodePlan(JSON.parse(JSON.stringify(json).replace(from, to)))).toThrowWithCode(
        'SCHEMA_INVALID',
      )
    }
    const wrong = JSON.parse(JSON.stringify(json).replace('"from":{"kind":"text"}', '"from":{"kind":"date"}'))
    await expect(() => validatePlan(wrong)).toThrowWithCode('SCHEMA_INVALID')
  })
})

async function loaded(
  type: ScalarType,
  values: readonly unknown[],
  write: (value: unknown) => string,
): Promise<BareEngine> {
  const engine = await openBareEngine([
    {
      name: 't',
      columns: [
        { name: 'id', type: NUMBERS['integer']! },
        { name: 'v', type },
      ],
    },
  ])
  await engine.connection.run('CREATE TABLE staged (id INTEGER, v VARCHAR)')
  const appender = await engine.connection.createAppender('staged')
  for (const [id, value] of values.entries()) {
    appender.appendInteger(id)
    if (value === null) appender.appendNull()
    else appender.appendVarchar(write(value))
    appender.endRow()
  }
  appender.closeSync()
  const { sqlType } = await import('@sluice/sandbox/sql')
  await engine.connection.run(
    `INSERT INTO "zone"."main"."t" SELECT id, CAST(v AS ${sqlType(type)}) FROM staged ORDER BY id`,
  )
  return engine
}

/** @returns how many values the rule changed */
async function compare(
  engine: BareEngine,
  rule: object,
  column: Column,
  table: ReadonlyMap<string, readonly string[]> = new Map(),
): Promise<number> {
  const parsed = Rule.parse(rule)
  const catalogue = [
    {
      name: 't',
      columns: [
        { name: 'id', type: NUMBERS['integer']! },
        maskedColumn({ name: 'v', type: column.type }, parsed, { 't.csv': TABLE }),
      ],
    },
  ]
  expect(catalogue[0]!.columns[1]).toHaveProperty('mask')
  const { emitted } = await gate.compile({ sql: 'SELECT v FROM t ORDER BY id', catalogue })
  const reader = await engine.connection.runAndReadAll(emitted)
  const theirs = reader.getColumnsJson()[0]!
  const apply = await definitionOf(parsed).bind(parsed, {
    dataset: 't',
    column: 'v',
    type: column.type,
    key: () => new Uint8Array(),
    table: () => table,
    random: size => new Uint8Array(size),
  })
  const { column: after, changed } = apply(column, { row: 0, entity: null })
  const ours = [...makeVector(dataOfColumn(after))]
  expect(theirs.length).toBe(column.length)
  for (let i = 0; i < ours.length; i++) {
    const a = shown(ours[i], after.type)
    const b = theirs[i] === null ? null : normalized(String(theirs[i]), after.type)
    if (a !== b) expect.fail(`${JSON.stringify(rule)} at ${i}: core ${a}, SQL ${b}`)
  }
  return changed
}

/** As DuckDB's JSON rows show a value. */
function shown(value: unknown, type: ScalarType): string | null {
  if (value === null) return null
  switch (type.kind) {
    case 'date':
      return String(value)
    case 'timestamp':
      return String(value)
    case 'decimal':
      return written(value, type)
    case 'float':
      return String(Number(value) + 0)
    default:
      return String(value)
  }
}

function normalized(text: string, type: ScalarType): string {
  if (type.kind === 'float') return String((type.bits === 32 ? Math.fround(Number(text)) : Number(text)) + 0)
  if (type.kind === 'date') return String(Date.parse(`${text}T00:00:00Z`))
  if (type.kind === 'timestamp') return String(Date.parse(`${text.replace(' ', 'T')}Z`))
  return text
}

function numbers(type: ScalarType, count: number): unknown[] {
  return Array.from({ length: count }, (_, i) => {
    if (i % 30 === 0) return null
    const small = random(400) - 200
    switch (type.kind) {
      case 'integer': {
        if (type.bits === 64) {
          const wide =
            BigInt(random(2 ** 31)) * BigInt(random(2 ** 31)) * (random(2) === 0 || !type.signed ? 1n : -1n)
          const edge = type.signed
            ? [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]
            : [2n ** 64n - 1n, 0n, 2n ** 53n + 1n]
          return i % 7 === 0
            ? edge[i % 3]
            : i % 2 === 0
              ? wide
              : BigInt(type.signed ? small : Math.abs(small))
        }
        const [least, most] = type.signed
          ? [-(2 ** (type.bits - 1)), 2 ** (type.bits - 1) - 1]
          : [0, 2 ** type.bits - 1]
        return i % 7 === 0 ? [least, most][i % 2] : Math.min(most!, Math.max(least!, small))
      }
      case 'decimal': {
        const digits = 1 + random(type.precision)
        const size = BigInt(random(2 ** 31)) * BigInt(random(2 ** 31))
        const value = (size % 10n ** BigInt(digits)) * (random(2) === 0 ? 1n : -1n)
        return words(i % 9 === 0 ? 10n ** BigInt(type.precision) - 1n : value)
      }
      default: {
        const value =
          i % 11 === 0 ? [Number.NaN, Infinity, -Infinity, 1e38, -0][i % 5]! : small / (1 + random(8))
        return type.kind === 'float' && type.bits === 32 ? Math.fround(value) : value
      }
    }
  })
}

function words(value: bigint): Uint32Array {
  const unsigned = BigInt.asUintN(128, value)
  return Uint32Array.from([0n, 32n, 64n, 96n].map(shift => Number((unsigned >> shift) & 0xffffffffn)))
}

function written(value: unknown, type: ScalarType): string {
  if (type.kind !== 'decimal') return String(value)
  const all = [...(value as Uint32Array)].reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
  const number = BigInt.asIntN(128, all)
  const digits = (number < 0n ? -number : number).toString().padStart(type.scale + 1, '0')
  const sign = number < 0n ? '-' : ''
  return type.scale === 0
    ? `${sign}${digits}`
    : `${sign}${digits.slice(0, -type.scale)}.${digits.slice(-type.scale)}`
}

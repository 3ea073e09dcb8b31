import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { type ChildPool, createEnginePool } from '@sluice/sandbox/duckdb'
import { type RegisteredFile, registerFile } from '@sluice/sandbox/io'
import {
  Bool,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  Field,
  Float16,
  Float32,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMillisecond,
  TimestampNanosecond,
  tableFromArrays,
  tableToIPC,
  Uint8,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder: string
let pool: ChildPool
let engine: DuckDBInstance
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-register-'))
  pool = createEnginePool({
    stagingRoot: join(folder, 'staging'),
    minimum: 'process',
    warm: 1,
    memoryBytes: 2 ** 31,
  })
  engine = await DuckDBInstance.create(':memory:')
})
afterAll(async () => {
  await pool.close()
  engine.closeSync()
  await rm(folder, { recursive: true, force: true })
})

type Options = Partial<Parameters<typeof registerFile>[0]>

function register(from: string, options: Options = {}): Promise<RegisteredFile> {
  return registerFile({
    pool,
    from,
    directory: join(folder, 'data'),
    entity: { kind: 'row' },
    grade: '1',
    ...options,
  })
}

let files = 0
async function source(content: string | Uint8Array): Promise<string> {
  const file = join(folder, `source-${++files}`)
  await writeFile(file, content)
  return file
}

async function parquet(sql: string): Promise<string> {
  const file = join(folder, `source-${++files}`)
  await query(`COPY (${sql}) TO '${file}' (FORMAT parquet)`)
  return file
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await engine.connect()
  try {
    return await (await connection.run(sql)).getRowObjectsJS()
  } finally {
    connection.closeSync()
  }
}

const rowsOf = ({ path }: RegisteredFile, columns = '*') =>
  query(`SELECT ${columns} FROM read_parquet('${path}')`)
const typesOf = ({ columns }: RegisteredFile) =>
  Object.fromEntries(
    columns.map(({ name, type }) => [name, `${type.kind}${'bits' in type ? type.bits : ''}`]),
  )

describe('a CSV file', () => {
  it('has its types found over all rows', async () => {
    const lines = ['n,x,code,day,at,clock,yes,name,empty,late']
    for (let i = 0; i < 12_000; i++) {
      lines.push(
        `${i},${i / 4},0${i % 10},2024-02-${10 + (i % 9)},2024-02-03 10:20:30.5,10:20:30,${i % 2 === 0},"a, ""b""",,${i}`,
      )
    }
    // what the last row says counts as much as the first
    lines.push('-5,1e3,07,2024-02-29,2024-02-03T10:20:30,23:59:59,FALSE,名字,,x')
    const file = await register(await source(`\ufeff${lines.join('\r\n')}\r\n`))
    expect(file).toMatchObject({ format: 'csv', rows: 12_001, entity: null })
    expect(typesOf(file)).toEqual({
      n: 'integer64',
      x: 'float64',
      code: 'text',
      day: 'date',
      at: 'timestamp',
      clock: 'time',
      yes: 'boolean',
      name: 'text',
      empty: 'text',
      late: 'text',
    })
    const rows = await rowsOf(
      file,
      'n, x, code, "day"::VARCHAR AS day, "at"::VARCHAR AS "at", name, "empty", late',
    )
    expect(rows[1]).toEqual({
      n: 1n,
      x: 0.25,
      code: '01',
      day: '2024-02-11',
      at: '2024-02-03 10:20:30.5',
      name: 'a, "b"',
      empty: null,
      late: '1',
    })
    expect(rows.at(-1)).toMatchObject({ n: -5n, x: 1000, name: '名字', late: 'x' })
  })

  it('keeps numbers whole that a double would not', async () => {
    const file = await register(await source('id,big\n110101199003070731,9223372036854775807\n1,-1\n'))
    expect(typesOf(file)).toEqual({ id: 'integer64', big: 'integer64' })
    expect(await rowsOf(file)).toEqual([
      { id: 110101199003070731n, big: 9223372036854775807n },
      { id: 1n, big: -1n },
    ])
    expect(typesOf(await register(await source('id\n11010119900307073X\n1\n')))).toEqual({ id: 'text' })
    expect(typesOf(await register(await source('id\n92233720368547758070\n1\n')))).toEqual({ id: 'float64' })
  })

  it.each([
    [';', 'a;b\n1,5;2\n'],
    ['\t', 'a\tb\n1,5\t2\n'],
    ['|', 'a|b\n1,5|2\n'],
  ])('may be separated by %j', async (_, text) => {
    expect(await rowsOf(await register(await source(text)))).toEqual([{ a: '1,5', b: 2n }])
  })

  it('takes the types that the provider demands, where every value converts', async () => {
    const file = await source('price,code\n12.50,1\n3,2\n')
    const types = { price: { kind: 'decimal', precision: 10, scale: 2 }, code: { kind: 'text' } } as const
    const registered = await register(file, { types })
    expect(registered.columns).toEqual([
      { name: 'price', type: types.price },
      { name: 'code', type: types.code },
    ])
    expect(await rowsOf(registered, 'price::VARCHAR AS price, code')).toEqual([
      { price: '12.50', code: '1' },
      { price: '3.00', code: '2' },
    ])
    await expect(register(file, { types: { price: { kind: 'date' } } })).toThrowWithCode(
      'SCHEMA_INVALID',
      'type-override',
    )
    await expect(register(file, { types: { Price: { kind: 'text' } } })).toThrowWithCode('NAME_UNKNOWN')
  })

  it.each([
    ['a record that is too short', 'a,b\n1,2\n3\n', 'FILE_FORMAT', 'damaged'],
    ['a record that is too long', 'a,b\n1,2\n3,4,5\n', 'FILE_FORMAT', 'damaged'],
    ['a quote that is never closed', 'a,b\n1,"2\n3,4\n', 'FILE_FORMAT', 'damaged'],
    ['a header that is never closed', '"a,b\n1,2\n', 'FILE_FORMAT', 'header'],
    ['two columns of one name', 'a,b,A\n1,2,3\n', 'SCHEMA_INVALID', 'duplicate-column'],
    ['a column without a name', 'a,,c\n1,2,3\n', 'SCHEMA_INVALID', 'name'],
    ['a control character in a name', 'a,b\u202e\n1,2\n', 'SCHEMA_INVALID', 'name'],
    ['a reserved name', 'a,__sluice_entity\n1,2\n', 'SCHEMA_INVALID', 'name'],
    ['a name that the engine needs', 'a,file_row_number\n1,2\n', 'SCHEMA_INVALID', 'name'],
    ['nothing', '', 'FILE_FORMAT', 'format'],
  ])('is refused for %s', async (_, text, code, rule) => {
    await expect(register(await source(text))).toThrowWithCode(code, rule)
  })

  it('says which line is damaged, and nothing of what stands there', async () => {
    const error = await register(await source('a,b\n1,2\nZhang San,3,4\n')).catch(reason => reason)
    expect(error).toMatchObject({ code: 'FILE_FORMAT', position: { line: 3 } })
    expect(JSON.stringify([error, error.message])).not.toContain('Zhang')
  })

  it('is told to be UTF-8', async () => {
    // 姓名 in GBK
    const gbk = Uint8Array.of(0xd0, 0xd5, 0xc3, 0xfb, 0x0a, 0x31, 0x0a)
    await expect(register(await source(gbk))).toThrowWithCode('FILE_FORMAT', 'encoding')
    await expect(
      register(await source(new Uint8Array(Buffer.from('\ufeffa\n1\n', 'utf16le')))),
    ).toThrowWithCode('FILE_FORMAT')
  })
})

describe('a Parquet file', () => {
  it('keeps its types', async () => {
    const file = await register(
      await parquet(`SELECT 1::TINYINT AS a, 2::USMALLINT AS b, 3.25::DECIMAL(9, 2) AS c, 1.5::FLOAT AS d, 'x' AS e,
        DATE '2024-01-02' AS f, TIMESTAMP '2024-01-02 03:04:05.678901' AS g, TRUE AS h, TIME '01:02:03' AS i,
        TIMESTAMPTZ '2024-01-02 08:00:00+08' AS j, 12345678901234567890123456789012345678::DECIMAL(38, 0) AS k`),
    )
    expect(typesOf(file)).toEqual({
      a: 'integer8',
      b: 'integer16',
      c: 'decimal',
      d: 'float32',
      e: 'text',
      f: 'date',
      g: 'timestamp',
      h: 'boolean',
      i: 'time',
      j: 'timestamp',
      k: 'decimal',
    })
    expect(await rowsOf(file, 'c::VARCHAR AS c, g::VARCHAR AS g, j::VARCHAR AS j, k::VARCHAR AS k')).toEqual([
      {
        c: '3.25',
        g: '2024-01-02 03:04:05.678901',
        j: '2024-01-02 00:00:00',
        k: '12345678901234567890123456789012345678',
      },
    ])
  })

  it.each([
    ['a list', '[1, 2]'],
    ['a struct', '{a: 1}'],
    ['bytes', "'x'::BLOB"],
    ['an interval', "INTERVAL '1 day'"],
  ])('is refused for a column of %s, by its name', async (_, value) => {
    const error = await register(await parquet(`SELECT 1 AS fine, ${value} AS nested`)).catch(
      reason => reason,
    )
    expect(error).toMatchObject({ code: 'SCHEMA_INVALID', rule: 'column-type', facts: { column: 'nested' } })
  })

  it('is refused where it is cut off, or damaged inside', async () => {
    const cut = await parquet('SELECT range AS a FROM range(100000)')
    await truncate(cut, (await stat(cut)).size - 20)
    await expect(register(cut)).toThrowWithCode('FILE_FORMAT', 'truncated')
    const damaged = await parquet('SELECT range AS a FROM range(100000)')
    const bytes = await readFile(damaged)
    bytes.fill(0xff, bytes.length - 200, bytes.length - 8)
    await expect(register(await source(bytes))).toThrowWithCode('FILE_FORMAT', 'damaged')
    await expect(register(await source('PAR1PAR1'))).toThrowWithCode('FILE_FORMAT')
  })
})

describe('an Arrow file', () => {
  const table = () => {
    const columns = {
      a: vectorFromArray([1, null, 3], new Int32()),
      b: vectorFromArray([1n, 2n, null], new Int64()),
      c: vectorFromArray(['x', null, 'a longer text, 名字'], new Utf8()),
      d: vectorFromArray(['k', 'k', null], new Dictionary(new Utf8(), new Int32())),
      e: vectorFromArray([true, false, null], new Bool()),
      f: vectorFromArray([1.5, null, -2], new Float32()),
      g: vectorFromArray([new Date('2024-01-02'), null, new Date('1969-12-31')], new DateDay()),
      h: vectorFromArray([new Date('2024-01-02'), null, new Date('1969-12-31')], new DateMillisecond()),
      i: vectorFromArray([1_704_164_645_678, null, -1], new TimestampMillisecond()),
      j: vectorFromArray([1, 2, 255], new Uint8()),
    }
    return new Table(columns)
  }
  const expected = [
    {
      a: 1,
      b: 1n,
      c: 'x',
      d: 'k',
      e: true,
      f: 1.5,
      g: '2024-01-02',
      h: '2024-01-02',
      i: '2024-01-02 03:04:05.678',
      j: 1,
    },
    { a: null, b: 2n, c: null, d: 'k', e: false, f: null, g: null, h: null, i: null, j: 2 },
    {
      a: 3,
      b: null,
      c: 'a longer text, 名字',
      d: null,
      e: null,
      f: -2,
      g: '1969-12-31',
      h: '1969-12-31',
      i: '1969-12-31 23:59:59.999',
      j: 255,
    },
  ]

  it.each(['file', 'stream'] as const)('is read as a %s', async kind => {
    const file = await register(await source(tableToIPC(table(), kind)))
    expect(file).toMatchObject({ format: 'arrow', rows: 3 })
    const columns = 'a, b, c, d, e, f, g::VARCHAR AS g, h::VARCHAR AS h, i::VARCHAR AS i, j'
    expect(await rowsOf(file, columns)).toEqual(expected)
  })

  it('is read batch by batch, past a vector’s size', async () => {
    const count = 5000
    const long = tableFromArrays({
      n: Int32Array.from({ length: count }, (_, row) => row),
      s: Array.from({ length: count }, (_, row) => (row % 3 === 0 ? null : `value ${row}`)),
    })
    const twice = new Table([...long.batches, ...long.batches])
    const file = await register(await source(tableToIPC(twice, 'stream')))
    expect(file.rows).toBe(2 * count)
    const [sums] = await query(
      `SELECT sum(n)::BIGINT AS n, count(s) AS s, count(DISTINCT s) AS d, bool_and(s IS NULL OR s = 'value ' || n) AS same FROM read_parquet('${file.path}')`,
    )
    const texts = Array.from({ length: count }, (_, row) => row).filter(row => row % 3 !== 0).length
    expect(sums).toEqual({
      n: BigInt(count * (count - 1)),
      s: BigInt(2 * texts),
      d: BigInt(texts),
      same: true,
    })
  })

  it('keeps decimals of every width, and rounds nanoseconds down', async () => {
    for (const precision of [4, 9, 18, 38]) {
      const words = new Uint32Array(8)
      words[0] = 1234
      words.fill(0xffffffff, 4)
      words[4] = 0xffffffff - 1233
      const type = new Decimal(2, precision, 128)
      const data = makeData({ type, length: 2, nullCount: 0, data: words })
      const nanoseconds = makeData({
        type: new TimestampNanosecond(),
        length: 2,
        nullCount: 0,
        data: BigInt64Array.of(-1n, 1_001n),
      })
      const fields = [new Field('d', type, true), new Field('t', new TimestampNanosecond(), true)]
      const struct = makeData({
        type: new Struct(fields),
        length: 2,
        nullCount: 0,
        children: [data, nanoseconds],
      })
      const schema = new Schema(fields)
      const arrow = new Table(schema, new RecordBatch(schema, struct))
      const file = await register(await source(tableToIPC(arrow, 'file')))
      expect(file.columns[0]?.type).toEqual({ kind: 'decimal', precision, scale: 2 })
      expect(await rowsOf(file, 'd::VARCHAR AS d, t::VARCHAR AS t')).toEqual([
        { d: '12.34', t: '1969-12-31 23:59:59.999999' },
        { d: '-12.34', t: '1970-01-01 00:00:00.000001' },
      ])
    }
  })

  it('is refused for a doubled name, a type without counterpart, and what is cut off', async () => {
    const doubled = new Schema([new Field('a', new Int32()), new Field('A', new Int32())])
    const children = [vectorFromArray([1], new Int32()).data[0]!, vectorFromArray([2], new Int32()).data[0]!]
    const struct = makeData({ type: new Struct(doubled.fields), length: 1, nullCount: 0, children })
    const twice = new Table(doubled, new RecordBatch(doubled, struct))
    await expect(register(await source(tableToIPC(twice)))).toThrowWithCode(
      'SCHEMA_INVALID',
      'duplicate-column',
    )

    const lists = new Table({ l: vectorFromArray([[1], [2]], new List(new Field('x', new Int32()))) })
    const error = await register(await source(tableToIPC(lists))).catch(reason => reason)
    expect(error).toMatchObject({ code: 'SCHEMA_INVALID', rule: 'column-type', facts: { column: 'l' } })
    const halves = new Table({ h: vectorFromArray([1], new Float16()) })
    await expect(register(await source(tableToIPC(halves)))).toThrowWithCode('SCHEMA_INVALID', 'column-type')

    const whole = tableToIPC(table(), 'file')
    await expect(register(await source(whole.subarray(0, whole.length - 10)))).toThrowWithCode(
      'FILE_FORMAT',
      'truncated',
    )
    const stream = tableToIPC(table(), 'stream')
    await expect(register(await source(stream.subarray(0, stream.length >> 1)))).toThrowWithCode(
      'FILE_FORMAT',
    )
  })
})

describe('registration', () => {
  it('writes dense codes and even buckets of the entities, which tell nothing of them', async () => {
    const from = await parquet(
      `SELECT CASE WHEN i % 10 = 0 THEN NULL ELSE 'p' || i % 200 END AS person, i AS n FROM range(5000) t(i)`,
    )
    const entity = { kind: 'column', column: 'person' } as const
    const [one, two] = [await register(from, { entity }), await register(from, { entity })]
    expect(one.entity).toEqual({ column: 'person', count: 180 })
    expect(one.columns.map(({ name }) => name)).toEqual(['person', 'n'])
    const [codes] = await query(`
      SELECT count(DISTINCT __sluice_entity) AS codes, min(__sluice_entity) AS least, max(__sluice_entity) AS most,
        count(DISTINCT (person, __sluice_entity)) AS pairs,
        count(*) FILTER (WHERE (person IS NULL) <> (__sluice_entity IS NULL)) AS nobody,
        count(*) FILTER (WHERE __sluice_bucket IS DISTINCT FROM __sluice_entity % 64) AS strays
      FROM read_parquet('${one.path}')`)
    expect(codes).toEqual({ codes: 180n, least: 0, most: 179, pairs: 181n, nobody: 0n, strays: 0n })
    // another random key gives other codes
    const [same] = await query(
      `SELECT count(*) AS n FROM read_parquet('${one.path}') a JOIN read_parquet('${two.path}') b USING (n) WHERE a.__sluice_entity = b.__sluice_entity`,
    )
    expect(Number(same?.['n'])).toBeLessThan(1000)
    const key = (length: number) => new Uint8Array(length).fill(7)
    const fixed = await register(from, { entity, random: key })
    expect(fixed.file).toBe(`${'07'.repeat(16)}.parquet`)
  })

  it('finds which keys are unique', async () => {
    const from = await parquet(
      `SELECT i AS id, i % 10 AS a, i // 10 AS b, CASE WHEN i = 3 THEN NULL ELSE i END AS holes FROM range(100) t(i)`,
    )
    const keyCandidates = [['id'], ['a'], ['a', 'b'], ['holes']]
    expect((await register(from, { keyCandidates })).uniqueKeys).toEqual([['id'], ['a', 'b']])
    await expect(register(from, { keyCandidates: [['missing']] })).toThrowWithCode('NAME_UNKNOWN')
    await expect(register(from, { entity: { kind: 'column', column: 'ID' } })).toThrowWithCode('NAME_UNKNOWN')
  })

  it('seals the file: private, under a random name, with the digest of its bytes', async () => {
    const file = await register(await source('a\n1\n'))
    expect(file.file).toMatch(/^[0-9a-f]{32}\.parquet$/)
    expect((await stat(file.path)).mode & 0o777).toBe(0o600)
    const bytes = await readFile(file.path)
    expect(file.fingerprint).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(file.bytes).toBe(bytes.length)
    expect(await readdir(join(folder, 'staging'))).toHaveLength(1)
  })

  it('leaves nothing of a file that it refuses', async () => {
    const before = await readdir(join(folder, 'data'))
    await expect(register(await source('a,a\n1,2\n'))).toThrowWithCode('SCHEMA_INVALID')
    expect(await readdir(join(folder, 'data'))).toEqual(before)
  })

  it.each([
    ['no file', async () => join(folder, 'nothing'), {}, 'FILE_MISSING'],
    ['a directory', async () => folder, {}, 'FILE_FORMAT'],
    ['too many bytes', () => source('a\n1\n'), { limits: { bytes: 3 } }, 'FILE_TOO_LARGE'],
    ['too many rows', () => source('a\n1\n2\n3\n'), { limits: { rows: 2 } }, 'FILE_TOO_LARGE'],
    ['a ZIP archive', () => source(Uint8Array.of(0x50, 0x4b, 3, 4, 0)), {}, 'FILE_FORMAT'],
    ['bytes', () => source(Uint8Array.of(1, 0, 2)), {}, 'FILE_FORMAT'],
    ['an abort', () => source('a\n1\n'), { signal: AbortSignal.abort() }, 'INTERRUPTED'],
    [
      'too little time',
      () => source(`a\n${'1\n'.repeat(100_000)}`),
      { limits: { milliseconds: 1 } },
      'TIME_EXCEEDED',
    ],
    [
      'data too grave for the isolation',
      () => source('a\n1\n'),
      { grade: '4', pool: undefined },
      'ISOLATION_MISSING',
    ],
  ] as const)('refuses %s', async (what, from, options, code) => {
    const bare = createEnginePool({ stagingRoot: join(folder, 'bare'), mode: 'process', warm: 0 })
    const given = what === 'data too grave for the isolation' ? { ...options, pool: bare } : options
    await expect(register(await from(), given as Options)).toThrowWithCode(code)
    await bare.close()
  })

  it('follows a link to the file, and says so little of one that it may not read', async () => {
    const file = await source('a\n1\n')
    const link = join(folder, 'link')
    await symlink(file, link)
    expect((await register(link)).rows).toBe(1)
    if (process.getuid?.() === 0) return
    await chmod(file, 0)
    await expect(register(file)).toThrowWithCode('FILE_MISSING')
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { cellJson, csvText, encodeTable } from '@sluice/sandbox/io'
import {
  Bool,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimeMicrosecond,
  TimestampMicrosecond,
  tableFromIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { afterAll, beforeAll, expect, it } from 'vitest'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-write-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** −1.23 and 12345678901234567890.05 as Arrow's little-endian words, scale 2 */
const decimals = makeData({
  type: new Decimal(2, 38, 128),
  length: 2,
  data: words(-123n, 1234567890123456789005n),
})
const micros = BigInt64Array.of(981173106123456n, -1n)

function words(...values: bigint[]): Uint32Array {
  return Uint32Array.from(
    values.flatMap(value => [0n, 32n, 64n, 96n].map(shift => Number((value >> shift) & 0xffffffffn))),
  )
}

function table(columns: Record<string, ReturnType<typeof makeData>>): Table {
  const children = Object.values(columns)
  const schema = new Schema(Object.entries(columns).map(([name, { type }]) => new Field(name, type, true)))
  const data = makeData({
    type: new Struct(schema.fields),
    length: children[0]!.length,
    nullCount: 0,
    children,
  })
  return new Table(schema, new RecordBatch(schema, data))
}

const everything = table({
  whole: vectorFromArray([1, null], new Int32()).data[0]!,
  large: vectorFromArray([9007199254740993n, -5n], new Int64()).data[0]!,
  money: decimals,
  ratio: vectorFromArray([0.1, null], new Float64()).data[0]!,
  yes: vectorFromArray([true, false], new Bool()).data[0]!,
  text: vectorFromArray(['北京, "A"', ''], new Utf8()).data[0]!,
  day: makeData({ type: new DateDay(), length: 2, data: Int32Array.of(11000, -1) }),
  time: makeData({ type: new TimeMicrosecond(), length: 2, data: BigInt64Array.of(3_600_000_001n, 0n) }),
  moment: makeData({ type: new TimestampMicrosecond(), length: 2, data: micros }),
})

it('writes CSV with exact values, quoted where it has to be', () => {
  expect(csvText(everything)).toBe(
    [
      'whole,large,money,ratio,yes,text,day,time,moment',
      '1,9007199254740993,-1.23,0.1,true,"北京, ""A""",2000-02-13,01:00:00.000001,2001-02-03T04:05:06.123456',
      ',-5,12345678901234567890.05,,false,"",1969-12-31,00:00:00,1969-12-31T23:59:59.999999',
      '',
    ].join('\n'),
  )
})

it('writes no formula into a CSV, and leaves negative numbers alone', () => {
  const risky = table({
    text: vectorFromArray(['=1+1', '@x', '+1', '-1', '\tx', 'a=b'], new Utf8()).data[0]!,
    number: vectorFromArray([-1, -2, -3, -4, -5, -6], new Int32()).data[0]!,
  })
  expect(csvText(risky)).toBe("text,number\n'=1+1,-1\n'@x,-2\n'+1,-3\n'-1,-4\n'\tx,-5\na=b,-6\n")
})

it('takes full-width signs and what hides behind spaces for formulas too, as spreadsheets of some languages do', () => {
  const risky = ['＝1+1', '－1', '＋1', '＠x', ' =1', '\u3000=1', '\u00a0@x']
  const harmless = [' a=b', '—', '·=1', '张三']
  const column = table({ '＝head': vectorFromArray([...risky, ...harmless], new Utf8()).data[0]! })
  const lines = ['＝head', ...risky].map(text => `'${text}`).concat(harmless)
  expect(csvText(column)).toBe(`${lines.join('\n')}\n`)
})

it('gives JSON that loses nothing', () => {
  const row = everything.schema.fields.map(({ type }, index) =>
    cellJson(everything.getChildAt(index)?.get(0), type),
  )
  expect(row).toEqual([
    1,
    '9007199254740993',
    '-1.23',
    0.1,
    true,
    '北京, "A"',
    '2000-02-13',
    '01:00:00.000001',
    '2001-02-03T04:05:06.123456',
  ])
})

it('writes Arrow that reads back the same', async () => {
  const again = tableFromIPC(await encodeTable(everything, 'arrow'))
  expect(csvText(again)).toBe(csvText(everything))
})

it('writes Parquet that DuckDB reads back the same', async () => {
  const path = join(folder, 'released.parquet')
  await writeFile(path, await encodeTable(everything, 'parquet', { staging: folder }))
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  const rows = await connection.runAndReadAll(
    `SELECT whole, large, money::VARCHAR, ratio, yes, text, day::VARCHAR, time::VARCHAR, moment::VARCHAR FROM '${path}'`,
  )
  expect(rows.getRows()).toEqual([
    [
      1,
      9007199254740993n,
      '-1.23',
      0.1,
      true,
      '北京, "A"',
      '2000-02-13',
      '01:00:00.000001',
      '2001-02-03 04:05:06.123456',
    ],
    [
      null,
      -5n,
      '12345678901234567890.05',
      null,
      false,
      '',
      '1969-12-31',
      '00:00:00',
      '1969-12-31 23:59:59.999999',
    ],
  ])
  connection.closeSync()
  instance.closeSync()
})

// Masks over whole columns, Arrow to Arrow, beside DuckDB's own expression over the same values in a table in memory,
// on one thread. Turn about, so that both see the same machine; the best of the runs each.
import { DuckDBInstance } from '@duckdb/node-api'
import { columnOfVector, dataOfColumn, definitionOf } from '@sluice/core/desensitize'
import { makeData, makeVector, Utf8 } from 'apache-arrow'
import { keyedRules } from './keyed-rules.mjs'

const TEXT = { kind: 'text' }

const CASES = [
  {
    name: 'mask mobile (ASCII)',
    rule: { kind: 'preset', preset: 'mobile' },
    values: random => `1${3 + random(7)}${String(random(1e9)).padStart(9, '0')}`,
    sql: "substr(v, 1, 3) || '****' || substr(v, 8, 4)",
  },
  {
    name: 'mask identity number (ASCII)',
    rule: { kind: 'preset', preset: 'identity-number' },
    values: random =>
      `${100000 + random(900000)}19${random(10)}${random(10)}0${1 + random(9)}1${random(10)}${1000 + random(9000)}`,
    sql: "substr(v, 1, 6) || '************'",
  },
  {
    name: 'mask keep first 3 (ASCII)',
    rule: { kind: 'mask', keep: { first: 3 } },
    values: random => `A${String(random(1e9)).padStart(9, '0')}`,
    sql: "substr(v, 1, 3) || '*******'",
  },
  {
    name: 'mask name (Chinese)',
    rule: { kind: 'preset', preset: 'name' },
    values: random =>
      String.fromCodePoint(...Array.from({ length: 2 + random(2) }, () => 0x4e00 + random(0x5000))),
    sql: "substr(v, 1, 1) || '**'",
  },
  {
    name: 'mask keep first and last (Chinese)',
    rule: { kind: 'mask', keep: { first: 1, last: 1 } },
    values: random =>
      String.fromCodePoint(...Array.from({ length: 3 + random(2) }, () => 0x4e00 + random(0x5000))),
    sql: "substr(v, 1, 1) || '*' || substr(v, -1, 1)",
  },
]

/** @param {{ rows?: number, runs?: number }} [options] */
export async function bench({ rows = 1_000_000, runs = 7 } = {}) {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  try {
    const cases = []
    for (const { name, rule, values, sql } of CASES) {
      const vector = textVector(rows, values)
      await load(connection, vector)
      const apply = await definitionOf(rule).bind(rule, {
        dataset: 'bench',
        column: 'v',
        type: TEXT,
        key: noKey,
        table: () => new Map(),
        random: size => new Uint8Array(size),
      })
      const ours = () => {
        const { column, changed } = apply(columnOfVector(vector), { row: 0, entity: null })
        if (changed !== rows) throw new Error(`${name}: ${rows - changed} values were not masked`)
        return makeVector(dataOfColumn(column)).length
      }
      const theirs = () =>
        connection.run(`CREATE OR REPLACE TEMP TABLE masked AS SELECT ${sql} AS m FROM raw`)
      let [best, peer] = [Infinity, Infinity]
      for (let run = 0; run < runs; run++) {
        best = Math.min(best, await seconds(ours))
        peer = Math.min(peer, await seconds(theirs))
      }
      cases.push({
        bench: 'desensitize',
        case: name,
        metric: 'rows',
        value: round(rows / best / 1e6),
        unit: 'M rows/s',
        peer: 'DuckDB expression',
        peerValue: round(rows / peer / 1e6),
        ratio: round(peer / best),
      })
    }
    return [...cases, ...(await keyedRules({ rows, runs }))]
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function noKey() {
  throw new Error('a mask asks for no key')
}

/** Seeded values, no real person's. */
function textVector(rows, value) {
  let state = 20260101
  const random = below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const encoded = Buffer.from(Array.from({ length: rows }, () => value(random)).join('\n'))
  const offsets = new Int32Array(rows + 1)
  const bytes = new Uint8Array(encoded.length - rows + 1)
  let size = 0
  let row = 0
  for (const byte of encoded) {
    if (byte === 0x0a) offsets[++row] = size
    else bytes[size++] = byte
  }
  offsets[rows] = size
  return makeVector(
    makeData({ type: new Utf8(), length: rows, nullCount: 0, valueOffsets: offsets, data: bytes }),
  )
}

async function load(connection, vector) {
  await connection.run('CREATE OR REPLACE TEMP TABLE raw (v VARCHAR)')
  const appender = await connection.createAppender('raw')
  for (const value of vector) {
    appender.appendVarchar(value)
    appender.endRow()
  }
  appender.closeSync()
}

async function seconds(task) {
  const start = performance.now()
  await task()
  return (performance.now() - start) / 1000
}

function round(value) {
  return Math.round(value * 1000) / 1000
}

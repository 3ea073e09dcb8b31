import { messagesOf } from '@sluice/core/desensitize/cipher'
import {
  boundToSession,
  distinct,
  ITEM_BYTES,
  type ItemHashes,
  itemHashes,
  keysOf,
  kkrt16,
  rr22,
} from '@sluice/mpc/psi'
import { Binary, makeData, makeVector, Utf8 } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { stream } from '../protocols/local.js'
import { intersectAll, SESSION } from './local.js'

const JOB = '11'.repeat(32)
const RUNS = 1000

/** How the number of a key becomes its bytes: no two numbers of a kind give the same. */
const KINDS: Readonly<Record<string, (number: number) => Buffer>> = {
  identity: number => Buffer.from(`11010${String(number).padStart(12, '0')}X`),
  // what differs is at the end, at the beginning or in the middle
  long: number => Buffer.from(`${number}${'统一社会信用代码 '.repeat(1 + (number % 20))}${number}`),
  chinese: number => Buffer.from(`${String.fromCodePoint(0x4e00 + (number % 20_000))}${number}号有限公司`),
  // zeros at the end, one key the beginning of another, bytes that are no UTF-8
  binary: number => {
    const head = Buffer.from([number & 255, (number >> 8) & 255, 0xff, (number >> 16) & 255])
    return Buffer.concat([head, Buffer.alloc(number % 40)])
  },
}

interface Side {
  /** the key of each row, as text of one character a byte */
  readonly rows: readonly string[]
  readonly hashes: ItemHashes
  readonly itemOf: Uint32Array
}

function sideOf(keys: readonly Buffer[], binary: boolean): Side {
  const { bytes, offsets } = messagesOf(keys)
  const column = { length: keys.length, valueOffsets: offsets, data: bytes }
  const vector = binary
    ? makeVector(makeData({ type: new Binary(), ...column }))
    : makeVector(makeData({ type: new Utf8(), ...column }))
  const { messages, rows } = keysOf([{ name: 'id', vector, normalize: [] }])
  expect(rows).toHaveLength(keys.length)
  const { hashes, itemOf } = distinct(itemHashes(messages, JOB))
  return { rows: keys.map(key => key.toString('latin1')), hashes: boundToSession(hashes, SESSION), itemOf }
}

/** A number from 0 to 1 for each call. */
function uniform(seed: string): () => number {
  const words = stream(seed)
  return () => Number(words.words(1)[0]! >> 11n) / 2 ** 53
}

/** Both sides of a run: distinct keys with this overlap, some of them in several rows. */
function pairOf(run: number, random: () => number): [Side, Side] {
  // most are small, where edges are; some are skewed by three orders of magnitude, and two are of 10^5 rows
  const large = run % 500 === 499
  const sizeOf = () => (large ? 100_000 : Math.floor(10 ** (2.8 * random()) - 1))
  const kind = large ? 'chinese' : Object.keys(KINDS)[Math.floor(random() * 4)]!
  const sizes = [sizeOf(), sizeOf()]
  const overlap = [0, 1, random()][run % 3]!
  const shared = Math.round(overlap * Math.min(...sizes))
  const starts = [0, sizes[0]! - shared]
  const first = Math.floor(random() * 2 ** 23)
  return sizes.map((size, side) => {
    const numbers = Array.from({ length: size }, (_, i) => first + starts[side]! + i)
    // a tenth of the keys comes twice, and one of them very often
    const more = size === 0 ? 0 : Math.floor(size / 10) + (run % 5)
    for (let i = 0; i < more; i++) numbers.push(i % 2 === 0 ? first + starts[side]! + i : numbers[size - 1]!)
    if (run % 2 === side) numbers.reverse()
    return sideOf(numbers.map(KINDS[kind]!), kind === 'binary')
  }) as [Side, Side]
}

describe('against a plain hash join, from keys to rows', () => {
  const random = uniform('differential')
  const pairs = Array.from({ length: RUNS }, (_, run) => pairOf(run, random))

  it('the runs have no rows and 100,000, share nothing and all, and have keys in several rows', () => {
    const rows = pairs.flat().map(side => side.rows.length)
    expect([Math.min(...rows), Math.max(...rows) >= 100_000]).toEqual([0, true])
    expect(pairs.some(([a, b]) => a.rows.length > 500 && b.rows.length < 5)).toBe(true)
    expect(
      pairs.filter(([{ hashes, rows: all }]) => hashes.length / ITEM_BYTES < all.length),
    ).not.toHaveLength(0)
    expect(expected.filter(bits => bits.includes(1)).length).toBeGreaterThan(RUNS / 2)
    expect(expected.filter(bits => bits.includes(0)).length).toBeGreaterThan(RUNS / 2)
  })

  /** by run, 1 for each row of the first side whose key the other has */
  const expected = pairs.map(([own, other]) => {
    const theirs = new Set(other.rows)
    return Uint8Array.from(own.rows, key => Number(theirs.has(key)))
  })

  it.each([rr22, kkrt16])(`not one row is missing or extra in ${RUNS} runs of $name`, protocol => {
    const { matched } = intersectAll(
      protocol,
      pairs.map(([own, other]) => [own.hashes, other.hashes]),
    )
    const wrong = pairs.filter(([{ itemOf }], run) => {
      return Buffer.compare(
        Uint8Array.from(itemOf, item => matched[run]![item]!),
        expected[run]!,
      )
    })
    expect(wrong).toHaveLength(0)
  })
})

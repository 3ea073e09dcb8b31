import { z } from 'zod'
import { blockCipher } from '../cipher/block-cipher.js'
import {
  type Column,
  type FixedColumn,
  fixedValues,
  isText,
  isValid,
  stride,
  type TextColumn,
  Validity,
} from '../column.js'
import { compared } from '../compare.js'
import type { Applied, RuleDefinition } from '../rule.js'

/** The form of its description. */
export const ShuffleRule = z
  .strictObject({ kind: z.literal('shuffle') })
  .describe('{kind: shuffle}: the values of the column, nulls too, in a random order')

export type ShuffleRule = z.infer<typeof ShuffleRule>

/**
 * Puts the column's values in an order drawn at random: every value is still there, but belongs to somebody else. A rare
 * value is still seen to exist. Values that stay where they were, or meet their like, are counted as fixed points.
 */
export const shuffle: RuleDefinition<ShuffleRule> = {
  keyed: false,
  scope: 'column',
  resultType: (_, type) => type,
  bind:
    (_, { random }) =>
    column =>
      counted(column, pick(column, randomPermutation(column.length, random(32)))),
}

/**
 * A permutation of 0 … count − 1, every one of them as likely as the seed is random: Fisher and Yates's shuffle (Durstenfeld,
 * CACM 7(7), 1964) with numbers of AES-256 in counter mode, those that would favour an index rejected.
 *
 * @param seed 32 random bytes
 */
export function randomPermutation(count: number, seed: Uint8Array): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  const next = keyStream(seed)
  for (let i = count - 1; i > 0; i--) {
    const range = i + 1
    const limit = 2 ** 32 - (2 ** 32 % range)
    let number = next()
    while (number >= limit) number = next()
    const j = number % range
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}

/** 32-bit numbers of the key stream, 64 KiB at a time. */
function keyStream(seed: Uint8Array): () => number {
  const cipher = blockCipher('aes', seed)
  const counters = new Uint8Array(65_536)
  const view = new DataView(counters.buffer)
  let block = 0
  let words: DataView = new DataView(new ArrayBuffer(0))
  let at = 0
  return () => {
    if (at === words.byteLength) {
      for (let i = 0; i < counters.length; i += 16) view.setBigUint64(i + 8, BigInt(block++))
      const stream = cipher.encrypt(counters)
      words = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
      at = 0
    }
    at += 4
    return words.getUint32(at - 4)
  }
}

/** Nulls that come to where a value was have changed it, not hidden it. */
function counted(before: Column, after: Column): Applied {
  const { changed, hidden, fixedPoints } = compared(before, after)
  return { column: after, changed: changed + hidden, hidden: 0, fixedPoints }
}

function pick(column: Column, order: Uint32Array): Column {
  const validity = new Validity(column.length)
  for (let row = 0; row < order.length; row++) if (!isValid(column, order[row]!)) validity.clear(row)
  const picked = isText(column) ? pickedTexts(column, order) : pickedValues(column, order)
  return { ...picked, validity: validity.finish() }
}

function pickedTexts(column: TextColumn, order: Uint32Array): TextColumn {
  const { offsets, bytes } = column
  const out = new Int32Array(order.length + 1)
  for (let row = 0; row < order.length; row++) {
    const from = order[row]!
    out[row + 1] = out[row]! + offsets[from + 1]! - offsets[from]!
  }
  const text = new Uint8Array(out[order.length]!)
  for (let row = 0; row < order.length; row++) {
    const from = order[row]!
    text.set(bytes.subarray(offsets[from]!, offsets[from + 1]!), out[row]!)
  }
  return { ...column, offsets: out, bytes: text }
}

function pickedValues(column: FixedColumn, order: Uint32Array): FixedColumn {
  const { type, values: own } = column
  const values = fixedValues(type, column.length)
  if (type.kind === 'boolean') {
    const bits = values as Uint8Array
    for (let row = 0; row < order.length; row++) {
      const from = order[row]!
      bits[row >> 3]! |= ((Number(own[from >> 3]) >> (from & 7)) & 1) << (row & 7)
    }
    return { ...column, values }
  }
  const step = stride(type)
  for (let row = 0; row < order.length; row++) {
    for (let k = 0; k < step; k++) values[row * step + k] = own[order[row]! * step + k] as never
  }
  return { ...column, values }
}

import { z } from 'zod'
import { below, keyStream } from '../cipher/key-stream.js'
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
    const j = below(next, i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
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

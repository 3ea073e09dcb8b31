import { type Data, DataType } from 'apache-arrow'
import type { Words } from '../ring/kernels.js'

/**
 * An Arrow column of integers, or of decimals of 128 bits, as signed words of 64 bits, without its scale.
 *
 * @param present 0 where there is no value: the word is then 0, whatever the buffer holds there
 * @param into as long as the column
 * @returns false where a value has no place in 64 bits, or the column is another
 */
export function integersInto({ type, values }: Data, present: Words, into: Words): boolean {
  const lanes = lanesOf(into)
  const there = lanesOf(present)
  if (DataType.isDecimal(type)) return decimalsInto(values as Uint32Array, there, lanes)
  if (!DataType.isInt(type)) return false
  if (type.bitWidth < 64) return narrowInto(values as Int32Array, there, lanes)
  return wideInto(values as BigInt64Array, type.isSigned, there, lanes)
}

/** The sign is that of all above 64 bits. */
function decimalsInto(words: Uint32Array, there: Uint32Array, lanes: Uint32Array): boolean {
  let wide = 0
  for (let at = 0; at < lanes.length; at += 2) {
    if (there[at] === 0) continue
    const high = words[2 * at + 1]! | 0
    wide |= (words[2 * at + 2]! ^ (high >> 31)) | (words[2 * at + 3]! ^ (high >> 31))
    lanes[at] = words[2 * at]!
    lanes[at + 1] = high
  }
  return wide === 0
}

function narrowInto(
  integers: Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array,
  there: Uint32Array,
  lanes: Uint32Array,
): boolean {
  for (let row = 0, at = 0; at < lanes.length; row++, at += 2) {
    if (there[at] === 0) continue
    const value = integers[row]!
    lanes[at] = value
    lanes[at + 1] = value < 0 ? -1 : 0
  }
  return true
}

function wideInto(
  { buffer, byteOffset }: BigInt64Array | BigUint64Array,
  isSigned: boolean,
  there: Uint32Array,
  lanes: Uint32Array,
): boolean {
  const words = new Uint32Array(buffer, byteOffset, lanes.length)
  let highest = 0
  for (let at = 0; at < lanes.length; at += 2) {
    if (there[at] === 0) continue
    lanes[at] = words[at]!
    lanes[at + 1] = words[at + 1]!
    highest |= words[at + 1]!
  }
  return isSigned || highest >= 0
}

function lanesOf({ buffer, byteOffset, length }: Words): Uint32Array {
  return new Uint32Array(buffer, byteOffset, 2 * length)
}

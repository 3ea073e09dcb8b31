import { z } from 'zod'
import { SluiceError } from '../../errors.js'
import { blockCipher } from '../cipher/block-cipher.js'
import { deriveKey } from '../cipher/derive.js'
import { type Ff1, ff1, requireShape } from '../cipher/ff1.js'
import { isValid, TEXT, type TextColumn, Validity } from '../column.js'
import { compared } from '../compare.js'
import { JoinDomain, KeyName } from '../keyed/fields.js'
import { type RuleDefinition, wrongType } from '../rule.js'

const DIGITS = '0123456789'
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const ALPHABETS = {
  digits: DIGITS,
  uppercase: UPPER,
  lowercase: UPPER.toLowerCase(),
  alphanumeric: DIGITS + UPPER,
} as const

const Length = z.int().min(2).max(64)

/** The form of its description. */
export const FpeRule = z
  .strictObject({
    kind: z.literal('fpe'),
    key: KeyName,
    domain: JoinDomain,
    alphabet: z
      .enum(['digits', 'uppercase', 'lowercase', 'alphanumeric'])
      .default('digits')
      .describe('the characters of a value, all of them; `alphanumeric` is digits and upper case'),
    length: z
      .union([Length, z.strictObject({ min: Length, max: Length })])
      .describe('characters of a value; others are hidden'),
    keepFirst: z.int().min(0).max(62).default(0).describe('characters that stay as they are'),
    keepLast: z.int().min(0).max(62).default(0).describe('characters that stay as they are'),
    cipher: z.enum(['aes', 'sm4']).default('aes').describe('`sm4` is not the standard’s FF1'),
  })
  .describe('{kind: fpe, key, domain, alphabet, length}: FF1, values of the same length and characters')

export type FpeRule = z.infer<typeof FpeRule>

/**
 * Format-preserving encryption: FF1 (SP 800-38G) with AES-256, or the same construction with SM4. Values of each length
 * are permuted among themselves. What is encrypted of a value must have 10^6 possibilities at least; four digits of a
 * phone have 10^4 and are refused. A value with other characters or of another length is hidden, and so is the odd one
 * that the permutation leaves as it is: it would come out in clear.
 */
export const fpe: RuleDefinition<FpeRule> = {
  keyed: true,
  scope: 'chunk',
  resultType(rule, type) {
    if (type.kind !== 'text') throw wrongType('fpe', type, 'text; numbers lose their leading zeros')
    const { min, max } = lengths(rule)
    if (min > max) {
      throw new SluiceError('RULE_INVALID', 'the least length is above the greatest', {
        rule: 'rule.fpe.length',
        remedy: 'min ≤ max',
      })
    }
    const kept = rule.keepFirst + rule.keepLast
    for (const length of [min, max]) requireShape(ALPHABETS[rule.alphabet].length, length - kept)
    return TEXT
  },
  bind(rule, binding) {
    const { key, domain, alphabet, cipher, keepFirst, keepLast } = rule
    const size = cipher === 'aes' ? 32 : 16
    const derived = deriveKey(
      binding.key(key),
      { rule: 'fpe', algorithm: `ff1-${cipher}`, domain, alphabet },
      size,
      {
        digest: cipher === 'aes' ? 'sha256' : 'sm3',
      },
    )
    const block = blockCipher(cipher, derived)
    const { min, max } = lengths(rule)
    const numerals = new Numerals(ALPHABETS[alphabet])
    const modes = new Map<number, Ff1>()
    for (let length = min; length <= max; length++) {
      modes.set(length, ff1(block, numerals.radix, length - keepFirst - keepLast))
    }
    return chunk => {
      const before = chunk as TextColumn
      const after = copyOf(before)
      const { groups, fits } = grouped(before, numerals, modes)
      for (const [length, rows] of groups) {
        encryptRows(after, rows, numerals, modes.get(length)!, keepFirst, length - keepFirst - keepLast)
      }
      return compared(before, withoutFixedPoints(before, after, fits))
    }
  },
}

function lengths({ length }: FpeRule): { readonly min: number; readonly max: number } {
  return typeof length === 'number' ? { min: length, max: length } : length
}

/** An alphabet of ASCII characters, as numbers. */
class Numerals {
  readonly radix: number
  readonly #characters: Uint8Array
  readonly #numbers = new Int16Array(256).fill(-1)

  constructor(alphabet: string) {
    this.radix = alphabet.length
    this.#characters = new TextEncoder().encode(alphabet)
    for (const [number, character] of this.#characters.entries()) this.#numbers[character] = number
  }

  areAll(bytes: Uint8Array, from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (this.#numbers[bytes[i]!]! < 0) return false
    return true
  }

  read(bytes: Uint8Array, from: number, length: number): number {
    let number = 0
    for (let i = from; i < from + length; i++) number = number * this.radix + this.#numbers[bytes[i]!]!
    return number
  }

  write(number: number, bytes: Uint8Array, from: number, length: number): void {
    let rest = number
    for (let i = from + length - 1; i >= from; i--) {
      const next = Math.floor(rest / this.radix)
      bytes[i] = this.#characters[rest - next * this.radix]!
      rest = next
    }
  }
}

/** The rows of each length that the rule knows, if they have its characters; `fits` is 0 for the others. */
function grouped(
  column: TextColumn,
  numerals: Numerals,
  modes: ReadonlyMap<number, unknown>,
): { readonly groups: ReadonlyMap<number, readonly number[]>; readonly fits: Uint8Array } {
  const groups = new Map<number, number[]>()
  const fits = new Uint8Array(column.length)
  const { offsets, bytes } = column
  for (let row = 0; row < column.length; row++) {
    const [start, end] = [offsets[row]!, offsets[row + 1]!]
    const length = end - start
    if (!isValid(column, row) || !modes.has(length) || !numerals.areAll(bytes, start, end)) continue
    fits[row] = 1
    const rows = groups.get(length)
    if (rows === undefined) groups.set(length, [row])
    else rows.push(row)
  }
  return { groups, fits }
}

function encryptRows(
  { offsets, bytes }: TextColumn,
  rows: readonly number[],
  numerals: Numerals,
  mode: Ff1,
  skip: number,
  length: number,
): void {
  const leftLength = Math.floor(length / 2)
  const left = new Float64Array(rows.length)
  const right = new Float64Array(rows.length)
  for (let k = 0; k < rows.length; k++) {
    const start = offsets[rows[k]!]! + skip
    left[k] = numerals.read(bytes, start, leftLength)
    right[k] = numerals.read(bytes, start + leftLength, length - leftLength)
  }
  mode.encrypt(left, right)
  for (let k = 0; k < rows.length; k++) {
    const start = offsets[rows[k]!]! + skip
    numerals.write(left[k]!, bytes, start, leftLength)
    numerals.write(right[k]!, bytes, start + leftLength, length - leftLength)
  }
}

/** The same values in bytes of their own. */
function copyOf(column: TextColumn): TextColumn {
  const first = column.offsets[0]!
  return {
    ...column,
    offsets: column.offsets.map(offset => offset - first),
    bytes: column.bytes.slice(first, column.offsets[column.length]!),
  }
}

/** Null where a value did not fit or came out as it went in; nothing of those stays in the bytes. */
function withoutFixedPoints(before: TextColumn, after: TextColumn, fits: Uint8Array): TextColumn {
  const offsets = new Int32Array(before.length + 1)
  const bytes = new Uint8Array(after.bytes.length)
  const validity = new Validity(before.length)
  for (let row = 0; row < before.length; row++) {
    const [start, end] = [after.offsets[row]!, after.offsets[row + 1]!]
    offsets[row + 1] = offsets[row]!
    if (fits[row] === 0 || sameBytes(before.bytes, before.offsets[row]!, after.bytes, start, end - start)) {
      validity.clear(row)
      continue
    }
    for (let i = start, at = offsets[row]!; i < end; i++) bytes[at++] = after.bytes[i]!
    offsets[row + 1]! += end - start
  }
  const used = offsets[before.length]!
  return { ...after, offsets, bytes: bytes.subarray(0, used), validity: validity.finish() }
}

function sameBytes(a: Uint8Array, from: number, b: Uint8Array, at: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (a[from + i] !== b[at + i]) return false
  return true
}

import { SluiceError } from '../../errors.js'
import { BLOCK_BYTES, type BlockCipher } from './block-cipher.js'

/** The least number of values of a domain (SP 800-38G Rev. 1, second draft of 2025, section 5.1; the text of 2016 asked 100). */
export const FF1_MINIMUM_DOMAIN = 1_000_000

const ROUNDS = 10
const TILE_ROWS = 4096
/** Numbers of half a value are whole in a double, and so is the sum of two of them. */
const LARGEST_HALF = 2 ** 52

/**
 * FF1 (SP 800-38G, algorithms 7 and 8) over whole columns of numeral strings of one length. A value is two numbers:
 * `left`, the number that its first ⌊n/2⌋ numerals spell, and `right`, that of the others. A round is one bulk call
 * of the block cipher for 4,096 rows, and arithmetic in doubles that stays exact: so half a value is below 2^52
 * (30 decimal digits a value, 20 of radix 36).
 *
 * With AES it is the standard's FF1. The standard approves no other cipher; with SM4 it is the same construction.
 */
export interface Ff1 {
  /** of the left half: radix^⌊n/2⌋ */
  readonly leftDomain: number
  /** of the right half: radix^⌈n/2⌉ */
  readonly rightDomain: number
  /** Replaces every pair by its encryption. Both columns have one length. */
  encrypt(left: Float64Array, right: Float64Array): void
  /** Replaces every pair by its decryption. */
  decrypt(left: Float64Array, right: Float64Array): void
}

/**
 * @param radix of a numeral, 2 to 65,536
 * @param length numerals of a value, at least 2
 * @throws SluiceError PARAMETER_INVALID (rules `ff1.domain`, `ff1.length`) where the domain is below 10^6 or half a value above 2^52
 */
export function ff1(
  cipher: BlockCipher,
  radix: number,
  length: number,
  tweak: Uint8Array = new Uint8Array(0),
): Ff1 {
  requireDomain(radix, length)
  const leftLength = Math.floor(length / 2)
  const leftDomain = radix ** leftLength
  const rightDomain = radix ** (length - leftLength)
  if (rightDomain > LARGEST_HALF) {
    throw new SluiceError('PARAMETER_INVALID', `values of ${length} numerals are too long to be encrypted`, {
      rule: 'ff1.length',
      remedy: 'at most 30 decimal digits, 20 of radix 36; tokens have no such limit',
      facts: { radix, length },
    })
  }
  const halfBytes = Math.ceil(bitLength(rightDomain - 1) / 8)
  const rounds = roundFunction(cipher, radix, length, leftLength, halfBytes, tweak)
  const words = Math.ceil(halfBytes / 4) + 1
  const even = modulus(leftDomain, words)
  const odd = modulus(rightDomain, words)
  const each = (
    left: Float64Array,
    right: Float64Array,
    run: (a: Float64Array, b: Float64Array) => void,
  ): void => {
    for (let from = 0; from < left.length; from += TILE_ROWS) {
      run(left.subarray(from, from + TILE_ROWS), right.subarray(from, from + TILE_ROWS))
    }
  }
  return {
    leftDomain,
    rightDomain,
    encrypt: (left, right) =>
      each(left, right, (a, b) => {
        // the halves change places with the round, so neither is ever moved
        for (let round = 0; round < ROUNDS; round++) {
          if (round % 2 === 0) add(a, rounds(round, b), even)
          else add(b, rounds(round, a), odd)
        }
      }),
    decrypt: (left, right) =>
      each(left, right, (a, b) => {
        for (let round = ROUNDS - 1; round >= 0; round--) {
          if (round % 2 === 0) subtract(a, rounds(round, b), even)
          else subtract(b, rounds(round, a), odd)
        }
      }),
  }
}

/** @throws SluiceError PARAMETER_INVALID where there are fewer than 10^6 values */
export function requireDomain(radix: number, length: number): void {
  if (radix < 2 || radix > 65_536 || length < 2 || radix ** length < FF1_MINIMUM_DOMAIN) {
    throw new SluiceError('PARAMETER_INVALID', 'too few values to hide one among', {
      rule: 'ff1.domain',
      remedy: `a domain of at least ${FF1_MINIMUM_DOMAIN} values: more characters, or a token instead`,
      facts: { radix, length },
    })
  }
}

/** One round for a tile: the numbers of one half in, the pseudorandom words (16 bytes a row) out. */
type RoundFunction = (round: number, half: Float64Array) => DataView

/**
 * Steps 5 and 6.i to 6.iii. P and all of Q but its last block are the same for every row and round, so they are
 * enciphered once; at most 7 bytes of the last block differ by row.
 */
function roundFunction(
  cipher: BlockCipher,
  radix: number,
  length: number,
  leftLength: number,
  halfBytes: number,
  tweak: Uint8Array,
): RoundFunction {
  const first = new Uint8Array(BLOCK_BYTES)
  const header = new DataView(first.buffer)
  header.setUint32(0, 0x01020100)
  header.setUint32(3, radix * 256)
  header.setUint8(6, ROUNDS)
  header.setUint8(7, leftLength % 256)
  header.setUint32(8, length)
  header.setUint32(12, tweak.length)

  const lastBlock = Math.ceil((tweak.length + 1 + halfBytes) / BLOCK_BYTES) * BLOCK_BYTES - BLOCK_BYTES
  const constant = new Uint8Array(lastBlock + BLOCK_BYTES)
  constant.set(tweak)
  let state = cipher.encrypt(first)
  for (let at = 0; at < lastBlock; at += BLOCK_BYTES) {
    state = cipher.encrypt(state.map((byte, i) => byte ^ constant[at + i]!))
  }
  const template = state.map((byte, i) => byte ^ constant[lastBlock + i]!)

  const blocks = new Uint8Array(TILE_ROWS * BLOCK_BYTES)
  const words = new DataView(blocks.buffer)
  return (round, half) => {
    const block = Uint8Array.from(template)
    block[BLOCK_BYTES - 1 - halfBytes]! ^= round
    const fixed = new DataView(block.buffer)
    const [w0, w1] = [fixed.getUint32(0), fixed.getUint32(4)]
    const [w2, w3] = [fixed.getUint32(8), fixed.getUint32(12)]
    for (let i = 0, at = 0; i < half.length; i++, at += BLOCK_BYTES) {
      const number = half[i]!
      const high = Math.floor(number / 2 ** 32)
      words.setUint32(at, w0)
      words.setUint32(at + 4, w1)
      words.setUint32(at + 8, w2 ^ high)
      words.setUint32(at + 12, w3 ^ (number - high * 2 ** 32))
    }
    const random = cipher.encrypt(blocks.subarray(0, half.length * BLOCK_BYTES))
    return new DataView(random.buffer, random.byteOffset, random.byteLength)
  }
}

interface Modulus {
  readonly value: number
  /** a little below 1/value, so that a quotient is never too large */
  readonly inverse: number
  /** bits that a remainder takes in at a time, so that it stays below 2^53 */
  readonly limb: number
  /** 32-bit words of the pseudorandom number (d of step 5, divided by 4) */
  readonly words: number
}

function modulus(value: number, words: number): Modulus {
  const limb = [32, 16, 8, 4, 2, 1].find(bits => value * 2 ** bits <= 2 ** 53)!
  return { value, inverse: (1 / value) * (1 - 2 ** -50), limb, words }
}

/** Steps 6.iv to 6.vi. */
function add(target: Float64Array, random: DataView, modulus: Modulus): void {
  for (let i = 0; i < target.length; i++) {
    const sum = target[i]! + remainder(random, i * BLOCK_BYTES, modulus)
    target[i] = sum >= modulus.value ? sum - modulus.value : sum
  }
}

function subtract(target: Float64Array, random: DataView, modulus: Modulus): void {
  for (let i = 0; i < target.length; i++) {
    const difference = target[i]! - remainder(random, i * BLOCK_BYTES, modulus)
    target[i] = difference < 0 ? difference + modulus.value : difference
  }
}

/** The big-endian number at this place, modulo the value: Horner's rule by limbs, in doubles that stay below 2^53. */
function remainder(random: DataView, at: number, { value, inverse, limb, words }: Modulus): number {
  const radix = 2 ** limb
  const mask = radix - 1
  let rest = 0
  for (let word = 0; word < words; word++) {
    const bits = random.getUint32(at + word * 4)
    for (let shift = 32 - limb; shift >= 0; shift -= limb) {
      const number = rest * radix + (((bits >>> shift) & mask) >>> 0)
      rest = number - Math.floor(number * inverse) * value
      if (rest >= value) rest -= value
    }
  }
  return rest
}

function bitLength(value: number): number {
  return value < 2 ** 32
    ? 32 - Math.clz32(value)
    : 64 - Math.clz32(Math.floor(value / 2 ** 32))
}

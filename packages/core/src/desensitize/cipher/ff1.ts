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
 * @throws SluiceError RULE_INVALID (rules `ff1.domain`, `ff1.length`) where the domain is below 10^6 or half a value above 2^52
 */
export function ff1(
  cipher: BlockCipher,
  radix: number,
  length: number,
  tweak: Uint8Array = new Uint8Array(0),
): Ff1 {
  requireShape(radix, length)
  const leftLength = Math.floor(length / 2)
  const leftDomain = radix ** leftLength
  const rightDomain = radix ** (length - leftLength)
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
          if (round % 2 === 0) accumulate(a, rounds(round, b), even, 1)
          else accumulate(b, rounds(round, a), odd, 1)
        }
      }),
    decrypt: (left, right) =>
      each(left, right, (a, b) => {
        for (let round = ROUNDS - 1; round >= 0; round--) {
          if (round % 2 === 0) accumulate(a, rounds(round, b), even, -1)
          else accumulate(b, rounds(round, a), odd, -1)
        }
      }),
  }
}

/**
 * @throws SluiceError RULE_INVALID where there are fewer than 10^6 values (`ff1.domain`), or half a value does not fit
 * a double (`ff1.length`)
 */
export function requireShape(radix: number, length: number): void {
  if (radix < 2 || radix > 65_536 || length < 2 || radix ** length < FF1_MINIMUM_DOMAIN) {
    throw new SluiceError('RULE_INVALID', 'too few values to hide one among', {
      rule: 'ff1.domain',
      remedy: `a domain of at least ${FF1_MINIMUM_DOMAIN} values: more characters, or a token instead`,
      facts: { radix, length },
    })
  }
  if (radix ** Math.ceil(length / 2) > LARGEST_HALF) {
    throw new SluiceError('RULE_INVALID', `values of ${length} numerals are too long to be encrypted`, {
      rule: 'ff1.length',
      remedy: 'at most 30 decimal digits, 20 of radix 36; tokens have no such limit',
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
  /** 32-bit words of the pseudorandom number (d of step 5, divided by 4) */
  readonly words: number
}

function modulus(value: number, words: number): Modulus {
  return { value, inverse: (1 / value) * (1 - 2 ** -50), words }
}

/** Steps 6.iv to 6.vi: adds the pseudorandom numbers, or takes them away. */
function accumulate(target: Float64Array, random: DataView, modulus: Modulus, sign: 1 | -1): void {
  if (modulus.words === 2) accumulateShort(target, random, modulus, sign)
  else accumulateLong(target, random, modulus, sign)
}

/**
 * Numbers of 8 bytes, modulo at most 2^32: a sum of 16-bit limbs times powers of 2^16 that are reduced already stays
 * below 2^51, and takes one division.
 */
function accumulateShort(
  target: Float64Array,
  random: DataView,
  { value, inverse }: Modulus,
  sign: 1 | -1,
): void {
  const p1 = 2 ** 16 % value
  const p2 = 2 ** 32 % value
  const p3 = 2 ** 48 % value
  for (let i = 0, at = 0; i < target.length; i++, at += BLOCK_BYTES) {
    const high = random.getUint32(at)
    const low = random.getUint32(at + 4)
    const number = (high >>> 16) * p3 + (high & 0xffff) * p2 + (low >>> 16) * p1 + (low & 0xffff)
    let sum = target[i]! + sign * (number - Math.floor(number * inverse) * value)
    // the quotient may be one too small, so that the remainder is below twice the modulus
    if (sum >= value) sum -= value
    if (sum >= value) sum -= value
    if (sum < 0) sum += value
    if (sum < 0) sum += value
    target[i] = sum
  }
}

/** Numbers of 12 bytes, modulo at most 2^52: Horner's rule by as many bits at a time as stay below 2^53. */
function accumulateLong(
  target: Float64Array,
  random: DataView,
  { value, inverse, words }: Modulus,
  sign: 1 | -1,
): void {
  const limb = [16, 8, 4, 2, 1].find(bits => value * 2 ** bits <= 2 ** 53)!
  const radix = 2 ** limb
  for (let i = 0, at = 0; i < target.length; i++, at += BLOCK_BYTES) {
    let rest = 0
    for (let word = 0; word < words; word++) {
      const bits = random.getUint32(at + word * 4)
      for (let shift = 32 - limb; shift >= 0; shift -= limb) {
        const number = rest * radix + ((bits >>> shift) & (radix - 1))
        rest = number - Math.floor(number * inverse) * value
        if (rest >= value) rest -= value
      }
    }
    const sum = target[i]! + sign * rest
    target[i] = sum >= value ? sum - value : sum < 0 ? sum + value : sum
  }
}

function bitLength(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 2 ** 32))
}

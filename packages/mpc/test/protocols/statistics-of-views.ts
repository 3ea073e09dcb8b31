/**
 * What one party sees of a protocol, looked at byte by byte: a smoke test, not a proof. Three statistics of χ² with 255
 * degrees of freedom, each above LIMIT once in 10^6 views that are uniform, and mostly above it where some 10^5 bytes
 * have one value half as often again:
 *
 * - `againstUniform`: are all byte values as frequent;
 * - `neighbours`: and the differences of one element to the next, which a mask used twice in a row would show;
 * - `againstEachOther`: are the views of two inputs with the same output alike.
 */
export const LIMIT = 370

/** Fewer bytes would show little. */
export const ENOUGH = 20_000

export function againstUniform(bytes: Uint8Array): number {
  return fromUniform(counts(bytes), bytes.length)
}

export function neighbours(bytes: Uint8Array, width: number): number {
  const found = new Float64Array(256)
  for (let i = width; i < bytes.length; i++) found[bytes[i]! ^ bytes[i - width]!]! += 1
  return fromUniform(found, bytes.length - width)
}

function fromUniform(found: Float64Array, bytes: number): number {
  const expected = bytes / 256
  return found.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

export function againstEachOther(a: Uint8Array, b: Uint8Array): number {
  const [first, second] = [counts(a), counts(b)]
  const ratio = Math.sqrt(b.length / a.length)
  return first.reduce(
    (sum, count, i) => sum + (count * ratio - second[i]! / ratio) ** 2 / Math.max(1, count + second[i]!),
    0,
  )
}

/** The largest of the statistics over two views of one party; 0 where it receives nothing. */
export function worst(first: Uint8Array, second: Uint8Array, width: number): number {
  if (first.length === 0 && second.length === 0) return 0
  return Math.max(
    ...[first, second].flatMap(bytes => [againstUniform(bytes), neighbours(bytes, width)]),
    againstEachOther(first, second),
  )
}

function counts(bytes: Uint8Array): Float64Array {
  const found = new Float64Array(256)
  for (let i = 0; i < bytes.length; i++) found[bytes[i]!]! += 1
  return found
}

/**
 * The same views bit by bit, each as a number of standard deviations, mostly beyond SIGMAS where one bit in fifty leans
 * one way: the frequency of ones, the number of runs, and pairs of neighbouring bits (NIST SP 800-22 revision 1a,
 * sections 2.1, 2.3, and 2.11 with m = 2).
 */
export const SIGMAS = 6

export function bitwise(view: Uint8Array): { monobit: number; runs: number; serial: number } {
  const bytes = view.subarray(0, MOST_BYTES)
  const bits = bytes.length * 8 - 1
  let [ones, changes, both, before] = [0, 0, 0, bytes[0]! >> 7]
  for (const byte of bytes) {
    // each bit's predecessor beside it; the first bit of all has itself
    const shifted = (byte >> 1) | (before << 7)
    ones += ONES[byte]!
    changes += ONES[byte ^ shifted]!
    both += ONES[byte & shifted]!
    before = byte & 1
  }
  const share = ones / bits
  const pairs = [both, changes / 2, changes / 2, bits - both - changes]
  const psi2 = (4 / bits) * pairs.reduce((sum, count) => sum + count ** 2, 0) - bits
  const psi1 = (2 / bits) * (ones ** 2 + (bits - ones) ** 2) - bits
  return {
    monobit: Math.abs(ones - bits / 2) / Math.sqrt(bits / 4),
    // of ones alone there are no runs to speak of
    runs:
      share * (1 - share) === 0
        ? Number.POSITIVE_INFINITY
        : Math.abs(changes - 2 * bits * share * (1 - share)) / (2 * Math.sqrt(bits) * share * (1 - share)),
    // χ² with two degrees of freedom, by its tail as that of a normal deviate
    serial: Math.sqrt(Math.max(0, psi2 - psi1)),
  }
}

/**
 * By how many standard deviations the messages of one party, as long as a column, follow the column by their lowest
 * 32 bits: the strongest of all of them. What is masked has nothing to do with what it masks.
 */
export function followsInput(messages: readonly Uint8Array[], input: BigUint64Array): number {
  const values = Float64Array.from(input, Number)
  let strongest = 0
  for (const message of messages) {
    const width = message.length / values.length
    if (width !== 4 && width !== 8) continue
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
    const seen = values.map((_, i) => view.getUint32(i * width, true))
    strongest = Math.max(strongest, correlated(seen, values))
  }
  return strongest
}

/** Pearson's correlation as a number of standard deviations of what is independent; 0 where one does not vary. */
export function correlated(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length
  let [sumA, sumB] = [0, 0]
  for (let i = 0; i < n; i++) {
    sumA += a[i]!
    sumB += b[i]!
  }
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i]! - sumA / n, b[i]! - sumB / n]
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return aa === 0 || bb === 0 ? 0 : Math.abs(ab / Math.sqrt(aa * bb)) * Math.sqrt(n)
}

const MOST_BYTES = 1 << 18
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length)

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
  const expected = bytes.length / 256
  return counts(bytes).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

export function neighbours(bytes: Uint8Array, width: number): number {
  const differences = Uint8Array.from(bytes.subarray(width), (byte, i) => byte ^ bytes[i]!)
  return againstUniform(differences)
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

function counts(bytes: Uint8Array): number[] {
  const found = Array<number>(256).fill(0)
  for (const byte of bytes) found[byte]!++
  return found
}

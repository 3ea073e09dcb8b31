import { createHash } from 'node:crypto'

/**
 * RFC 6962, section 2.1, word for word: recursive, over all leaves, sharing nothing with the package. Slow, and easy to
 * compare with the text.
 */
const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

export function MTH(D: readonly Uint8Array[]): Buffer {
  const n = D.length
  if (n === 0) return sha256()
  if (n === 1) return sha256(Buffer.of(0), D[0]!)
  const k = split(n)
  return sha256(Buffer.of(1), MTH(D.slice(0, k)), MTH(D.slice(k)))
}

export function PATH(m: number, D: readonly Uint8Array[]): Buffer[] {
  const n = D.length
  if (n === 1) return []
  const k = split(n)
  return m < k
    ? [...PATH(m, D.slice(0, k)), MTH(D.slice(k))]
    : [...PATH(m - k, D.slice(k)), MTH(D.slice(0, k))]
}

export function PROOF(m: number, D: readonly Uint8Array[]): Buffer[] {
  return SUBPROOF(m, D, true)
}

function SUBPROOF(m: number, D: readonly Uint8Array[], b: boolean): Buffer[] {
  const n = D.length
  if (m === n) return b ? [] : [MTH(D)]
  const k = split(n)
  return m <= k
    ? [...SUBPROOF(m, D.slice(0, k), b), MTH(D.slice(k))]
    : [...SUBPROOF(m - k, D.slice(k), false), MTH(D.slice(0, k))]
}

function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** Tiles of a tree, straight from its leaves; what `tileReader` reads. */
export function tile(D: readonly Uint8Array[], level: number, index: number, width: number): Buffer {
  const leaves = 256 ** level
  return Buffer.concat(
    Array.from({ length: width }, (_, i) => {
      const start = (index * 256 + i) * leaves
      return MTH(D.slice(start, start + leaves))
    }),
  )
}

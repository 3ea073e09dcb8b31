import { SluiceError } from '@sluice/core'
import { perfectSubtrees } from './compact-range.js'
import { HASH_BYTES, nodeHash } from './hashes.js'

/** Reads the root of a perfect subtree: the `index`-th of those with 2^`level` leaves. */
export type SubtreeReader = (level: number, index: number) => Promise<Uint8Array>

/** The audit path of a leaf (RFC 6962, section 2.1.1), from the leaf upwards. */
export async function inclusionProof(
  index: number,
  size: number,
  read: SubtreeReader,
): Promise<Uint8Array[]> {
  if (!isCount(index) || !isCount(size) || index >= size) {
    throw new SluiceError('INTERNAL', `there is no entry ${index} in a tree of ${size}`)
  }
  const proof: Uint8Array[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      proof.push(await rangeRoot(middle, end, read))
      end = middle
    } else {
      proof.push(await rangeRoot(start, middle, read))
      start = middle
    }
  }
  return proof.reverse()
}

/** That the tree of `from` leaves is a prefix of the tree of `to` (RFC 6962, section 2.1.2). */
export async function consistencyProof(from: number, to: number, read: SubtreeReader): Promise<Uint8Array[]> {
  if (!isCount(from) || !isCount(to) || from > to) {
    throw new SluiceError('INTERNAL', `a tree of ${from} is no prefix of a tree of ${to}`)
  }
  if (from === 0 || from === to) return []
  const proof: Uint8Array[] = []
  let [start, end] = [0, to]
  while (end !== from) {
    const middle = start + splitOf(end - start)
    if (from <= middle) {
      proof.push(await rangeRoot(middle, end, read))
      end = middle
    } else {
      proof.push(await rangeRoot(start, middle, read))
      start = middle
    }
  }
  // the old tree's own root is known to whoever checks, unless it was only a part of it
  if (start !== 0) proof.push(await rangeRoot(start, end, read))
  return proof.reverse()
}

/**
 * RFC 9162, section 2.1.3.2.
 *
 * @throws SluiceError PROOF_INVALID
 */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void {
  if (!isCount(index) || !isCount(size) || index >= size || leaf.length !== HASH_BYTES) {
    throw invalid('inclusion')
  }
  let [position, last] = [index, size - 1]
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== HASH_BYTES) throw invalid('inclusion')
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash)
      while (position % 2 === 0 && position !== 0) {
        position /= 2
        last = half(last)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    position = half(position)
    last = half(last)
  }
  if (last !== 0 || !Buffer.from(hash).equals(root)) throw invalid('inclusion')
}

/**
 * RFC 9162, section 2.1.4.2. A tree without leaves is a prefix of every tree; it proves nothing and is refused.
 *
 * @throws SluiceError PROOF_INVALID
 */
export function verifyConsistency(
  from: number,
  to: number,
  proof: readonly Uint8Array[],
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
): void {
  if (!isCount(from) || !isCount(to) || from === 0 || from > to) throw invalid('consistency')
  if (from === to) {
    if (proof.length !== 0 || !Buffer.from(fromRoot).equals(toRoot)) throw invalid('consistency')
    return
  }
  const path = splitOf(from + 1) === from ? [fromRoot, ...proof] : [...proof]
  let [position, last] = [from - 1, to - 1]
  while (position % 2 === 1) {
    position = half(position)
    last = half(last)
  }
  let older = path[0]
  let newer = path[0]
  if (older === undefined || newer === undefined || path.some(each => each.length !== HASH_BYTES)) {
    throw invalid('consistency')
  }
  for (const sibling of path.slice(1)) {
    if (last === 0) throw invalid('consistency')
    if (position % 2 === 1 || position === last) {
      older = nodeHash(sibling, older)
      newer = nodeHash(sibling, newer)
      while (position % 2 === 0 && position !== 0) {
        position /= 2
        last = half(last)
      }
    } else {
      newer = nodeHash(newer, sibling)
    }
    position = half(position)
    last = half(last)
  }
  if (last !== 0 || !Buffer.from(older).equals(fromRoot) || !Buffer.from(newer).equals(toRoot)) {
    throw invalid('consistency')
  }
}

/** The root over leaves `start` to `end`, where `start` is a multiple of the width's next power of two. */
async function rangeRoot(start: number, end: number, read: SubtreeReader): Promise<Uint8Array> {
  const hashes: Uint8Array[] = []
  for (const { level, index } of perfectSubtrees(end - start)) {
    hashes.push(await read(level, start / 2 ** level + index))
  }
  return hashes.reduceRight((right, left) => nodeHash(left, right))
}

/** The largest power of two below `width`; so `splitOf(n + 1) === n` where n is one itself. */
function splitOf(width: number): number {
  let split = 1
  while (split * 2 < width) split *= 2
  return split
}

/** Sizes go past 32 bits, where shifts do not. */
function half(value: number): number {
  return Math.floor(value / 2)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function invalid(what: 'inclusion' | 'consistency'): SluiceError {
  return new SluiceError('PROOF_INVALID', `the ${what} proof does not lead to the root`, { rule: what })
}

import { hash } from 'node:crypto'
import { SluiceError } from '@sluice/core'

/** RFC 6962, section 2.1, with SHA-256. */
export function leafHash(entry: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([ZERO, entry]), 'buffer')
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([ONE, left, right]), 'buffer')
}

const ZERO = Buffer.of(0)
const ONE = Buffer.of(1)

/** MTH over hashes of leaves (or of equal perfect subtrees): the largest power of two on the left, the rest beside it. */
export function rootOf(hashes: readonly Uint8Array[]): Buffer {
  if (hashes.length === 0) return hash('sha256', Buffer.alloc(0), 'buffer')
  let level = hashes
  // pairing neighbours and carrying an odd last one up gives the same tree as RFC 6962's recursion
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let i = 0; i + 1 < level.length; i += 2) above.push(nodeHash(level[i]!, level[i + 1]!))
    if (level.length % 2 === 1) above.push(level.at(-1)!)
    level = above
  }
  return Buffer.from(level[0]!)
}

/**
 * The audit path of RFC 6962, section 2.1.1, walked from the root's side: which half the leaf lies in decides on which
 * side each hash stands.
 *
 * @throws SluiceError PROOF_INVALID
 */
export function checkInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): void {
  if (!isCount(index) || !isCount(size) || index >= size || leaf.length !== 32) throw unproven('inclusion')
  const walk = (position: number, width: number, used: number): Buffer => {
    if (width === 1) {
      if (used !== 0) throw unproven('inclusion')
      return Buffer.from(leaf)
    }
    const sibling = path[used - 1]
    if (sibling === undefined || sibling.length !== 32) throw unproven('inclusion')
    const split = below(width)
    return position < split
      ? nodeHash(walk(position, split, used - 1), sibling)
      : nodeHash(sibling, walk(position - split, width - split, used - 1))
  }
  if (!walk(index, size, path.length).equals(root)) throw unproven('inclusion')
}

/**
 * The consistency proof of RFC 6962, section 2.1.2, walked as the text defines it.
 *
 * @throws SluiceError PROOF_INVALID
 */
export function checkConsistency(
  from: number,
  to: number,
  proof: readonly Uint8Array[],
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
): void {
  if (!isCount(from) || !isCount(to) || from < 1 || from > to) throw unproven('consistency')
  const walk = (old: number, width: number, whole: boolean, used: number): [older: Buffer, newer: Buffer] => {
    if (old === width) {
      if (used !== (whole ? 0 : 1)) throw unproven('consistency')
      const known = whole ? fromRoot : proof[0]!
      if (!whole && known.length !== 32) throw unproven('consistency')
      return [Buffer.from(known), Buffer.from(known)]
    }
    const sibling = proof[used - 1]
    if (sibling === undefined || sibling.length !== 32) throw unproven('consistency')
    const split = below(width)
    if (old <= split) {
      const [older, newer] = walk(old, split, whole, used - 1)
      return [older, nodeHash(newer, sibling)]
    }
    const [older, newer] = walk(old - split, width - split, false, used - 1)
    return [nodeHash(sibling, older), nodeHash(sibling, newer)]
  }
  const [older, newer] = walk(from, to, true, proof.length)
  if (!older.equals(fromRoot) || !newer.equals(toRoot)) throw unproven('consistency')
}

/** C2SP tlog-tiles: `tile/<L>/<N>[.p/<W>]`. */
export function pathOfTile(level: number | 'entries', index: number, width: number): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0')
  const groups = digits.match(/\d{3}/g)!
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${level}/${path}${width < 256 ? `.p/${width}` : ''}`
}

/** The largest power of two that is smaller. */
function below(width: number): number {
  let power = 1
  while (power * 2 < width) power *= 2
  return power
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function unproven(rule: string): SluiceError {
  return new SluiceError('PROOF_INVALID', `the ${rule} proof does not lead to the root`, { rule })
}

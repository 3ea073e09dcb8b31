import { randomBytes } from 'node:crypto'
import type { Protocol } from '../session/protocol.js'
import { arena } from './arena.js'
import { bitsOf } from './bit-columns.js'
import { blake3Rows } from './blake3.js'
import { domainKey } from './domain.js'
import { codeSizes, compress, FEWEST_NOISY } from './expand-convolute.js'
import { type GgmVisitor, ggmSizes, growTrees, NODE_BYTES } from './ggm.js'
import type { CorrelatedReceiver, CorrelatedSender } from './iknp.js'
import type { PsiChannel } from './protocol.js'

/**
 * Random vector oblivious linear evaluation over GF(2^128): one side holds Δ and b, the other a and c = b ⊕ a · Δ, by
 * sparse noise on correlated GGM trees that a code makes pseudorandom (Boyle, Couteau, Gilboa, Ishai, Kohl, Rindal and
 * Scholl, "Efficient Two-Round OT Extension and Silent Non-Interactive Secure Computation", CCS 2019, with the trees of
 * Half-Tree and the code of `expand-convolute`). Noise is regular: one position in each tree, times a random factor.
 *
 * Secure against either side alone, which follows the protocol; under learning parity with noise for that code, and
 * with AES as a random permutation. Two messages, of which the larger has 16 · (128 + depth) bytes a tree.
 */
interface Shape {
  readonly trees: number
  /** each tree has 2^depth leaves */
  readonly depth: number
  /** elements of half the noise: what `count` is rounded up to */
  readonly half: number
}

/** Noise twice as long as the output, in trees of a power of two; at least `FEWEST_NOISY` of them. */
export function voleShape(count: number): Shape {
  const depth = Math.max(2, Math.floor(Math.log2((2 * count) / FEWEST_NOISY)))
  const trees = Math.max(FEWEST_NOISY, Math.ceil((2 * count) / 2 ** depth))
  return { trees, depth, half: (trees * 2 ** depth) / 2 }
}

/** Factors first, 128 transfers each, then the trees' levels, one transfer each. */
const FACTOR_BITS = 128

/**
 * The side that knows Δ.
 *
 * @param run which of several of the session
 * @returns b, `count` elements of 16 bytes
 */
export function* voleSender(
  { session, peer, random = randomBytes }: PsiChannel,
  correlated: CorrelatedSender,
  run: number,
  count: number,
): Protocol<Uint8Array<ArrayBuffer>> {
  const { trees, depth, half } = voleShape(count)
  const rows = yield* correlated.extend(trees * (FACTOR_BITS + depth))
  const memory = arena({
    ...ggmSizes(trees, depth),
    ...codeSizes,
    rows: trees * FACTOR_BITS * NODE_BYTES,
    factors: trees * NODE_BYTES,
  })
  const { kernels, at, bytes } = memory
  bytes.rows.set(rows.subarray(0, bytes.rows.length))
  kernels.gfCombine(at.rows, trees, at.factors)

  const levels = rows.subarray(bytes.rows.length)
  const message = new Uint8Array(trees * messageBytes(depth))
  const lastMasks = [new Uint8Array(NODE_BYTES), correlated.delta].map(shift => {
    return lastKeys(session, run, levels, trees, depth, shift)
  })
  const roots = new Uint8Array(random(trees * NODE_BYTES))
  const visitor: GgmVisitor = {
    roots(tree, left, right) {
      left.set(roots.subarray(tree * NODE_BYTES, (tree + 1) * NODE_BYTES))
      right.set(left)
      xor(right, correlated.delta)
      put(message, tree, depth, 0, left, rowAt(levels, tree * depth))
    },
    grown(tree, level, sums) {
      const lefts = sums.subarray(0, NODE_BYTES)
      if (level < depth) {
        put(message, tree, depth, level - 1, lefts, rowAt(levels, tree * depth + level - 1))
        return
      }
      const rights = sums.subarray(NODE_BYTES)
      put(message, tree, depth, depth - 1, lefts, rowAt(lastMasks[0]!, tree))
      put(message, tree, depth, depth, rights, rowAt(lastMasks[1]!, tree))
      put(message, tree, depth, depth + 1, lefts, rights)
      xor(place(message, tree, depth, depth + 1), rowAt(bytes.factors, tree))
    },
  }
  growTrees(memory, trees, depth, domainKey(session, 'vole trees'), visitor)
  yield { send: [{ to: peer, bytes: message }], receive: [] }
  compress(
    memory,
    domainKey(session, 'vole code', run),
    at.leaves + half * NODE_BYTES,
    half,
    at.leaves,
    count,
  )
  return bytes.leaves.slice(0, count * NODE_BYTES)
}

/** What the other side gets. */
export interface VoleReceived {
  /** a, uniformly random to the other side; `count` elements of 16 bytes */
  readonly a: Uint8Array<ArrayBuffer>
  /** c = b ⊕ a · Δ */
  readonly c: Uint8Array<ArrayBuffer>
}

/**
 * The side that does not know Δ: asks, and gives the protocol that takes the answer, so that there is something to do
 * meanwhile.
 */
export function* voleReceiver(
  { session, peer, random = randomBytes }: PsiChannel,
  correlated: CorrelatedReceiver,
  run: number,
  count: number,
): Protocol<() => Protocol<VoleReceived>> {
  const shape = voleShape(count)
  const { trees, depth } = shape
  const factors = new Uint8Array(random(trees * NODE_BYTES))
  const paths = bitsOf(new Uint8Array(random(Math.ceil((trees * depth) / 8)))).subarray(0, trees * depth)
  const choices = new Uint8Array(factors.length + Math.ceil(paths.length / 8))
  choices.set(factors)
  // chosen is the sum of the nodes that are not on the path
  paths.forEach((bit, index) => {
    if (bit === 0) choices[factors.length + (index >> 3)]! |= 1 << (index & 7)
  })
  const rows = yield* correlated.extend(choices, trees * (FACTOR_BITS + depth))
  return function* () {
    const [message] = yield { send: [], receive: [{ from: peer, bytes: trees * messageBytes(depth) }] }
    return finish(session, run, count, shape, { factors, paths, rows, message: message! })
  }
}

interface Noise {
  readonly factors: Uint8Array
  readonly paths: Uint8Array
  readonly rows: Uint8Array
  readonly message: Uint8Array
}

function finish(
  session: string,
  run: number,
  count: number,
  { trees, depth, half }: Shape,
  { factors, paths, rows, message }: Noise,
): VoleReceived {
  const memory = arena({
    ...ggmSizes(trees, depth),
    ...codeSizes,
    rows: trees * FACTOR_BITS * NODE_BYTES,
    factors: trees * NODE_BYTES,
    pairs: half * 2 * NODE_BYTES,
    a: half * NODE_BYTES,
  })
  const { kernels, at, bytes } = memory
  bytes.rows.set(rows.subarray(0, bytes.rows.length))
  kernels.gfCombine(at.rows, trees, at.factors)
  const levels = rows.subarray(bytes.rows.length)
  const lastMasks = lastKeys(session, run, levels, trees, depth)
  const known = new Uint8Array(NODE_BYTES)
  const visitor: GgmVisitor = {
    roots(tree, left, right) {
      const off = paths[tree * depth] === 0 ? right : left
      const on = paths[tree * depth] === 0 ? left : right
      off.set(place(message, tree, depth, 0))
      xor(off, rowAt(levels, tree * depth))
      on.fill(0)
    },
    grown(tree, level, sums, nodes) {
      const bit = paths[tree * depth + level - 1]!
      const parent = leafOf(paths, tree * depth, level - 1)
      const on = nodeAt(nodes, parent + bit * 2 ** (level - 1))
      const off = nodeAt(nodes, parent + (1 - bit) * 2 ** (level - 1))
      if (level < depth) {
        known.set(place(message, tree, depth, level - 1))
        xor(known, rowAt(levels, tree * depth + level - 1))
      } else {
        known.set(place(message, tree, depth, depth - 1 + (1 - bit)))
        xor(known, rowAt(lastMasks, tree))
      }
      // all the nodes of that side are right but this one, which its side's sum gives
      const side = sums.subarray((1 - bit) * NODE_BYTES, (2 - bit) * NODE_BYTES)
      xor(side, off)
      off.set(side)
      xor(off, known)
      if (level < depth) {
        on.fill(0)
        return
      }
      const others = sums.subarray(bit * NODE_BYTES, (bit + 1) * NODE_BYTES)
      xor(others, on)
      on.set(place(message, tree, depth, depth + 1))
      xor(on, rowAt(bytes.factors, tree))
      xor(on, others)
      xor(on, known)
    },
  }
  growTrees(memory, trees, depth, domainKey(session, 'vole trees'), visitor)

  kernels.pairUp(at.leaves + half * NODE_BYTES, half, at.pairs)
  for (let tree = 0; tree < trees; tree++) {
    const leaf = tree * 2 ** depth + leafOf(paths, tree * depth, depth)
    const factor = rowAt(factors, tree)
    if (leaf < half) bytes.a.set(factor, leaf * NODE_BYTES)
    else bytes.pairs.set(factor, (leaf - half) * 2 * NODE_BYTES + NODE_BYTES)
  }
  compress(memory, domainKey(session, 'vole code', run), at.pairs, half, at.leaves, count, at.a)
  const length = count * NODE_BYTES
  return { a: bytes.a.slice(0, length), c: bytes.leaves.slice(0, length) }
}

/**
 * A tree's part of the sender's message, 16 bytes each: the left sums of levels 1 to depth − 1 under their transfers'
 * rows, both sums of the leaves under both keys of the last transfer, and the sum of all leaves under the factor.
 */
function messageBytes(depth: number): number {
  return (depth + 2) * NODE_BYTES
}

/** Keys of the last level's transfers: hashes of their rows, plus Δ for the other choice, which are correlated no more. */
function lastKeys(
  session: string,
  run: number,
  levels: Uint8Array,
  trees: number,
  depth: number,
  shift: Uint8Array = new Uint8Array(NODE_BYTES),
): Uint8Array {
  const inputs = new Uint8Array(trees * 2 * NODE_BYTES)
  const numbers = new DataView(inputs.buffer)
  for (let tree = 0; tree < trees; tree++) {
    const input = inputs.subarray(tree * 2 * NODE_BYTES)
    input.set(rowAt(levels, tree * depth + depth - 1))
    xor(input, shift)
    numbers.setUint32(tree * 2 * NODE_BYTES + NODE_BYTES, tree, true)
  }
  return blake3Rows(domainKey(session, 'vole leaves', run), inputs, 2 * NODE_BYTES, NODE_BYTES)
}

function put(
  message: Uint8Array,
  tree: number,
  depth: number,
  index: number,
  a: Uint8Array,
  b: Uint8Array,
): void {
  const target = place(message, tree, depth, index)
  target.set(a)
  xor(target, b)
}

function place(message: Uint8Array, tree: number, depth: number, index: number): Uint8Array {
  const from = tree * messageBytes(depth) + index * NODE_BYTES
  return message.subarray(from, from + NODE_BYTES)
}

function nodeAt(nodes: Uint8Array, index: number): Uint8Array {
  return nodes.subarray(index * NODE_BYTES, (index + 1) * NODE_BYTES)
}

const rowAt = nodeAt

/** The node that a path leads to, the first step in the lowest bit. */
function leafOf(paths: Uint8Array, from: number, steps: number): number {
  let leaf = 0
  for (let step = 0; step < steps; step++) leaf |= paths[from + step]! << step
  return leaf
}

function xor(target: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < NODE_BYTES; i++) target[i]! ^= other[i]!
}

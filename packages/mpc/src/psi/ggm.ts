import { type BlockCipher, blockCipher } from '@sluice/core/desensitize/cipher'
import { PRG_KEY_BYTES } from '../prg/aes-ctr.js'
import type { Arena } from './arena.js'

export const NODE_BYTES = 16

/** Nodes that are grown together: so many that they stay in the processor's cache. */
const NODES_AT_ONCE = 1 << 16

/** The memory in which trees grow: all leaves, and room for the hash of a group of trees. */
export type GgmMemory = 'leaves' | 'inputs' | 'permuted' | 'sums'

export function ggmSizes(trees: number, depth: number): Record<GgmMemory, number> {
  const group = groupOf(trees, depth)
  const nodes = group * 2 ** depth * NODE_BYTES
  return {
    leaves: trees * 2 ** depth * NODE_BYTES,
    inputs: nodes,
    permuted: nodes,
    sums: group * 2 * NODE_BYTES,
  }
}

/**
 * What is known of a tree at a level before it is grown: `before` sees the sums of all left and of all right nodes, as
 * they are, and may correct nodes.
 */
export interface GgmVisitor {
  /** writes the two nodes of the first level */
  roots(tree: number, left: Uint8Array, right: Uint8Array): void
  /** @param level 2 to depth; @param sums left and right sums of that level, 16 bytes each */
  grown(tree: number, level: number, sums: Uint8Array, nodes: Uint8Array): void
}

/**
 * Correlated GGM trees whose leaves are pseudorandom (Guo, Yang, Wang, Zhang, Xie, Zhang and Liu, "Half-Tree: Halving the
 * Cost of Tree Expansion in COT and DPF", EUROCRYPT 2023, sections 3 and 4): the two nodes of the first level sum to Δ,
 * a left child is the hash of its parent and the right one the parent plus that, so that every level sums to Δ; the
 * leaves are two hashes of their parent. One AES a node.
 *
 * @param key 16 bytes, public: of the permutation that the hash is made from
 */
export function growTrees(
  memory: Arena<GgmMemory>,
  trees: number,
  depth: number,
  key: Uint8Array,
  visitor: GgmVisitor,
): void {
  const { at, bytes } = memory
  const cipher = blockCipher('aes', key.subarray(0, PRG_KEY_BYTES))
  const stride = 2 ** depth * NODE_BYTES
  const group = groupOf(trees, depth)
  for (let first = 0; first < trees; first += group) {
    const count = Math.min(group, trees - first)
    const nodesOf = (tree: number) =>
      bytes.leaves.subarray((first + tree) * stride, (first + tree + 1) * stride)
    for (let tree = 0; tree < count; tree++) {
      const nodes = nodesOf(tree)
      visitor.roots(first + tree, nodes.subarray(0, NODE_BYTES), nodes.subarray(NODE_BYTES, 2 * NODE_BYTES))
    }
    for (let level = 2; level <= depth; level++) {
      grow(memory, cipher, { from: at.leaves + first * stride, stride, trees: count }, level, level === depth)
      for (let tree = 0; tree < count; tree++) {
        const sums = bytes.sums.subarray(tree * 2 * NODE_BYTES, (tree + 1) * 2 * NODE_BYTES)
        visitor.grown(first + tree, level, sums, nodesOf(tree))
      }
    }
  }
}

function grow(
  { kernels, at, bytes }: Arena<GgmMemory>,
  cipher: BlockCipher,
  { from, stride, trees }: { readonly from: number; readonly stride: number; readonly trees: number },
  level: number,
  leaves: boolean,
): void {
  const count = 2 ** (level - 1)
  const both = leaves ? 1 : 0
  kernels.ggmInputs(from, stride, trees, count, both, at.inputs)
  const size = trees * count * NODE_BYTES * (1 + both)
  for (let start = 0; start < size; start += CIPHER_BYTES) {
    const end = Math.min(start + CIPHER_BYTES, size)
    bytes.permuted.set(cipher.encrypt(bytes.inputs.subarray(start, end)), start)
  }
  kernels.ggmGrow(from, stride, trees, count, both, at.inputs, at.permuted, at.sums)
}

const CIPHER_BYTES = 1 << 16

function groupOf(trees: number, depth: number): number {
  return Math.min(trees, Math.max(1, NODES_AT_ONCE >> depth))
}

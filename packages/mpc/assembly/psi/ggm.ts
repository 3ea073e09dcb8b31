// Trees of 16-byte nodes, level by level and in place: a tree that has `count` nodes gets twice as many, the left child of
// node j at j and its right child at count + j. So a leaf's number has the path to it, the first step in the lowest bit.

/**
 * σ(x) of every node, and behind them σ(x ⊕ 1): the input of the hash H(x) = π(σ(x)) ⊕ σ(x) (Guo, Katz, Wang and Yu,
 * "Efficient and Secure Multiparty Computation from Fixed-Key Block Ciphers", S&P 2020, section 7.3).
 *
 * @param nodes `trees` trees, `stride` bytes apart
 * @param both whether σ(x ⊕ 1) is wanted too
 * @param out 16 bytes a node, tree by tree; twice that for both
 */
export function ggmInputs(nodes: usize, stride: i32, trees: i32, count: i32, both: bool, out: usize): void {
  const behind = (<usize>trees * count) << 4
  for (let tree = 0; tree < trees; tree++) {
    for (let j = 0; j < count; j++) {
      const node = nodes + <usize>stride * tree + ((<usize>j) << 4)
      const to = out + ((<usize>(tree * count + j)) << 4)
      const low = load<u64>(node)
      const high = load<u64>(node, 8)
      store<u64>(to, low ^ high)
      store<u64>(to, low, 8)
      if (both) {
        store<u64>(to + behind, low ^ 1 ^ high)
        store<u64>(to + behind, low ^ 1, 8)
      }
    }
  }
}

/**
 * The next level: the left child is H(x), the right one x ⊕ H(x), or H(x ⊕ 1) for the leaves.
 *
 * @param inputs what `ggmInputs` gave; `permuted` the same under π
 * @param sums of each tree the sum of its left children, and that of its right ones: 32 bytes
 */
export function ggmGrow(
  nodes: usize,
  stride: i32,
  trees: i32,
  count: i32,
  both: bool,
  inputs: usize,
  permuted: usize,
  sums: usize,
): void {
  const behind = (<usize>trees * count) << 4
  for (let tree = 0; tree < trees; tree++) {
    let lefts = i64x2.splat(0)
    let rights = i64x2.splat(0)
    for (let j = 0; j < count; j++) {
      const node = nodes + <usize>stride * tree + ((<usize>j) << 4)
      const at = (<usize>(tree * count + j)) << 4
      const left = v128.xor(v128.load(inputs + at), v128.load(permuted + at))
      const right = both
        ? v128.xor(v128.load(inputs + at + behind), v128.load(permuted + at + behind))
        : v128.xor(v128.load(node), left)
      v128.store(node, left)
      v128.store(node + ((<usize>count) << 4), right)
      lefts = v128.xor(lefts, left)
      rights = v128.xor(rights, right)
    }
    v128.store(sums + ((<usize>tree) << 5), lefts)
    v128.store(sums + ((<usize>tree) << 5), rights, 16)
  }
}

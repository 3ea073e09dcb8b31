/** The first address that a caller may use: what lies below belongs to the kernels. */
export function arenaStart(): usize {
  return (__heap_base + 63) & ~(<usize>63)
}

// Kernels of private set intersection, compiled to WebAssembly with SIMD. They work on columns of a linear memory that
// the caller lays out from `arenaStart` on: memory is made for a run, as large as its columns, and let go with it.
export { arenaStart } from './psi/arena'
export { blake3Keyed } from './psi/blake3'

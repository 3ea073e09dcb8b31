// Kernels of private set intersection, compiled to WebAssembly with SIMD. They work on columns of a linear memory that
// the caller lays out from `arenaStart` on: memory is made for a run, as large as its columns, and let go with it.
export { arenaStart } from './psi/arena'
export { blake3Keyed } from './psi/blake3'
export { cuckooInsert, threeBins } from './psi/cuckoo'
export { buildTable, markMatches } from './psi/join'
export { binsToItems, fillBins, kkrtInputs } from './psi/kkrt'
export { columnsToRows, compact, xorInto, xorIntoStrided, xorMasked } from './psi/rows'

// Kernels of private set intersection, compiled to WebAssembly with SIMD. They work on columns of a linear memory that
// the caller lays out from `arenaStart` on: memory is made for a run, as large as its columns, and let go with it.
export { arenaStart } from './psi/arena'
export { blake3Keyed } from './psi/blake3'
export { cuckooInsert, threeBins } from './psi/cuckoo'
export { findWords, numberWords, pointsAround } from './psi/curve25519'
export { convolute, convoluteWrap, expand, expandPairs, pairUp } from './psi/expand-convolute'
export { gfCombine, gfMultiplyInto, gfTable } from './psi/gf128'
export { ggmGrow, ggmInputs } from './psi/ggm'
export { buildIndex, buildTable, findPlaces, keepDistinct, markMatches } from './psi/join'
export { binsToItems, fillBins, kkrtInputs } from './psi/kkrt'
export {
  okvsDecode,
  okvsGroup,
  okvsPeel,
  okvsRows,
  okvsSubstitute,
  okvsTables,
  okvsValues,
} from './psi/okvs'
export { countUp, gatherPieces, shuffle } from './psi/permute'
export { columnsToRows, compact, flipWhere, xorInto, xorIntoStrided, xorMasked } from './psi/rows'

export { checkDisclosure } from './check.js'
export type * from './evidence.js'
export { unsettled } from './judge.js'
export { CheckedResult, type RawContents, RawResult, type Suppression, sealRawResult } from './results.js'

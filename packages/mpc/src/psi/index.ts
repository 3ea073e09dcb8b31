export { type EcdhOptions, ecdhPsi, type Intersection, type Learns } from './ecdh.js'
export { type EcdhSum, type EcdhSumOptions, ecdhSum } from './ecdh-sum.js'
export { type DistinctItems, distinct, HashIndex } from './hash-index.js'
export { type HelperOptions, type HelperOutcome, helperPsi } from './helper.js'
export { boundToSession, ITEM_BYTES, type ItemHashes, itemHashes } from './item-hash.js'
export { BUCKET_ITEMS, bucketBound, bucketCount, goesInBuckets, PARTITIONS } from './job/buckets.js'
export { estimatePsi, type PsiEstimate } from './job/estimate.js'
export { type PsiColumns, type PsiItems, readPsiItems } from './job/items.js'
export {
  freshPsiJob,
  PSI_PROTOCOLS,
  type PsiJob,
  type PsiProtocolName,
  paddedSize,
  parsePsiJob,
  psiEnforcesMinimum,
  psiJobDigest,
  psiLearns,
  psiOwners,
  psiPartyIndex,
  psiSeesCount,
} from './job/job.js'
export {
  approvePsi,
  checkPsiApproval,
  type FingerprintedItems,
  itemCount,
  type OpenedInput,
  openInputs,
  type PsiApproval,
  type PsiCommitment,
} from './job/opening.js'
export { decodePayload, encodePayload, type PsiPayload } from './job/payload.js'
export { checkPreparedSide, type PreparedInJob, type PreparedSide, preparedOf } from './job/prepared.js'
export { type KeyColumn, type Keys, keysOf } from './keys.js'
export { kkrt16 } from './kkrt16.js'
export { type LogarithmOptions, logarithm, MAXIMUM_LOGARITHM } from './logarithm.js'
export { NORMALIZATIONS, type Normalization, normalized, normalizedText } from './normalize.js'
export { Oprf } from './oprf.js'
export { permuted, randomPermutation } from './permutation.js'
export {
  type AskOptions,
  answerPrepared,
  askPrepared,
  evaluateItems,
  newPreparedKey,
  type PreparedKey,
  publicHalf,
  rotatedKey,
} from './prepared.js'
export {
  decodeHead,
  encodeHead,
  HEAD_BYTES,
  isPrepared,
  type PreparedColumns,
  type PreparedHead,
  preparedDigest,
  VALUE_BYTES,
} from './prepared-layout.js'
export type { PsiChannel, PsiProtocol, PsiReceiver, PsiSender } from './protocol.js'
export { Questions } from './questions.js'
export { expandMessage, loadRistretto, POINT_BYTES, type Ristretto, SCALAR_BYTES } from './ristretto.js'
export { rr22 } from './rr22.js'

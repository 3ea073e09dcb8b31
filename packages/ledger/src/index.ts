export {
  type Checkpoint,
  cosignCheckpoint,
  keepSignatures,
  mergeCosignatures,
  parseCheckpoint,
  signCheckpoint,
  verifyCheckpoint,
  verifyCosignature,
} from './checkpoint/checkpoint.js'
export { formatNote, type Note, type NoteSignature, parseNote } from './checkpoint/note.js'
export { type Commitment, type CommitmentPurpose, commit, openCommitment } from './entries/commitment.js'
export {
  cosign,
  ENTRY_BYTES,
  Envelope,
  type EnvelopeSignature,
  merge,
  openEnvelope,
  sign,
  verifyEnvelope,
} from './entries/envelope.js'
export type * from './entries/predicates.js'
export { MADE_IN_ZONE, PREDICATE_TYPES } from './entries/predicates.js'
export { parsePredicate } from './entries/schemas.js'
export { type Statement, statement } from './entries/statement.js'
export { type Trust, trustOf } from './entries/trust.js'
export { createReceipt, parseReceipt, type Receipt, receiptBytes } from './receipts/receipt.js'
export { type Released, type ReleaseOptions, release } from './release/release.js'
export { eraseReleased, type ReleasedResult, readReleased, sweepResults } from './release/result-file.js'
export {
  type Look,
  PreparedSample,
  prepareSample,
  type ReleasedSample,
  releaseSample,
} from './release/sample.js'
export type { Files, Lock, OpenFile } from './store/files.js'
export { Ledger, type LedgerOptions } from './store/ledger.js'
export { nodeFiles } from './store/node-files.js'
export type { Entry, ExclusiveOptions, LedgerReader, LedgerWriter, Untimed } from './store/types.js'
export { type WitnessOptions, witness } from './store/witness.js'
export type { Thresholds } from './store/writer.js'
export { CompactRange } from './tree/compact-range.js'
export { emptyRoot, leafHash, nodeHash } from './tree/hashes.js'
export {
  consistencyProof,
  inclusionProof,
  type SubtreeReader,
  verifyConsistency,
  verifyInclusion,
} from './tree/proofs.js'
export { decodeBundle, encodeBundle, tileLevels, tilePath, tileReader, tileWidth } from './tree/tiles.js'

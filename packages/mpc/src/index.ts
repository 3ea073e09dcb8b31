export { PartyLedger } from '@sluice/ledger/party'
export { examine, fingerprintKey, type InputForm, type InputSource } from './job/input.js'
export { ofOperation } from './job/invalid.js'
export {
  freshJob,
  type JointColumn,
  type JointInput,
  type JointJob,
  type JointOperation,
  jobDigest,
  parseInputForm,
  parseJob,
  type Statistic,
} from './job/job.js'
export { MPC_ENGINE, schemaOf } from './job/query.js'
export type { JointTable } from './job/result.js'
export { approveJob, isApproved } from './session/approval.js'
export type { Participant, SessionJob } from './session/hello.js'
export { LINK_LIMITS, type LinkLimits, type Transcript } from './session/link.js'
export {
  type Exchange,
  type Incoming,
  type LocalRun,
  type Outgoing,
  PAUSE,
  type Protocol,
  runLocally,
  together,
} from './session/protocol.js'
export { Session, type SessionOptions, type Traffic } from './session/session.js'
export { MpcExecutor, type MpcInputs } from './transport/executor.js'
export {
  type JointEvent,
  type JointResult,
  type RunJointOptions,
  runJoint,
} from './transport/joint.js'
export { inOrder } from './transport/joint-inputs.js'
export { memoryMesh, memoryPair } from './transport/memory.js'
export { reservePort } from './transport/ports.js'
export {
  estimatePreparation,
  fingerprintFile,
  type Prepared,
  type PrepareOptions,
  prepareSet,
} from './transport/prepared/prepare.js'
export { PreparedFile } from './transport/prepared/prepared-file.js'
export { loadPrepared, type RunPreparedOptions, runPrepared } from './transport/prepared/run.js'
export type { BucketProgress } from './transport/psi/resumable.js'
export {
  type KeptItemsOptions,
  PsiStoredItems,
  type StoredItemsOptions,
} from './transport/psi/stored-items.js'
export { type PsiResult, type RunPsiOptions, runPsi } from './transport/psi.js'
export { type Endpoint, type MeetEvent, type MeetOptions, meet } from './transport/tls.js'

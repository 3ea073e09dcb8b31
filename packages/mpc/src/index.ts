export { type Condition, freshJob, type JointColumn, type JointJob, jobDigest, parseJob } from './job/job.js'
export { approveJob, isApproved } from './session/approval.js'
export type { Participant, SessionJob } from './session/hello.js'
export { LINK_LIMITS, type LinkLimits } from './session/link.js'
export {
  type Exchange,
  type Incoming,
  type LocalRun,
  type Outgoing,
  type Protocol,
  runLocally,
  together,
} from './session/protocol.js'
export { Session, type SessionOptions, type Traffic } from './session/session.js'
export { type JointCell, type JointResult, type RunJointOptions, runJoint } from './transport/joint.js'
export { memoryMesh, memoryPair } from './transport/memory.js'
export { type PsiResult, type RunPsiOptions, runPsi } from './transport/psi.js'
export { type Endpoint, type MeetEvent, type MeetOptions, meet } from './transport/tls.js'

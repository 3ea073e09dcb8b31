import type { Command } from 'commander'
import type { Act } from '../program.js'
import { addAnonymize } from './anonymize.js'
import { addApprove } from './approve.js'
import { addClassify } from './classify.js'
import { addCompletion } from './completion.js'
import { addDataset } from './dataset.js'
import { addDesensitize } from './desensitize.js'
import { addDoctor } from './doctor.js'
import { addHe } from './he.js'
import { addInit } from './init.js'
import { addJoint } from './joint.js'
import { addKey } from './key.js'
import { addLedger } from './ledger.js'
import { addPolicy } from './policy.js'
import { addPrincipal } from './principal.js'
import { addPsi } from './psi.js'
import { addReject } from './reject.js'
import { addRelease } from './release.js'
import { addRequest } from './request.js'
import { addRevoke } from './revoke.js'
import { addRun } from './run.js'
import { addSign } from './sign.js'
import { addStatus } from './status.js'
import { addToken } from './token.js'

/** In the order of the work: set up, register, ask, sign, run, release, verify. */
export const COMMANDS: readonly ((program: Command, act: Act) => void)[] = [
  addInit,
  addKey,
  addPrincipal,
  addDataset,
  addPolicy,
  addAnonymize,
  addDesensitize,
  addClassify,
  addRequest,
  addSign,
  addApprove,
  addReject,
  addRevoke,
  addRun,
  addRelease,
  addLedger,
  addHe,
  addJoint,
  addPsi,
  addToken,
  addStatus,
  addDoctor,
  addCompletion,
]

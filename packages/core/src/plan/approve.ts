import { type ErrorCode, isSluiceError, SluiceError } from '../errors.js'
import { visibleText } from '../text.js'
import { type ApprovedPlan, sealApprovedPlan } from './approved.js'
import { checkParameters, type ParameterRanges, type ParameterValues } from './parameters.js'
import type { DatasetFacts, RequiredApproval, ReviewedPlan } from './review-types.js'
import { mayDo, type Role } from './states.js'

/** An approval whose signature and signer were verified, with what the ledger says of it. */
export interface VerifiedApproval {
  readonly approver: string
  /** the approver's role now */
  readonly role: Role
  /** what was signed */
  readonly requestDigest: string
  /** ISO 8601 */
  readonly expires: string
  readonly maxRuns: number
  readonly runsUsed: number
  /** `same-schema` stands for later versions too, where the dataset's policy allows that */
  readonly datasetVersions: 'exact' | 'same-schema'
  /** narrower ranges than the request's; empty: the request's */
  readonly parameters: ParameterRanges
  readonly revoked: boolean
  /** 128 random bits, hexadecimal; an approval counts once */
  readonly nonce: string
}

/** What the request bound when it was signed. */
export interface RequestFacts {
  readonly digest: string
  readonly consumer: string
  readonly planDigest: string
  readonly engine: string
  readonly datasets: readonly Pick<DatasetFacts, 'name' | 'version' | 'fingerprint' | 'policyDigest'>[]
  /** runs that the request asked for; null: as many as the approvals allow */
  readonly maxRuns: number | null
}

export interface ApprovalInput {
  readonly request: RequestFacts
  /** the request's plan, reviewed against the datasets and policies as they are now */
  readonly reviewed: ReviewedPlan
  readonly approvals: readonly VerifiedApproval[]
  /** as `parseParameters` gives them */
  readonly parameters: ParameterValues
  /** the engine that will run it, with its semantics version */
  readonly engine: string
  /** runs taken so far, over all approvals */
  readonly runsSoFar: number
  readonly now: Date
}

/**
 * Decides whether a plan may run now, with these parameters, on these versions. Pure; signatures are verified before.
 *
 * Who counts: every dataset's owner as a provider, reviewers and m of the named principals where a policy asks them;
 * distinct principals, never the consumer who asks, never an operator (管运分离). An approval counts while it is for
 * this request, unrevoked, unexpired and not used up, for these versions and parameters.
 *
 * @throws SluiceError NOT_APPROVED, or what is wrong with the approval that would have been enough:
 * APPROVAL_REVOKED, APPROVAL_EXPIRED, APPROVAL_EXHAUSTED, APPROVAL_MISMATCH, PARAMETER_INVALID; SELF_APPROVAL,
 * ROLE_DENIED, APPROVAL_DUPLICATE where an approval should never have been made
 */
export function approvePlan(input: ApprovalInput): ApprovedPlan {
  const { request, reviewed, parameters, approvals, now } = input
  checkBinding(input)
  checkSigners(input)
  for (const { name, policy } of reviewed.datasets) {
    if (policy.expires !== null && !(Date.parse(policy.expires) > now.getTime())) {
      throw new SluiceError('POLICY_DENIED', `the policy of dataset "${visibleText(name)}" has ended`, {
        rule: 'policy.expires',
        remedy: 'Ask its owner for a new policy.',
      })
    }
  }
  checkParameters(reviewed.plan.parameters, parameters)
  if (request.maxRuns !== null && input.runsSoFar >= request.maxRuns) {
    throw new SluiceError('APPROVAL_EXHAUSTED', 'the request has no run left', {
      rule: 'request.runs',
      remedy: 'Submit a new request.',
      facts: { runs: request.maxRuns },
    })
  }
  const counted = new Set<VerifiedApproval>()
  for (const required of reviewed.approvals) {
    for (const approval of signaturesFor(required, approvals, input)) counted.add(approval)
  }
  return sealApprovedPlan({
    reviewed,
    requestDigest: request.digest,
    parameters,
    approvals: [...counted].map(approval => approval.nonce),
  })
}

/** What the signatures cover has to be what would run. */
function checkBinding({ request, reviewed, engine }: ApprovalInput): void {
  const mismatch = (rule: string, what: string) =>
    new SluiceError('APPROVAL_MISMATCH', `${what} is not what was signed`, {
      rule: `approval.${rule}`,
      remedy: 'Submit a new request, and have it approved.',
    })
  if (reviewed.planDigest !== request.planDigest) throw mismatch('plan', 'the plan')
  if (engine !== request.engine) throw mismatch('engine', 'the engine')
  if (reviewed.datasets.length !== request.datasets.length) throw mismatch('datasets', 'the list of datasets')
  for (const dataset of reviewed.datasets) {
    const name = visibleText(dataset.name)
    const signed = request.datasets.find(candidate => candidate.name === dataset.name)
    if (signed === undefined) throw mismatch('datasets', 'the list of datasets')
    if (signed.policyDigest !== dataset.policyDigest) throw mismatch('policy', `the policy of "${name}"`)
    const same = signed.version === dataset.version
    if (same ? signed.fingerprint !== dataset.fingerprint : dataset.version < signed.version) {
      throw mismatch('version', `the version of "${name}"`)
    }
  }
}

function checkSigners({ request, approvals }: ApprovalInput): void {
  const nonces = new Set<string>()
  for (const { approver, role, nonce } of approvals) {
    if (nonces.has(nonce)) {
      throw new SluiceError('APPROVAL_DUPLICATE', 'an approval stands twice', {
        rule: 'approval.nonce',
        remedy: 'Give each signed approval once.',
      })
    }
    nonces.add(nonce)
    if (approver === request.consumer) {
      throw new SluiceError('SELF_APPROVAL', 'a consumer cannot approve their own request', {
        rule: 'approval.self',
        remedy: 'Have others sign it.',
      })
    }
    if (!mayDo(role, 'approve')) {
      throw new SluiceError('ROLE_DENIED', `"${visibleText(approver)}" is ${role} and cannot approve`, {
        rule: 'role.approve',
        remedy: 'Have providers and reviewers sign it.',
      })
    }
  }
}

/** So many valid approvals of distinct principals as are required, or the reason why not. */
function signaturesFor(
  required: RequiredApproval,
  approvals: readonly VerifiedApproval[],
  input: ApprovalInput,
): VerifiedApproval[] {
  const eligible = approvals
    .filter(({ approver, role }) => {
      const named = required.principals === null || required.principals.includes(approver)
      return named && (required.role === null || required.role === role)
    })
    // what ends first is used first
    .sort((a, b) => Date.parse(a.expires) - Date.parse(b.expires) || (a.nonce < b.nonce ? -1 : 1))
  const valid = new Map<string, VerifiedApproval>()
  let reason: SluiceError | undefined
  for (const approval of eligible) {
    if (valid.has(approval.approver)) continue
    const problem = problemOf(approval, input)
    if (problem === null) valid.set(approval.approver, approval)
    else reason ??= problem
  }
  const enough = [...valid.values()].slice(0, required.count)
  if (enough.length === required.count) return enough
  throw reason ?? missing(required, valid.size)
}

function problemOf(approval: VerifiedApproval, input: ApprovalInput): SluiceError | null {
  const who = `the approval of "${visibleText(approval.approver)}"`
  const problem = (code: ErrorCode, rule: string, what: string) =>
    new SluiceError(code, `${who} ${what}`, {
      rule: `approval.${rule}`,
      remedy: 'Ask for a new approval.',
      facts: { approver: visibleText(approval.approver) },
    })
  const { request, reviewed, now } = input
  if (approval.requestDigest !== request.digest)
    return problem('APPROVAL_MISMATCH', 'request', 'is for another request')
  if (approval.revoked) return problem('APPROVAL_REVOKED', 'revoked', 'was revoked')
  if (!(Date.parse(approval.expires) > now.getTime()))
    return problem('APPROVAL_EXPIRED', 'expires', 'has expired')
  if (approval.runsUsed >= approval.maxRuns) return problem('APPROVAL_EXHAUSTED', 'runs', 'has no run left')
  if (!coversVersions(approval, request, reviewed)) {
    return problem('APPROVAL_MISMATCH', 'version', 'is for another version of a dataset')
  }
  try {
    checkParameters(reviewed.plan.parameters, input.parameters, [approval.parameters])
    return null
  } catch (error) {
    if (isSluiceError(error)) return error
    throw error
  }
}

/** An owner's approval has to cover its own datasets; the approval of one who owns none has to cover them all. */
function coversVersions(approval: VerifiedApproval, request: RequestFacts, reviewed: ReviewedPlan): boolean {
  const own = reviewed.datasets.filter(dataset => dataset.owner === approval.approver)
  return (own.length > 0 ? own : reviewed.datasets).every(dataset => {
    const signed = request.datasets.find(candidate => candidate.name === dataset.name)!
    if (signed.version === dataset.version) return true
    return approval.datasetVersions === 'same-schema' && dataset.policy.laterVersions
  })
}

function missing({ reason, role, principals, count }: RequiredApproval, have: number): SluiceError {
  const whom = principals === null ? `a ${role}` : principals.map(visibleText).join(', ')
  return new SluiceError('NOT_APPROVED', `a needed approval is missing: ${visibleText(reason)}`, {
    rule:
      role === 'provider' ? 'approval.owner' : role === 'reviewer' ? 'approval.reviewer' : 'approval.named',
    remedy: count > 1 ? `Have ${count} of ${whom} sign it; ${have} so far.` : `Have it signed by ${whom}.`,
    facts: { required: count, present: have },
  })
}

import { SluiceError } from '@sluice/core'
import { type RequestEvent, requireRole, transition } from '@sluice/core/plan'
import type { Approval, Rejection, Revocation, Role } from '@sluice/ledger'
import { requestStatus } from '../request/status.js'
import type { OpenedEnvelope } from '../zone/context.js'
import type { RequestState, ZoneState } from '../zone/state.js'

/**
 * Whether a decision that was signed elsewhere may enter the ledger. Its signatures hold already; here: is it for
 * this zone, from somebody whose role allows it, not used before, not expired, and does the request's state allow it.
 */
export function assertAcceptable(
  state: ZoneState,
  { predicate, signers }: OpenedEnvelope,
  now: Date,
): RequestState {
  if (predicate.kind !== 'approval' && predicate.kind !== 'rejection' && predicate.kind !== 'revocation') {
    throw new SluiceError(
      'FILE_FORMAT',
      `this file is a signed ${predicate.kind}, not a decision on a request`,
      {
        rule: 'approval.form',
        remedy: 'Import the file that `sluice sign` wrote.',
      },
    )
  }
  const [name, second] = signers
  if (name === undefined || second !== undefined) {
    throw new SluiceError('SIGNATURE_INVALID', 'a decision on a request has exactly one signature', {
      rule: 'approval.signers',
    })
  }
  if (predicate.kind === 'approval') assertForThisZone(state, predicate)
  const request = state.requests.get(predicate.requestDigest)
  if (!request) {
    throw new SluiceError('APPROVAL_MISMATCH', 'it is signed for a request that this zone does not have', {
      rule: 'approval.request',
      remedy: 'Export the request from this zone, and sign that file.',
    })
  }
  if (request.document.consumer === name) {
    throw new SluiceError('SELF_APPROVAL', 'nobody decides on their own request', {
      rule: 'approval.self',
      remedy: 'The consumer can take the request back with `sluice request withdraw`.',
    })
  }
  if (predicate.kind === 'approval') assertFresh(state, request, predicate, name, now)
  assertAllowed(state, request, predicate, name, now)
  return request
}

function assertForThisZone(state: ZoneState, approval: Approval): void {
  if (approval.zone === state.founding.zone) return
  throw new SluiceError('APPROVAL_MISMATCH', 'the approval was given in another zone', {
    rule: 'approval.zone',
    remedy: 'Export the request from this zone, and sign that file.',
  })
}

function assertFresh(
  state: ZoneState,
  request: RequestState,
  approval: Approval,
  signer: string,
  now: Date,
): void {
  if (approval.approver !== signer) {
    throw new SluiceError(
      'SIGNATURE_INVALID',
      'the approval is signed by somebody other than the approver it names',
      {
        rule: 'approval.signers',
      },
    )
  }
  if (state.nonces.has(approval.nonce)) {
    throw new SluiceError('APPROVAL_DUPLICATE', 'this approval is in the ledger already; it counts once', {
      rule: 'approval.nonce',
      remedy: 'Sign the request once more for another approval.',
    })
  }
  if (Date.parse(approval.expires) <= now.getTime()) {
    throw new SluiceError('APPROVAL_EXPIRED', 'the approval has expired', {
      rule: 'approval.expires',
      remedy: 'Sign the request again, with a later expiry.',
    })
  }
  const standing = request.approvals.some(
    given =>
      given.approval.approver === signer &&
      !given.revoked &&
      given.runsUsed < given.approval.maxRuns &&
      Date.parse(given.approval.expires) > now.getTime(),
  )
  if (standing) {
    throw new SluiceError(
      'APPROVAL_DUPLICATE',
      `"${signer}" has approved this request, and that approval stands`,
      {
        rule: 'approval.twice',
        remedy: 'Revoke the one that stands first, if the new one should replace it.',
      },
    )
  }
}

/** "May this person do it" and "may this state do it" are separate questions; see `core/plan/states`. */
function assertAllowed(
  state: ZoneState,
  request: RequestState,
  predicate: Approval | Rejection | Revocation,
  name: string,
  now: Date,
): void {
  const role = state.principals.get(name)?.role as Role
  const event: RequestEvent = ({ approval: 'approve', rejection: 'reject', revocation: 'revoke' } as const)[
    predicate.kind
  ]
  requireRole(role, event)
  if (role === 'provider' && !ownsSome(state, request, name) && !isNamed(state, request, name)) {
    throw new SluiceError(
      'ROLE_DENIED',
      `"${name}" owns none of the datasets in this request, nor does a policy name it`,
      {
        rule: 'approval.owner',
        remedy: 'The owner of each dataset has to decide.',
      },
    )
  }
  transition(requestStatus(state, request, now), event)
}

function ownsSome(state: ZoneState, request: RequestState, name: string): boolean {
  return request.document.datasets.some(
    ({ name: dataset }) => state.datasets.get(dataset)?.facts.owner === name,
  )
}

function isNamed(state: ZoneState, request: RequestState, name: string): boolean {
  return request.document.datasets.some(({ name: dataset }) =>
    state.datasets.get(dataset)?.facts.policy.approvals.named?.of.includes(name),
  )
}

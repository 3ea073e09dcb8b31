import { isSluiceError } from '@sluice/core'
import { type RequiredApproval, reviewPlan, type RequestState as Status } from '@sluice/core/plan'
import { factsFor } from '../catalogue/lookup.js'
import type { GivenApproval, RequestState, ZoneState } from '../zone/state.js'

export type { RequestState as RequestStatus } from '@sluice/core/plan'

/** Where a request stands in the table of states (`core/plan/states`), as the ledger and the clock have it. */
export function requestStatus(state: ZoneState, request: RequestState, now: Date): Status {
  if (request.withdrawn) return 'withdrawn'
  if (request.rejectedBy !== null) return 'rejected'
  if (request.revokedBy !== null || request.approvals.some(given => given.revoked)) return 'revoked'
  const required = requiredApprovals(state, request, now)
  if (required === null) return 'submitted'
  const everyoneHas = (counts: (given: GivenApproval) => boolean) =>
    required.every(needed => signersOf(needed, request.approvals.filter(counts)).size >= needed.count)
  const inTime = (given: GivenApproval) => Date.parse(given.approval.expires) > now.getTime()
  const hasRuns = (given: GivenApproval) => given.runsUsed < given.approval.maxRuns
  if (!everyoneHas(() => true)) return 'submitted'
  if (request.runs.length >= request.document.maxRuns) return 'exhausted'
  if (everyoneHas(given => inTime(given) && hasRuns(given))) return 'approved'
  return everyoneHas(inTime) ? 'exhausted' : 'expired'
}

/** Null where the policies in force now would refuse the request, so that nothing can complete it. */
function requiredApprovals(
  state: ZoneState,
  request: RequestState,
  now: Date,
): readonly RequiredApproval[] | null {
  const { plan, purpose, consumer } = request.document
  try {
    return reviewPlan(plan, factsFor(state, request.document), { purpose, consumer, now }).approvals
  } catch (error) {
    if (isSluiceError(error) && error.code !== 'INTERNAL') return null
    throw error
  }
}

function signersOf({ role, principals }: RequiredApproval, approvals: readonly GivenApproval[]): Set<string> {
  return new Set(
    approvals
      .filter(
        given =>
          (role === null || role === given.role) && (principals?.includes(given.approval.approver) ?? true),
      )
      .map(given => given.approval.approver),
  )
}

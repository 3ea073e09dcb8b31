import { SluiceError } from '@sluice/core'
import {
  type ApprovedPlan,
  approvePlan,
  type DatasetFacts,
  type ParameterValues,
  planDigest,
  reviewPlan,
  type VerifiedApproval,
} from '@sluice/core/plan'
import type { Run } from '@sluice/ledger'
import { factsFor } from '../catalogue/lookup.js'
import { DUCKDB_ENGINE } from '../duckdb/executor.js'
import type { DatasetBinding } from '../request/document.js'
import { schemaDigest } from '../request/document.js'
import type { RequestState, ZoneState } from '../zone/state.js'

export interface Decision {
  readonly approved: ApprovedPlan
  /** entry indexes of the approvals that it stands on */
  readonly approvals: readonly number[]
}

/**
 * May this request run now, with these parameters, as the ledger stands? Asked before a run, and again before its
 * release: `taken` is then the run itself, which its own allowance does not count against.
 *
 * @throws SluiceError whatever `approvePlan` and `reviewPlan` refuse; STATE_DENIED, APPROVAL_REVOKED, KEY_UNKNOWN,
 *   APPROVAL_MISMATCH
 */
export function decide(
  state: ZoneState,
  request: RequestState,
  parameters: ParameterValues,
  now: Date,
  { taken, engine = DUCKDB_ENGINE }: { readonly taken?: Pick<Run, 'run'>; readonly engine?: string } = {},
): Decision {
  assertStanding(state, request)
  const { document } = request
  const datasets = factsFor(state, document)
  assertSameSchemas(document.datasets, datasets)
  const { plan, purpose, consumer } = document
  const used = request.runs.find(run => run.run === taken?.run)?.approvals ?? []
  const approved = approvePlan({
    request: { ...document, digest: request.digest, planDigest: planDigest(plan) },
    reviewed: reviewPlan(plan, datasets, { purpose, consumer, now }),
    approvals: standingApprovals(state, request, used),
    parameters,
    engine,
    runsSoFar: request.runs.length - (taken ? 1 : 0),
    now,
  })
  const approvals = request.approvals
    .filter(given => approved.approvals.includes(given.approval.nonce))
    .map(given => given.entry)
  return { approved, approvals }
}

function standingApprovals(
  state: ZoneState,
  request: RequestState,
  used: readonly number[],
): VerifiedApproval[] {
  return request.approvals
    .filter(given => state.principals.get(given.approval.approver)?.removed === false)
    .map(given => ({
      ...given.approval,
      role: given.role,
      revoked: given.revoked,
      runsUsed: given.runsUsed - (used.includes(given.entry) ? 1 : 0),
    }))
}

function assertStanding(state: ZoneState, request: RequestState): void {
  if (request.revokedBy !== null) {
    throw new SluiceError('APPROVAL_REVOKED', `the request was revoked by "${request.revokedBy}"`, {
      rule: 'request.revoked',
      remedy: 'Submit a new request.',
    })
  }
  if (request.rejectedBy !== null || request.withdrawn) {
    throw new SluiceError('STATE_DENIED', `the request was ${request.withdrawn ? 'withdrawn' : 'rejected'}`, {
      rule: 'state.run',
      remedy: 'Submit a new request.',
    })
  }
  if (state.principals.get(request.document.consumer)?.removed === false) return
  throw new SluiceError('KEY_UNKNOWN', `the consumer "${request.document.consumer}" is enrolled no more`, {
    rule: 'request.consumer',
    remedy: 'Results are released to enrolled consumers only.',
  })
}

/** "Any later version" means one with the same owner, columns and unique keys. */
function assertSameSchemas(bindings: readonly DatasetBinding[], datasets: readonly DatasetFacts[]): void {
  for (const facts of datasets) {
    const binding = bindings.find(({ name }) => name === facts.name)
    if (binding?.schemaDigest === schemaDigest(facts)) continue
    throw new SluiceError(
      'APPROVAL_MISMATCH',
      `the schema of dataset "${facts.name}" is not the one that was signed`,
      {
        rule: 'approval.schema',
        remedy: 'Submit a new request, and have it approved.',
      },
    )
  }
}

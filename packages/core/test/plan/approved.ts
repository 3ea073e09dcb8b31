import {
  type ApprovalInput,
  type ApprovedPlan,
  approvePlan,
  type DatasetFacts,
  type Plan,
  type ReviewedPlan,
  reviewPlan,
  type VerifiedApproval,
} from '@sluice/core/plan'

export const NOW = new Date('2026-01-01T00:00:00Z')

export function reviewed(plan: Plan, datasets: readonly DatasetFacts[]): ReviewedPlan {
  return reviewPlan(plan, datasets, { purpose: 'credit-risk', consumer: 'insurer', now: NOW })
}

let nonces = 0

export function approval(approver: string, more: Partial<VerifiedApproval> = {}): VerifiedApproval {
  return {
    approver,
    role: 'provider',
    requestDigest: 'request',
    expires: '2026-02-01T00:00:00Z',
    maxRuns: 3,
    runsUsed: 0,
    datasetVersions: 'exact',
    parameters: {},
    revoked: false,
    nonce: String(nonces++).padStart(32, '0'),
    ...more,
  }
}

/** All that an approval needs, with a signature of everybody who is asked. */
export function approvalInput(plan: ReviewedPlan, more: Partial<ApprovalInput> = {}): ApprovalInput {
  return {
    reviewed: plan,
    request: {
      digest: 'request',
      consumer: 'insurer',
      planDigest: plan.planDigest,
      engine: 'duckdb/1',
      datasets: plan.datasets,
      maxRuns: null,
    },
    approvals: plan.approvals.flatMap(({ role, principals, count }) =>
      role === 'reviewer'
        ? [approval('reviewer', { role })]
        : (principals ?? []).slice(0, count).map(name => approval(name)),
    ),
    parameters: {},
    engine: 'duckdb/1',
    runsSoFar: 0,
    now: NOW,
    ...more,
  }
}

export function approved(plan: Plan, datasets: readonly DatasetFacts[]): ApprovedPlan {
  return approvePlan(approvalInput(reviewed(plan, datasets)))
}

import { randomBytes } from 'node:crypto'
import { canonicalDigest, isSluiceError, SluiceError } from '@sluice/core'
import {
  type ApprovedPlan,
  approvePlan,
  type Plan,
  planDigest,
  type ReviewedPlan,
  reviewPlan,
  type VerifiedApproval,
} from '@sluice/core/plan'
import type { SampleRule } from '@sluice/core/policy'
import type { SampleConsent } from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import { expiryFrom } from '../approval/expiry.js'
import { findDataset } from '../catalogue/lookup.js'
import { DUCKDB_ENGINE } from '../duckdb/executor.js'
import { assertPrincipal } from '../principal/check.js'
import type { ZoneContext } from '../zone/context.js'
import type { DatasetState, ZoneState } from '../zone/state.js'

const DEFAULT_EXPIRY = '90d'
const HOUR = 3_600_000

/** What a stand-in may be made of, for whom: as the ledger stands. */
export interface SampleGrant {
  readonly dataset: DatasetState
  readonly rule: SampleRule
  readonly consumer: string
  readonly rows: number
  readonly approvals: readonly VerifiedApproval[]
  /** entry indexes of the consents that it stands on */
  readonly consents: readonly number[]
}

export async function consentToSample(
  zone: ZoneContext,
  name: string,
  approver: Signer,
  { expires = DEFAULT_EXPIRY }: { readonly expires?: string | Date },
): Promise<SampleConsent> {
  return zone.change(async transaction => {
    const { facts } = findDataset(transaction.state, name)
    assertPrincipal(transaction.state, approver, ['provider', 'reviewer'])
    ruleOf(facts)
    const now = zone.now()
    const consent: SampleConsent = {
      kind: 'sample-consent',
      time: now.toISOString(),
      zone: transaction.state.founding.zone,
      dataset: name,
      version: facts.version,
      policyDigest: facts.policyDigest,
      approver: approver.name,
      expires: expiryFrom(expires, now).toISOString(),
      nonce: randomBytes(16).toString('hex'),
    }
    await transaction.append(consent, approver)
    return consent
  })
}

/**
 * May a stand-in of this dataset be given to this consumer? The owner's consent is the policy, which it signed; the
 * others whom the policy asks have consented to that policy and version.
 *
 * @throws SluiceError NAME_UNKNOWN, POLICY_DENIED `sample.mode` `sample.rows` `policy.expires`, CONSUMER_DENIED,
 *   NOT_APPROVED, USAGE
 */
export function sampleGrant(
  state: ZoneState,
  name: string,
  asked: { readonly consumer?: string | undefined; readonly rows?: number | undefined },
  now: Date,
): SampleGrant {
  const dataset = findDataset(state, name)
  const { policy } = dataset.facts
  const rule = ruleOf(dataset.facts)
  const rows = asked.rows ?? rule.rows
  if (!Number.isSafeInteger(rows) || rows < 1 || rows > rule.rows) {
    throw new SluiceError('POLICY_DENIED', `a stand-in of "${name}" has at most ${rule.rows} rows`, {
      rule: 'sample.rows',
      remedy: `Ask for 1 to ${rule.rows} rows.`,
    })
  }
  const consumer = consumerOf(state, dataset, asked.consumer)
  const enrolled = (who: string) => state.principals.get(who)?.removed === false && who !== consumer
  const { owner } = dataset.facts
  const given = dataset.consents
    .filter(({ consent }) => enrolled(consent.approver) && Date.parse(consent.expires) > now.getTime())
    .map(({ entry, consent, role }) => ({
      entry,
      approval: approvalOf(consent.approver, role, consent.expires, consent.nonce),
    }))
  const own = enrolled(owner) ? [approvalOf(owner, 'provider', policy.expires ?? later(now))] : []
  return {
    dataset,
    rule,
    consumer,
    rows,
    approvals: [...own, ...given.map(({ approval }) => approval)],
    consents: given.map(({ entry }) => entry),
  }
}

/** The plan as one that everybody needed has consented to, or why it is not. */
export function approveForSample(grant: SampleGrant, plan: Plan, now: Date): ApprovedPlan {
  const { facts } = grant.dataset
  const [purpose] = facts.policy.purposes
  if (purpose === undefined) {
    throw new SluiceError('POLICY_DENIED', `the dataset "${facts.name}" is open to no purpose`, {
      rule: 'sample.purpose',
      remedy: 'Ask its owner for a policy that names the purposes that it is open to.',
    })
  }
  const { consumer } = grant
  const digest = requestOf(grant)
  // a stand-in serves every purpose that the dataset is open to
  const reviewed = reviewPlan(plan, [facts], { purpose, consumer, now })
  const input = {
    request: {
      digest,
      consumer,
      planDigest: planDigest(plan),
      engine: DUCKDB_ENGINE,
      datasets: [facts],
      maxRuns: null,
    },
    reviewed,
    approvals: grant.approvals.map(approval => ({ ...approval, requestDigest: digest })),
    parameters: {},
    engine: DUCKDB_ENGINE,
    runsSoFar: 0,
    now,
  }
  try {
    return approvePlan(input)
  } catch (error) {
    throw withConsentAsRemedy(error, reviewed, facts.name)
  }
}

/** Nobody signs a request here: what is missing beside the owner's policy is a consent. */
function withConsentAsRemedy(error: unknown, { approvals }: ReviewedPlan, name: string): unknown {
  if (!isSluiceError(error) || error.code !== 'NOT_APPROVED' || error.rule === 'approval.owner') return error
  const { code, message, rule, facts } = error
  const role = rule === 'approval.reviewer' ? 'reviewer' : null
  const needed = approvals.find(approval => approval.role === role)
  if (needed === undefined) return error
  const { count, principals } = needed
  const whom = principals?.join(', ') ?? 'a reviewer'
  const command = `sluice dataset consent ${name}`
  return new SluiceError(code, message, {
    remedy:
      principals !== null && principals.length > count
        ? `Have ${count} of ${whom} consent with \`${command}\`.`
        : `Have ${whom} consent with \`${command}\`.`,
    ...(rule !== undefined && { rule }),
    ...(facts !== undefined && { facts }),
  })
}

/** What all plans of one stand-in are made for. */
function requestOf({ dataset: { facts }, rule, consumer }: SampleGrant): string {
  const { name, version, fingerprint, policyDigest } = facts
  return canonicalDigest({ name, version, fingerprint, policyDigest, mode: rule.mode, consumer })
}

function ruleOf({ name, policy }: DatasetState['facts']): SampleRule {
  if (policy.sample !== undefined) return policy.sample
  throw new SluiceError('POLICY_DENIED', `the policy of "${name}" allows no stand-in`, {
    rule: 'sample.mode',
    remedy: 'Ask its owner for a policy with `sample: {mode: synthetic}` or `{mode: rows}`.',
  })
}

/** Whom it is for: the one consumer of the policy where nobody is named. */
function consumerOf(
  state: ZoneState,
  { facts: { name, policy } }: DatasetState,
  asked: string | undefined,
): string {
  const [only, ...others] = policy.consumers
  const consumer = asked ?? (others.length === 0 ? only : undefined)
  if (consumer === undefined) {
    throw new SluiceError('USAGE', `a stand-in of "${name}" is for one consumer, and none is named`, {
      rule: 'sample.consumer',
      remedy: 'Name the consumer with --for.',
    })
  }
  const principal = state.principals.get(consumer)
  if (principal === undefined || principal.removed || principal.role !== 'consumer') {
    throw new SluiceError('CONSUMER_DENIED', `"${consumer}" is no enrolled consumer`, {
      rule: 'sample.consumer',
      remedy: 'Enrol the consumer first: `sluice principal add`.',
    })
  }
  return consumer
}

/** A standing consent, as `approvePlan` takes what was signed. */
function approvalOf(
  approver: string,
  role: VerifiedApproval['role'],
  expires: string,
  nonce?: string,
): VerifiedApproval {
  return {
    approver,
    role,
    requestDigest: '',
    expires,
    maxRuns: 1,
    runsUsed: 0,
    datasetVersions: 'exact',
    parameters: {},
    revoked: false,
    nonce: nonce ?? randomBytes(16).toString('hex'),
  }
}

function later(now: Date): string {
  return new Date(now.getTime() + HOUR).toISOString()
}

import { createHash } from 'node:crypto'
import { canonicalBytes } from '@sluice/core'
import { checkDisclosure } from '@sluice/core/disclosure'
import { openCheckedResult } from '@sluice/core/disclosure/open'
import { type ApprovedPlan, approvePlan, type DatasetFacts, type Plan, reviewPlan } from '@sluice/core/plan'
import { parsePolicy, policyDigest } from '@sluice/core/policy'
import { type JointJob, jobDigest, MPC_ENGINE, MpcExecutor, runJoint, schemaOf } from '@sluice/mpc'
import { describe, expect, it } from 'vitest'
import { people } from '../session/parties.js'
import { bank, bureau, c, forms, loans, makeJob, rows, taxpayers } from './parties.js'
import { query } from './plans.js'

const NOW = new Date('2026-01-01T00:00:00Z')

const policyOf = (owner: string, entity: string, columns: string, minimum = 10, more = '') => `version: 1
owner: ${owner}
grade: 1
entity: {column: ${entity}}
disclosure: {minimumEntities: ${minimum}${more}}
purposes: [statistics]
consumers: [research]
columns:
  ${entity}: {role: identifier, uses: [join]}
${columns}`

const facts = (form: typeof loans, policy: string): DatasetFacts => {
  const parsed = parsePolicy(policy)
  return {
    name: form.name,
    version: 1,
    fingerprint: '00'.repeat(32),
    owner: parsed.owner,
    columns: schemaOf(form),
    uniqueKeys: [[form.entity]],
    policy: parsed,
    policyDigest: policyDigest(parsed),
  }
}

const TAX = `  industry: {role: attribute, uses: [group], values: public}
  tax: {role: measure, uses: [aggregate, filter]}
`
const DEBT = `  band: {role: attribute, uses: [group], values: public}
  debt: {role: measure, uses: [aggregate]}
  days: {role: attribute, uses: [filter]}
`

const plan = (column = 'tax') =>
  query({
    inputs: forms,
    where: c.greaterOrEqual('days', 30),
    groupBy: ['industry'],
    aggregates: { firms: ['count'], total: ['sum', column], mean: ['average', column] },
  })

/** The request, its approval, and the job that it names. */
async function approved(
  asked: Plan,
  {
    minimum = 10,
    more = '',
    job = {},
  }: { minimum?: number; more?: string; job?: Record<string, unknown> } = {},
): Promise<{ plan: ApprovedPlan; request: Uint8Array; job: JointJob }> {
  const made = await makeJob({
    operations: [{ name: 'asked', plan: asked, receivers: ['operator'] }],
    ...job,
  })
  const request = canonicalBytes({ aggregation: jobDigest(made) })
  const digest = createHash('sha256').update(request).digest('hex')
  const datasets = [
    facts(taxpayers, policyOf('bureau', 'id', TAX, minimum, more)),
    facts(loans, policyOf('bank', 'firm', DEBT, minimum, more)),
  ]
  const reviewed = reviewPlan(asked, datasets, { purpose: 'statistics', consumer: 'research', now: NOW })
  const approvals = ['bureau', 'bank'].map((approver, place) => ({
    approver,
    role: 'provider' as const,
    requestDigest: digest,
    expires: '2026-02-01T00:00:00Z',
    maxRuns: 1,
    runsUsed: 0,
    datasetVersions: 'exact' as const,
    parameters: {},
    revoked: false,
    nonce: String(place).padStart(32, '0'),
  }))
  const { planDigest } = reviewed
  const bound = { digest, consumer: 'research', planDigest, engine: MPC_ENGINE, datasets, maxRuns: null }
  return {
    plan: approvePlan({
      reviewed,
      request: bound,
      approvals,
      parameters: {},
      engine: MPC_ENGINE,
      runsSoFar: 0,
      now: NOW,
    }),
    request,
    job: made,
  }
}

describe('the executor', () => {
  it('runs an approved plan as a party, and its result passes the one door', async () => {
    const { plan: given, request, job } = await approved(plan())
    const [first, second, operator] = people
    const [raw] = await Promise.all([
      new MpcExecutor().execute(given, { job, request, signer: operator!, wait: 20 }),
      runJoint(job, { signer: first!, inputs: { taxpayers: bureau() }, wait: 20 }),
      runJoint(job, { signer: second!, inputs: { loans: bank() }, wait: 20 }),
    ])
    const { table, suppressions } = openCheckedResult(await checkDisclosure(raw))
    const found = table.toArray().map(row => row.toJSON())
    const inside = (industry: string) => rows.filter(row => row.industry === industry && row.days >= 30)
    for (const { industry, firms, total, mean } of found.slice(0, 2)) {
      const sum = inside(industry).reduce((all, row) => all + row.tax, 0n)
      expect(String(firms)).toBe(String(inside(industry).length))
      // decimals come as their words
      expect(BigInt.asIntN(64, BigInt(total[0]) + (BigInt(total[1]) << 32n))).toBe(sum)
      expect(mean).toBeCloseTo(Number(sum) / 100 / inside(industry).length, 4)
    }
    // of a group that is too small, not even that it exists is shown, where rows were chosen
    expect(found.map(row => row['industry'])).toEqual(['农业', '制造'])
    expect(inside('服务').length).toBeLessThan(10)
    expect(suppressions.map(({ rule }) => rule)).toContain('minimum-entities')
  })

  it('refuses what is not the approved job, and policies that ask for more than it can show', async () => {
    const { plan: given, request, job } = await approved(plan())
    const signer = people[2]!
    const run = (of: typeof given, bytes: Uint8Array, which: JointJob) =>
      new MpcExecutor().execute(of, { job: which, request: bytes, signer, wait: 0.1 })
    await expect(run(given, Buffer.from('{}'), job)).toThrowWithCode('APPROVAL_MISMATCH', 'mpc.approved')
    await expect(run(given, request, { ...job, minimumEntities: 11 })).toThrowWithCode('APPROVAL_MISMATCH')
    const other = await approved(plan())
    await expect(run({ ...given } as ApprovedPlan, request, job)).toThrowWithCode('BRAND_INVALID')
    await expect(run(other.plan, request, job)).toThrowWithCode('APPROVAL_MISMATCH')

    const stricter = await approved(plan(), { minimum: 20 })
    await expect(run(stricter.plan, stricter.request, stricter.job)).toThrowWithCode(
      'EVIDENCE_UNDEFINED',
      'evidence.minimum',
    )
    const dominant = await approved(plan(), { more: ', dominance: {n: 1, percent: 60}' })
    await expect(run(dominant.plan, dominant.request, dominant.job)).toThrowWithCode(
      'EVIDENCE_UNDEFINED',
      'evidence.dominance',
    )
    const sharing = { kind: 'shamir', threshold: 2 }
    const partial = await approved(plan('debt'), { job: { sharing } })
    await expect(run(partial.plan, partial.request, partial.job)).toThrowWithCode(
      'EVIDENCE_UNDEFINED',
      'evidence.sharing',
    )
    const { inputs } = job
    const nobody = await approved(plan(), {
      job: { inputs: [inputs[0]!, { ...inputs[1]!, reference: true }] },
    })
    await expect(run(nobody.plan, nobody.request, nobody.job)).toThrowWithCode(
      'EVIDENCE_UNDEFINED',
      'evidence.entity',
    )
    const elsewhere = await approved(plan(), {
      job: { operations: [{ name: 'asked', plan: plan(), receivers: ['bank'] }] },
    })
    await expect(run(elsewhere.plan, elsewhere.request, elsewhere.job)).toThrowWithCode('APPROVAL_MISMATCH')
  })
})

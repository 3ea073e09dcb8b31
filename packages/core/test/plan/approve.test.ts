import {
  type ApprovalInput,
  ApprovedPlan,
  approvePlan,
  mayDo,
  parseParameters,
  REQUEST_EVENTS,
  REQUEST_STATES,
  type RequestEvent,
  ROLES,
  requireRole,
  type ScalarType,
  TRANSITIONS,
  transition,
} from '@sluice/core/plan'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'
import { approval, approvalInput, reviewed } from './approved.ts'
import { column, dataset, INTEGER, Plans, planOf, test } from './plans.ts'

const policy = (owner: string, more = '') => `version: 1
owner: ${owner}
grade: 1
entity: row
laterVersions: true
${more}
purposes: [credit-risk]
consumers: [insurer]
columns:
  state: {role: quasi, uses: [group, join]}
  amount: {role: measure, uses: [aggregate, filter]}
`
const LOANS = dataset('loans', ['state', 'amount'], policy('bank', 'approvals: {reviewer: true}'))
const TAXES = dataset(
  'taxes',
  ['state', 'amount'],
  policy('revenue', 'approvals: {named: {count: 2, of: [zhao, qian, sun, revenue]}}'),
)

const plans = new Plans()
const loans = plans.scan('loans', 'state', 'amount')
const taxes = plans.scan('taxes', 'state', 'amount')
const year = { kind: 'parameter', type: INTEGER, name: 'year' } as const
const both = plans.join(loans, taxes, test('equal', column(loans, 'state'), column(taxes, 'state')))
const root = plans.aggregate(
  plans.filter(both, test('equal', { kind: 'column', id: 1, type: INTEGER }, year)),
  { state: column(loans, 'state') },
  { many: ['count', null] },
)
const PLAN = reviewed(
  planOf(root, { parameters: [{ name: 'year', type: INTEGER, minimum: '1990', maximum: '2002' }] }),
  [LOANS, TAXES],
)

const input = (more: Partial<ApprovalInput> = {}): ApprovalInput => {
  const given = approvalInput(PLAN, { parameters: { year: '2001' }, ...more })
  return given
}
const signers = input().approvals
const of = (name: string) => signers.find(candidate => candidate.approver === name)!
const without = (name: string) => signers.filter(candidate => candidate.approver !== name)
const changed = (name: string, more: Parameters<typeof approval>[1]) => [
  ...without(name),
  { ...of(name), ...more },
]

describe('approvePlan', () => {
  it('approves with every needed signature, and holds the run', () => {
    expect(signers.map(({ approver }) => approver)).toEqual(['bank', 'revenue', 'reviewer', 'qian', 'sun'])
    const approved = approvePlan(input({ approvals: signers }))
    expect(ApprovedPlan.check(approved)).toBe(approved)
    expect(approved.parameters).toEqual({ year: '2001' })
    expect([...approved.approvals].sort()).toEqual(signers.map(({ nonce }) => nonce).sort())
  })

  it('counts no more signatures than are needed, those that end first', () => {
    const more = [...signers, approval('zhao', { expires: '2026-01-02T00:00:00Z' })]
    const { approvals } = approvePlan(input({ approvals: more }))
    expect(approvals).toHaveLength(signers.length)
    expect(approvals).toContain(more.at(-1)!.nonce)
    expect(approvals).not.toContain(of('sun').nonce)
  })

  it.each<[string, string, string, Partial<ApprovalInput>]>([
    ['without the owner', 'NOT_APPROVED', 'approval.owner', { approvals: without('bank') }],
    ['without the other owner', 'NOT_APPROVED', 'approval.owner', { approvals: without('revenue') }],
    ['without a reviewer', 'NOT_APPROVED', 'approval.reviewer', { approvals: without('reviewer') }],
    ['with one of two named', 'NOT_APPROVED', 'approval.named', { approvals: without('sun') }],
    [
      'with one named principal twice',
      'NOT_APPROVED',
      'approval.named',
      { approvals: [...without('sun'), approval('qian')] },
    ],
    [
      'with the consumer’s own',
      'SELF_APPROVAL',
      'approval.self',
      { approvals: [...signers, approval('insurer')] },
    ],
    [
      'with an operator in the owner’s place',
      'ROLE_DENIED',
      'role.approve',
      { approvals: changed('bank', { role: 'operator' }) },
    ],
    [
      'with an owner who is a provider no more',
      'NOT_APPROVED',
      'approval.owner',
      { approvals: changed('bank', { role: 'reviewer' }) },
    ],
    [
      'with an approval that stands twice',
      'APPROVAL_DUPLICATE',
      'approval.nonce',
      { approvals: [...signers, of('bank')] },
    ],
    [
      'after revocation',
      'APPROVAL_REVOKED',
      'approval.revoked',
      { approvals: changed('bank', { revoked: true }) },
    ],
    [
      'at the moment of expiry',
      'APPROVAL_EXPIRED',
      'approval.expires',
      { approvals: changed('bank', { expires: '2026-01-01T00:00:00Z' }) },
    ],
    [
      'with an expiry that is no time',
      'APPROVAL_EXPIRED',
      'approval.expires',
      { approvals: changed('bank', { expires: 'never' }) },
    ],
    [
      'with no run left',
      'APPROVAL_EXHAUSTED',
      'approval.runs',
      { approvals: changed('sun', { runsUsed: 3 }) },
    ],
    [
      'with an approval of another request',
      'APPROVAL_MISMATCH',
      'approval.request',
      { approvals: changed('bank', { requestDigest: 'other' }) },
    ],
    [
      'outside an approver’s range',
      'PARAMETER_INVALID',
      'parameter.range',
      { approvals: changed('bank', { parameters: { year: { maximum: '2000' } } }) },
    ],
    ['outside the request’s range', 'PARAMETER_INVALID', 'parameter.range', { parameters: { year: '2003' } }],
    [
      'with a parameter too many',
      'PARAMETER_INVALID',
      'parameter.unknown',
      { parameters: { year: '2001', x: '1' } },
    ],
    ['without a parameter', 'PARAMETER_INVALID', 'parameter.missing', { parameters: {} }],
    ['on another engine', 'APPROVAL_MISMATCH', 'approval.engine', { engine: 'duckdb/2' }],
    [
      'with no run left of the request',
      'APPROVAL_EXHAUSTED',
      'request.runs',
      { request: { ...input().request, maxRuns: 2 }, runsSoFar: 2 },
    ],
    [
      'for another plan',
      'APPROVAL_MISMATCH',
      'approval.plan',
      { request: { ...input().request, planDigest: '00' } },
    ],
    [
      'under another policy',
      'APPROVAL_MISMATCH',
      'approval.policy',
      { request: { ...input().request, datasets: [{ ...LOANS, policyDigest: '00' }, TAXES] } },
    ],
    [
      'on other bytes of the same version',
      'APPROVAL_MISMATCH',
      'approval.version',
      { request: { ...input().request, datasets: [{ ...LOANS, fingerprint: '11' }, TAXES] } },
    ],
    [
      'on a version before the signed one',
      'APPROVAL_MISMATCH',
      'approval.version',
      { request: { ...input().request, datasets: [{ ...LOANS, version: 2 }, TAXES] } },
    ],
    [
      'on a later version that nobody signed for',
      'APPROVAL_MISMATCH',
      'approval.version',
      { request: { ...input().request, datasets: [{ ...LOANS, version: 0 }, TAXES] } },
    ],
  ])('refuses %s', (_, code, rule, more) => {
    expect(failure(() => approvePlan(input(more)))).toMatchObject({ code, rule })
  })

  it('takes a later version where the policy and those who cover it allow it', () => {
    const request = { ...input().request, datasets: [{ ...LOANS, version: 0 }, TAXES] }
    const sameSchema = { datasetVersions: 'same-schema' } as const
    // the owner of the other dataset has nothing to do with this one; a reviewer covers them all
    const some = signers.map(signer =>
      signer.approver === 'revenue' ? signer : { ...signer, ...sameSchema },
    )
    expect(() => approvePlan(input({ request, approvals: some }))).not.toThrow()
    const others = signers.map(signer =>
      signer.approver === 'reviewer' ? signer : { ...signer, ...sameSchema },
    )
    expect(failure(() => approvePlan(input({ request, approvals: others }))).rule).toBe('approval.version')
    const strict = { ...LOANS, policy: { ...LOANS.policy, laterVersions: false } }
    const held = { ...PLAN, datasets: [strict, TAXES] }
    expect(failure(() => approvePlan(input({ request, approvals: some, reviewed: held }))).rule).toBe(
      'approval.version',
    )
  })

  it('refuses once a policy has ended', () => {
    const ended = { ...LOANS, policy: { ...LOANS.policy, expires: '2025-12-31T23:59:59Z' } }
    const error = failure(() => approvePlan(input({ reviewed: { ...PLAN, datasets: [ended, TAXES] } })))
    expect(error).toMatchObject({ code: 'POLICY_DENIED', rule: 'policy.expires' })
  })

  it('makes a value that a copy, a cast or a spread is not', async () => {
    const approved = approvePlan(input())
    const copies = [
      { ...approved },
      structuredClone({ ...approved }),
      Object.create(approved),
      JSON.parse(JSON.stringify(approved)),
    ]
    for (const copy of copies) {
      await expect(() => ApprovedPlan.check(copy)).toThrowWithCode('BRAND_INVALID')
    }
    const Made = ApprovedPlan as unknown as new (...given: unknown[]) => unknown
    await expect(() => new Made(Symbol('made by approvePlan'), approved)).toThrowWithCode('BRAND_INVALID')
  })
})

describe('parseParameters', () => {
  const type = (kind: ScalarType['kind'], more = {}) => ({ kind, ...more }) as ScalarType
  const one = (of: ScalarType, more = {}) => [{ name: 'p', type: of, ...more }]

  it.each<[ScalarType, string, string | boolean]>([
    [INTEGER, '+007', '7'],
    [INTEGER, '-0', '0'],
    [type('decimal', { precision: 6, scale: 2 }), '0012.50', '12.50'],
    [type('boolean'), 'true', true],
    [type('date'), '2000-02-29', '2000-02-29'],
    [type('timestamp'), '2001-02-03 10:20:30', '2001-02-03T10:20:30'],
    [type('text'), '', ''],
  ])('reads %o from %s', (of, given, value) => {
    expect(parseParameters(one(of), { p: given })).toEqual({ p: value })
  })

  it.each<[ScalarType, string]>([
    [INTEGER, '1.5'],
    [INTEGER, '9223372036854775808'],
    [INTEGER, '1e3'],
    [type('integer', { bits: 8, signed: false }), '-1'],
    [type('decimal', { precision: 4, scale: 2 }), '100.00'],
    [type('decimal', { precision: 4, scale: 2 }), '0.001'],
    [type('float', { bits: 64 }), 'NaN'],
    [type('float', { bits: 64 }), '1e999'],
    [type('boolean'), '1'],
    [type('date'), '2001-02-29'],
    [type('time'), '24:00:00'],
    [type('timestamp'), '2001-02-03'],
    [type('text'), 'a\0b'],
  ])('refuses for %o what is not of the type, without repeating it', (of, given) => {
    const error = failure(() => parseParameters(one(of), { p: given }))
    expect(error).toMatchObject({
      code: 'PARAMETER_INVALID',
      rule: 'parameter.type',
      facts: { parameter: 'p' },
    })
    if (given.length > 2) expect(JSON.stringify(error)).not.toContain(`"${given}"`)
  })

  it('holds every type to its range', () => {
    const decimal = one(type('decimal', { precision: 6, scale: 2 }), { minimum: '-1.5', maximum: '10' })
    for (const given of ['-1.50', '10.00', '9.99'])
      expect(parseParameters(decimal, { p: given })).toBeTruthy()
    for (const given of ['-1.51', '10.01']) {
      expect(failure(() => parseParameters(decimal, { p: given })).rule).toBe('parameter.range')
    }
    const words = one(type('text'), { values: ['a', 'b'], default: 'b' })
    expect(parseParameters(words, {})).toEqual({ p: 'b' })
    expect(failure(() => parseParameters(words, { p: 'c' })).remedy).toBe('Give text one of a, b.')
    const time = one(type('time'), { maximum: '10:20:30.5' })
    expect(parseParameters(time, { p: '10:20:30.45' })).toBeTruthy()
    expect(failure(() => parseParameters(time, { p: '10:20:30.51' })).rule).toBe('parameter.range')
  })

  it('refuses what the request does not have, and says what was meant', () => {
    const error = failure(() => parseParameters([{ name: 'year', type: INTEGER }], { yaer: '1', year: '1' }))
    expect(error).toMatchObject({ rule: 'parameter.unknown', remedy: 'Did you mean year?' })
    expect(failure(() => parseParameters([], { __proto__x: '1' })).rule).toBe('parameter.unknown')
  })
})

describe('the table of states', () => {
  it('has one row for a state and an event, reaches every state, and leaves none that is final', () => {
    const rows = TRANSITIONS.map(({ from, event }) => `${from} ${event}`)
    expect(new Set(rows).size).toBe(rows.length)
    expect(new Set(['draft', ...TRANSITIONS.map(({ to }) => to)])).toEqual(new Set(REQUEST_STATES))
    for (const state of ['rejected', 'revoked', 'withdrawn'] as const) {
      for (const event of Object.keys(REQUEST_EVENTS) as RequestEvent[]) {
        expect(failure(() => transition(state, event)).code).toBe('STATE_DENIED')
      }
    }
  })

  it('runs from approved alone', () => {
    for (const state of REQUEST_STATES) {
      if (state === 'approved') expect(transition(state, 'run')).toBe('approved')
      else expect(failure(() => transition(state, 'run')).rule).toBe('state.run')
    }
  })

  it('keeps running and approving apart', () => {
    for (const role of ROLES) expect(mayDo(role, 'run') && mayDo(role, 'approve')).toBe(false)
    expect(failure(() => requireRole('operator', 'approve'))).toMatchObject({
      code: 'ROLE_DENIED',
      rule: 'role.approve',
    })
    expect(failure(() => requireRole('consumer', 'approve')).code).toBe('ROLE_DENIED')
    expect(() => requireRole('operator', 'run')).not.toThrow()
  })
})

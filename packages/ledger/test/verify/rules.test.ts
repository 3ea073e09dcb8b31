import { canonicalDigest } from '@sluice/core'
import { verifyLedger } from '@sluice/ledger/verify'
import { describe, expect, test } from 'vitest'
import { examples, people, person } from '../people.js'
import { Story, trust } from './story.js'

const policyAsking = (approvals: object) => ({ kind: 'policy', approvals })
const DAY = 86_400_000
const SAMPLED = {
  kind: 'policy',
  approvals: { reviewer: true, named: null },
  sample: { mode: 'synthetic', rows: 100 },
  consumers: ['bank'],
  expires: null,
}

/** A stand-in to which the reviewer has consented, but for a change. */
function sampled(policy: object, change = {}, signer = people.operator) {
  return async (story: Story) => {
    await story.register({ policy })
    await story.sample(policy, [await story.consent(policy)], change, signer)
  }
}

/** What breaks a rule, and which; the last entry that the story appends is the one to be named. */
type Tale = [rule: string, what: string, tell: (story: Story) => Promise<unknown>]
const broken: readonly Tale[] = [
  ['order.founding', 'a second founding', story => story.append(examples.founding, ...Object.values(people))],
  [
    'keys.charter',
    'an operator who enrols alone',
    story => story.append(examples['key-change'], people.operator),
  ],
  [
    'keys.charter',
    'two who are not whom the charter names',
    story => story.append(examples['key-change'], people.operator, people.auditor),
  ],
  [
    'keys.action',
    'somebody enrolled twice',
    async story => {
      const principal = { name: 'bank', role: 'consumer' as const, key: person('bank', '2').publicKey }
      await story.append({ ...examples['key-change'], principal }, people.operator, people.bureau)
    },
  ],
  [
    'keys.action',
    'a stranger’s key rotated',
    story => story.append({ ...examples['key-change'], action: 'rotate' }, people.operator, people.bureau),
  ],
  [
    'keys.role',
    'a key change that changes the role',
    async story => {
      const principal = { name: 'bank', role: 'provider' as const, key: person('bank', '2').publicKey }
      await story.append(
        { ...examples['key-change'], action: 'rotate', principal },
        people.operator,
        people.bureau,
      )
    },
  ],
  [
    'keys.reused',
    'an old key taken up again',
    async story => {
      const key = (salt: string) => ({
        name: 'bank',
        role: 'consumer' as const,
        key: person('bank', salt).publicKey,
      })
      for (const salt of ['2', '']) {
        const principal = key(salt)
        await story.append(
          { ...examples['key-change'], action: 'rotate', principal },
          people.operator,
          people.bureau,
        )
      }
    },
  ],
  ['role.signer', 'a dataset registered by the operator', story => story.register({}, people.operator)],
  [
    'role.signer',
    'a dataset whose owner is no provider',
    story => story.register({ owner: 'bank' }, people.bank),
  ],
  [
    'order.version',
    'a version left out',
    async story => {
      await story.register()
      await story.register({ version: 3 })
    },
  ],
  [
    'order.dataset',
    'a policy for a dataset that is not there',
    story => story.append(examples['policy-change'], people.bureau),
  ],
  [
    'role.signer',
    'a policy changed by the operator',
    async story => {
      await story.register()
      await story.append(examples['policy-change'], people.operator)
    },
  ],
  [
    'role.signer',
    'a dataset retired by another',
    async story => {
      await story.register()
      await story.append(examples.retirement, people.auditor)
    },
  ],
  ['role.signer', 'a request by the operator', story => story.request('r-1', people.operator)],
  [
    'order.request',
    'a request handed in twice',
    async story => {
      await story.request()
      await story.request()
    },
  ],
  ['order.request', 'an approval of nothing', story => story.approve(examples.approval.requestDigest)],
  [
    'role.signer',
    'the operator in the provider’s place',
    async story => story.approve(await story.request(), {}, people.operator),
  ],
  [
    'role.signer',
    'an approval that names another',
    async story => story.approve(await story.request(), { approver: 'bureau' }, people.reviewer),
  ],
  [
    'order.zone',
    'an approval for another zone',
    async story => story.approve(await story.request(), { zone: '00112233445566778899aabbccddeeff' }),
  ],
  [
    'order.nonce',
    'an approval imported twice',
    async story => {
      const digest = await story.request()
      await story.approve(digest, { nonce: '00112233445566778899aabbccddeeff' })
      await story.approve(digest, { nonce: '00112233445566778899aabbccddeeff' })
    },
  ],
  [
    'times.expires',
    'an approval that ends before it begins',
    async story => story.approve(await story.request(), { expires: '2026-01-01T00:00:00.000Z' }),
  ],
  [
    'role.signer',
    'a rejection by the consumer',
    async story => {
      const requestDigest = await story.request()
      await story.append({ ...examples.rejection, requestDigest }, people.bank)
    },
  ],
  [
    'role.signer',
    'a withdrawal by another',
    async story => {
      const requestDigest = await story.request()
      await story.append({ ...examples.withdrawal, requestDigest }, people.operator)
    },
  ],
  [
    'run.approval',
    'a run on an entry that is no approval',
    async story => {
      await story.register()
      await story.run(await story.request(), [1])
    },
  ],
  [
    'run.approval',
    'a run on the approval of another request',
    async story => {
      await story.register()
      const approval = await story.approve(await story.request('r-1'))
      await story.run(await story.request('r-2'), [approval])
    },
  ],
  [
    'run.owner',
    'a run that the owner has not approved',
    async story => {
      await story.register()
      const digest = await story.request()
      await story.run(digest, [await story.approve(digest, {}, people.reviewer)])
    },
  ],
  [
    'run.reviewer',
    'a run without the reviewer whom the policy asks for',
    async story => {
      await story.register({ policy: policyAsking({ reviewer: true, named: null }) })
      const digest = await story.request()
      await story.run(digest, [await story.approve(digest)])
    },
  ],
  [
    'run.reviewer',
    'a run without the reviewer whom the newer policy asks for',
    async story => {
      await story.register()
      const digest = await story.request()
      const approval = await story.approve(digest)
      const policy = policyAsking({ reviewer: true, named: null })
      const policyDigest = canonicalDigest(policy)
      await story.append({ ...examples['policy-change'], policy, policyDigest }, people.bureau)
      await story.run(digest, [approval])
    },
  ],
  ['sample.policy', 'more rows than the policy allows', sampled(SAMPLED, { rows: 101 })],
  [
    'sample.policy',
    'rows that were drawn under a policy for synthetic ones',
    sampled(SAMPLED, { mode: 'rows' }),
  ],
  ['sample.policy', 'a stand-in that no policy allows', sampled({ ...SAMPLED, sample: null })],
  [
    'sample.policy',
    'a stand-in under a policy that had ended',
    sampled({ ...SAMPLED, expires: '2026-01-01T00:00:00.000Z' }),
  ],
  ['sample.consumer', 'a stand-in for somebody else', sampled(SAMPLED, { consumer: 'bureau' })],
  ['sample.consumer', 'a stand-in for whom the policy does not name', sampled({ ...SAMPLED, consumers: [] })],
  [
    'sample.version',
    'a stand-in of other data',
    sampled(SAMPLED, { fingerprint: examples.run.parametersCommitment }),
  ],
  ['role.signer', 'a stand-in that the owner gave', sampled(SAMPLED, {}, people.bureau)],
  ['sample.consent', 'an entry that is no consent', sampled(SAMPLED, { consents: [0] })],
  ['run.reviewer', 'a stand-in without the reviewer’s consent', sampled(SAMPLED, { consents: [] })],
  [
    'sample.expired',
    'a consent that had expired',
    async story => {
      await story.register({ policy: SAMPLED })
      const consent = await story.consent(SAMPLED)
      story.wait(2 * DAY)
      await story.sample(SAMPLED, [consent])
    },
  ],
  [
    'sample.consent',
    'a consent to an older policy',
    async story => {
      await story.register({ policy: SAMPLED })
      const consent = await story.consent(SAMPLED)
      const policy = { ...SAMPLED, sample: { mode: 'synthetic', rows: 200 } }
      await story.append(
        { ...examples['policy-change'], policy, policyDigest: canonicalDigest(policy) },
        people.bureau,
      )
      await story.sample(policy, [consent])
    },
  ],
  [
    'sample.version',
    'a consent to a version to come',
    async story => {
      await story.register({ policy: SAMPLED })
      await story.consent(SAMPLED, { version: 2 })
    },
  ],
  [
    'role.signer',
    'a consent of the operator',
    async story => {
      await story.register({ policy: SAMPLED })
      await story.consent(SAMPLED, {}, people.operator)
    },
  ],
  [
    'order.nonce',
    'a consent that stands twice',
    async story => {
      await story.register({ policy: SAMPLED })
      const nonce = examples['sample-consent'].nonce
      await story.consent(SAMPLED, { nonce })
      await story.consent(SAMPLED, { nonce })
    },
  ],
  [
    'run.named',
    'a run without the principals whom the policy names',
    async story => {
      await story.register({ policy: policyAsking({ named: { count: 2, of: ['bureau', 'reviewer'] } }) })
      const digest = await story.request()
      await story.run(digest, [await story.approve(digest)])
    },
  ],
  [
    'run.expired',
    'a run after the approval had expired',
    async story => {
      await story.register()
      const digest = await story.request()
      const approval = await story.approve(digest)
      story.wait(DAY)
      await story.run(digest, [approval])
    },
  ],
  [
    'run.expired',
    'a release after the approval had expired',
    async story => {
      await story.register()
      const digest = await story.request()
      const approval = await story.approve(digest)
      story.wait(DAY - 1)
      await story.run(digest, [approval])
      story.wait(1)
      await story.release(digest)
    },
  ],
  [
    'run.revoked',
    'a run after the approver revoked',
    async story => {
      await story.register()
      const digest = await story.request()
      const approval = await story.approve(digest)
      await story.append({ ...examples.revocation, requestDigest: digest }, people.bureau)
      await story.run(digest, [approval])
    },
  ],
  [
    'run.revoked',
    'a release after the approver revoked',
    async story => {
      await story.register()
      const digest = await story.request()
      await story.run(digest, [await story.approve(digest)])
      await story.append({ ...examples.revocation, requestDigest: digest }, people.bureau)
      await story.release(digest)
    },
  ],
  ...(['rejection', 'revocation', 'withdrawal'] as const).map(
    (kind): Tale => [
      'run.request',
      `a run after a ${kind}`,
      async (story: Story) => {
        await story.register()
        const digest = await story.request()
        const approval = await story.approve(digest)
        const signer = { rejection: people.reviewer, revocation: people.auditor, withdrawal: people.bank }[
          kind
        ]
        await story.append({ ...examples[kind], requestDigest: digest }, signer)
        await story.run(digest, [approval])
      },
    ],
  ),
  [
    'run.exhausted',
    'a run too many',
    async story => {
      await story.register()
      const digest = await story.request()
      const approval = await story.approve(digest, { maxRuns: 2 })
      for (const run of ['a', 'b', 'c']) await story.run(digest, [approval], { run })
    },
  ],
  [
    'run.dataset',
    'a run on a version that is not the registered one',
    async story => {
      await story.register()
      const digest = await story.request()
      const datasets = [{ ...examples.run.datasets[0]!, version: 2 }]
      await story.run(digest, [await story.approve(digest)], { datasets })
    },
  ],
  [
    'order.dataset',
    'a run on a retired dataset',
    async story => {
      await story.register()
      const digest = await story.request()
      const approval = await story.approve(digest)
      await story.append(examples.retirement, people.bureau)
      await story.run(digest, [approval])
    },
  ],
  [
    'role.signer',
    'a run by the consumer',
    async story => {
      await story.register()
      const digest = await story.request()
      await story.run(digest, [await story.approve(digest)], {}, people.bank)
    },
  ],
  [
    'order.release',
    'a release without a run',
    async story => {
      await story.register()
      await story.release(await story.request())
    },
  ],
  [
    'order.release',
    'two releases of one run',
    async story => {
      const { requestDigest } = await story.usual()
      await story.release(requestDigest)
    },
  ],
  [
    'order.release',
    'a release of a run that was refused',
    async story => {
      await story.register()
      const requestDigest = await story.request()
      await story.run(requestDigest, [await story.approve(requestDigest)])
      const refusal = { ...examples.refusal, time: story.time, requestDigest, run: 'run-1' }
      await story.append(refusal, people.operator)
      await story.release(requestDigest)
    },
  ],
  [
    'order.refusal',
    'the refusal of a run that never was',
    async story => {
      const requestDigest = await story.request()
      await story.append({ ...examples.refusal, time: story.time, requestDigest, run: 'x' }, people.operator)
    },
  ],
]

describe('an entry that breaks a rule is named', () => {
  test.each(broken)('%s: %s', async (rule, _, tell) => {
    const story = await Story.begin()
    await tell(story)
    await expect(verifyLedger(story.directory, { trust })).rejects.toMatchObject({
      code: 'LEDGER_CORRUPT',
      rule,
      facts: { entry: (await story.ledger.size()) - 1 },
    })
  })
})

describe('what looks alike and is allowed', () => {
  test.each<[string, (story: Story) => Promise<unknown>]>([
    [
      'a reviewer beside the owner, where the policy asks for both',
      async story => {
        const named = { count: 1, of: ['reviewer'] }
        await story.register({ policy: policyAsking({ reviewer: true, named }) })
        const digest = await story.request()
        const approvals = [await story.approve(digest), await story.approve(digest, {}, people.reviewer)]
        await story.run(digest, approvals)
        await story.release(digest)
      },
    ],
    [
      'a new approval after a revoked one',
      async story => {
        await story.register()
        const digest = await story.request()
        await story.approve(digest)
        await story.append({ ...examples.revocation, requestDigest: digest }, people.bureau)
        await story.run(digest, [await story.approve(digest)])
      },
    ],
    [
      'as many runs as were approved, one of them refused',
      async story => {
        await story.register()
        const digest = await story.request()
        const approval = await story.approve(digest, { maxRuns: 2 })
        await story.run(digest, [approval], { run: 'a' })
        await story.run(digest, [approval], { run: 'b' })
        const refusal = { ...examples.refusal, time: story.time, requestDigest: digest, run: 'a' }
        await story.append(refusal, people.operator)
        await story.release(digest, { run: 'b' })
      },
    ],
    [
      'an approval that was signed before the entries that it follows',
      async story => {
        await story.register()
        const digest = await story.request()
        const time = story.time
        story.wait(60_000)
        await story.fill(2)
        await story.run(digest, [await story.approve(digest, { time })])
      },
    ],
    [
      'a stand-in, twice, to which the reviewer has consented',
      async story => {
        await story.register({ policy: SAMPLED })
        const consent = await story.consent(SAMPLED)
        await story.sample(SAMPLED, [consent])
        await story.sample(SAMPLED, [consent], { rows: 1 })
      },
    ],
    [
      'a dataset’s next version',
      async story => {
        await story.register()
        await story.register({ version: 2 })
        const digest = await story.request()
        const datasets = [{ ...examples.run.datasets[0]!, version: 2 }]
        await story.run(digest, [await story.approve(digest)], { datasets })
      },
    ],
  ])('%s', async (_, tell) => {
    const story = await Story.begin()
    await tell(story)
    expect((await verifyLedger(story.directory, { trust })).size).toBe(await story.ledger.size())
  })
})

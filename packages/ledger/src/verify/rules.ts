import { unreachable } from '@sluice/core'
import type {
  Approval,
  Founding,
  PartyFounding,
  Predicate,
  PredicateKind,
  Refusal,
  Registration,
  Release,
  Revocation,
  Role,
  Run,
  Sample,
  SampleConsent,
} from '../entries/predicates.js'
import { Intersections } from './intersections.js'
import { JointRuns } from './joint.js'
import { type Principal, Principals } from './principals.js'
import { type Refuse, refusing } from './refuse.js'

/**
 * Who may say what, and in which order, as far as the entries tell: a fold that refuses the first entry that should
 * not be there. In one file, because the kinds share one state and are read together. What only the request's contents
 * could tell (parameters, exact dataset versions) it does not look at.
 */
export class Rules {
  readonly founding: Founding | PartyFounding
  readonly principals: Principals
  readonly counts: Partial<Record<PredicateKind, number>> = {}
  readonly #datasets = new Map<string, Dataset>()
  readonly #requests = new Map<string, Request>()
  readonly #requestIds = new Set<string>()
  readonly #approvals = new Map<number, Given>()
  readonly #nonces = new Set<string>()
  readonly #consents = new Map<number, SampleConsent>()
  readonly #joint: JointRuns
  readonly #intersections: Intersections
  /** runs whose outcome is not in the ledger yet */
  readonly #open = new Map<string, Run>()
  /** milliseconds since the epoch */
  #latest = 0

  constructor(founding: Founding | PartyFounding) {
    this.founding = founding
    this.counts[founding.kind] = 1
    this.#joint = new JointRuns(founding)
    this.#intersections = new Intersections(founding)
    this.principals = new Principals(founding, refusing(0))
  }

  /**
   * The log says that it had so many entries at that time.
   *
   * @param time seconds since the epoch; entries are dated to the millisecond, so up to a second is no contradiction
   */
  checkpoint(size: number, time: number): void {
    if (this.#latest > time * 1000 + SECOND) {
      throw refusing(size - 1)(
        'times.checkpoint',
        'it, or one before it, is dated after the checkpoint that holds it',
      )
    }
    this.#latest = Math.max(this.#latest, time * 1000)
  }

  /** @param signers whose signatures on it were verified, each by the key that counts at this entry */
  apply(index: number, predicate: Predicate, signers: readonly Principal[]): void {
    const refuse = refusing(index)
    const by = (name: string, ...roles: Role[]) => signedBy(signers, name, roles, refuse)
    this.counts[predicate.kind] = (this.counts[predicate.kind] ?? 0) + 1
    this.#joint.assertBelongs(predicate.kind, refuse)
    switch (predicate.kind) {
      case 'founding':
      case 'party-founding':
        throw refuse('order.founding', 'there is one founding, and it comes first')
      case 'key-change':
        this.principals.change(predicate, signers, refuse)
        break
      case 'registration':
        by(predicate.owner, 'provider')
        this.#register(predicate, refuse)
        break
      case 'policy-change': {
        const dataset = this.#dataset(predicate.dataset, refuse)
        by(dataset.owner, 'provider')
        dataset.demands = demandsOf(predicate.policy)
        dataset.policyDigest = predicate.policyDigest
        break
      }
      case 'retirement': {
        const dataset = this.#dataset(predicate.dataset, refuse)
        by(dataset.owner, 'provider')
        dataset.retired = true
        break
      }
      case 'request': {
        by(predicate.consumer, 'consumer')
        if (this.#requests.has(predicate.requestDigest) || this.#requestIds.has(predicate.id)) {
          throw refuse('order.request', 'this request is in the ledger already')
        }
        this.#requestIds.add(predicate.id)
        this.#requests.set(predicate.requestDigest, {
          consumer: predicate.consumer,
          approvals: [],
          over: null,
        })
        break
      }
      case 'approval':
        by(predicate.approver, ...APPROVERS)
        this.#approve(index, predicate, refuse)
        break
      case 'rejection': {
        const request = this.#request(predicate.requestDigest, refuse)
        notTheConsumer(request, one(signers, APPROVERS, refuse), refuse)
        request.over ??= 'rejected'
        break
      }
      case 'revocation':
        this.#revoke(predicate, one(signers, [...APPROVERS, 'auditor', 'operator'], refuse), refuse)
        break
      case 'withdrawal': {
        const request = this.#request(predicate.requestDigest, refuse)
        by(request.consumer, 'consumer')
        request.over ??= 'withdrawn'
        break
      }
      case 'run':
        one(signers, ['operator'], refuse)
        this.#tick(predicate.time, refuse)
        this.#run(predicate, refuse)
        break
      case 'release':
        one(signers, ['operator'], refuse)
        this.#tick(predicate.time, refuse)
        this.#release(predicate, refuse)
        break
      case 'sample-consent':
        by(predicate.approver, ...APPROVERS)
        this.#consent(index, predicate, refuse)
        break
      case 'sample':
        one(signers, ['operator'], refuse)
        this.#tick(predicate.time, refuse)
        this.#sample(predicate, refuse)
        break
      case 'joint-start':
      case 'joint-end':
      case 'joint-break':
        one(signers, ['operator'], refuse)
        this.#tick(predicate.time, refuse)
        this.#joint.take(predicate, refuse)
        break
      case 'psi-start':
      case 'psi-end':
      case 'psi-break':
      case 'psi-set':
      case 'psi-rotation':
        one(signers, ['operator'], refuse)
        this.#tick(predicate.time, refuse)
        this.#intersections.take(predicate, refuse)
        break
      case 'refusal':
        this.#tick(predicate.time, refuse)
        this.#refuse(predicate, refuse)
        break
      default:
        unreachable(predicate)
    }
  }

  /** What the zone makes itself never runs backwards; what others signed carries their own time. */
  #tick(time: string, refuse: Refuse): void {
    const now = Date.parse(time)
    if (now + SECOND < this.#latest)
      throw refuse('times.order', 'it is dated before the entry that it follows')
    this.#latest = Math.max(this.#latest, now)
  }

  #register(registration: Registration, refuse: Refuse): void {
    const { dataset, version, owner, fingerprint, policy, policyDigest } = registration
    const known = this.#datasets.get(dataset)
    if (version !== (known?.version ?? 0) + 1)
      throw refuse('order.version', 'a dataset’s versions follow each other')
    if (known !== undefined && known.owner !== owner) throw refuse('role.owner', 'a dataset keeps its owner')
    const demands = demandsOf(policy)
    this.#datasets.set(dataset, { owner, version, fingerprint, policyDigest, demands, retired: false })
  }

  #approve(index: number, approval: Approval, refuse: Refuse): void {
    const request = this.#request(approval.requestDigest, refuse)
    if (request.consumer === approval.approver) throw refuse('role.self', 'nobody approves their own request')
    if (this.founding.kind !== 'founding' || approval.zone !== this.founding.zone)
      throw refuse('order.zone', 'the approval is for another zone')
    if (this.#nonces.has(approval.nonce)) throw refuse('order.nonce', 'the approval is in the ledger already')
    if (approval.expires <= approval.time) throw refuse('times.expires', 'the approval ends before it begins')
    this.#nonces.add(approval.nonce)
    const { approver, requestDigest, expires, maxRuns } = approval
    const given = { approver, requestDigest, expires, left: maxRuns, revoked: false }
    this.#approvals.set(index, given)
    request.approvals.push(given)
  }

  #revoke({ requestDigest }: Revocation, by: Principal, refuse: Refuse): void {
    const request = this.#request(requestDigest, refuse)
    notTheConsumer(request, by, refuse)
    if (by.role === 'auditor' || by.role === 'operator') {
      request.over ??= 'revoked'
      return
    }
    for (const given of request.approvals) if (given.approver === by.name) given.revoked = true
  }

  #run(run: Run, refuse: Refuse): void {
    if (this.#open.has(run.run)) throw refuse('order.run', 'this run is in the ledger already')
    for (const index of run.approvals) {
      const given = this.#approvals.get(index)
      if (given !== undefined && given.left < 1)
        throw refuse('run.exhausted', 'an approval that it stands on is used up')
    }
    this.#mayRun(run, run.time, refuse)
    for (const { name, version, fingerprint } of run.datasets) {
      const dataset = this.#dataset(name, refuse)
      if (dataset.version !== version || dataset.fingerprint !== fingerprint) {
        throw refuse('run.dataset', 'it names another version of a dataset than the registered one')
      }
    }
    for (const index of run.approvals) this.#approvals.get(index)!.left--
    this.#open.set(run.run, run)
  }

  #release(release: Release, refuse: Refuse): void {
    const run = this.#open.get(release.run)
    if (run === undefined || run.requestDigest !== release.requestDigest) {
      throw refuse('order.release', 'there is no run of this request that it could be the result of')
    }
    // all that had to hold before the run has to hold still
    this.#mayRun(run, release.time, refuse)
    this.#open.delete(release.run)
  }

  #consent(index: number, consent: SampleConsent, refuse: Refuse): void {
    const dataset = this.#dataset(consent.dataset, refuse)
    if (this.founding.kind !== 'founding' || consent.zone !== this.founding.zone)
      throw refuse('order.zone', 'the consent is for another zone')
    if (this.#nonces.has(consent.nonce)) throw refuse('order.nonce', 'the consent is in the ledger already')
    if (consent.expires <= consent.time) throw refuse('times.expires', 'the consent ends before it begins')
    if (consent.version !== dataset.version || consent.policyDigest !== dataset.policyDigest) {
      throw refuse(
        'sample.version',
        'it names another version or policy of the dataset than the one in force',
      )
    }
    this.#nonces.add(consent.nonce)
    this.#consents.set(index, consent)
  }

  /** The policy in force allows it to this consumer, and everybody whom it asks has consented. */
  #sample(sample: Sample, refuse: Refuse): void {
    const dataset = this.#dataset(sample.dataset, refuse)
    const { demands } = dataset
    const isInForce = (entry: Sample | SampleConsent) =>
      entry.version === dataset.version && entry.policyDigest === dataset.policyDigest
    if (!isInForce(sample) || sample.fingerprint !== dataset.fingerprint) {
      throw refuse(
        'sample.version',
        'it names another version or policy of the dataset than the one in force',
      )
    }
    if (demands.sample?.mode !== sample.mode || sample.rows > demands.sample.rows) {
      throw refuse('sample.policy', 'the policy does not allow this stand-in')
    }
    if (demands.expires !== null && Date.parse(demands.expires) <= Date.parse(sample.time)) {
      throw refuse('sample.policy', 'the policy had ended')
    }
    if (
      !demands.consumers.includes(sample.consumer) ||
      this.principals.named(sample.consumer)?.role !== 'consumer'
    ) {
      throw refuse('sample.consumer', 'the policy does not name this consumer')
    }
    const approvers = new Set([dataset.owner])
    for (const index of sample.consents) {
      const consent = this.#consents.get(index)
      if (consent === undefined || consent.dataset !== sample.dataset || !isInForce(consent)) {
        throw refuse('sample.consent', `entry ${index} is no consent to this stand-in`)
      }
      if (consent.expires <= sample.time)
        throw refuse('sample.expired', 'a consent that it stands on had expired')
      approvers.add(consent.approver)
    }
    this.#checkDemands(dataset, approvers, refuse)
  }

  #refuse(refusal: Refusal, refuse: Refuse): void {
    if (refusal.run === null) return
    const run = this.#open.get(refusal.run)
    if (run === undefined || run.requestDigest !== refusal.requestDigest) {
      throw refuse('order.refusal', 'there is no run of this request that it could refuse')
    }
    this.#open.delete(refusal.run)
  }

  /** Approvals that stand, of everybody who is needed. */
  #mayRun(run: Run, time: string, refuse: Refuse): void {
    const request = this.#request(run.requestDigest, refuse)
    if (request.over !== null) throw refuse('run.request', `the request was ${request.over}`)
    const approvers = new Set<string>()
    for (const index of run.approvals) {
      const given = this.#approvals.get(index)
      if (given === undefined || given.requestDigest !== run.requestDigest) {
        throw refuse('run.approval', `entry ${index} is no approval of this request`)
      }
      if (given.revoked) throw refuse('run.revoked', 'an approval that it stands on was revoked')
      if (given.expires <= time) throw refuse('run.expired', 'an approval that it stands on had expired')
      approvers.add(given.approver)
    }
    for (const { name } of run.datasets) this.#checkDemands(this.#dataset(name, refuse), approvers, refuse)
  }

  #checkDemands({ owner, demands }: Dataset, approvers: ReadonlySet<string>, refuse: Refuse): void {
    if (!approvers.has(owner)) throw refuse('run.owner', `${owner}, who owns a dataset, has not approved`)
    if (demands.reviewer && ![...approvers].some(name => this.principals.named(name)?.role === 'reviewer')) {
      throw refuse('run.reviewer', 'a policy asks for a reviewer, and none has approved')
    }
    const { named } = demands
    if (named !== null && named.of.filter(name => approvers.has(name)).length < named.count) {
      throw refuse('run.named', 'a policy asks for more of the principals whom it names')
    }
  }

  #dataset(name: string, refuse: Refuse): Dataset {
    const dataset = this.#datasets.get(name)
    if (dataset === undefined || dataset.retired) throw refuse('order.dataset', 'there is no such dataset')
    return dataset
  }

  #request(digest: string, refuse: Refuse): Request {
    const request = this.#requests.get(digest)
    if (request === undefined) throw refuse('order.request', 'there is no such request')
    return request
  }
}

/** Not the operator (管运分离), who runs, and not the consumer, who asks. */
const APPROVERS: readonly Role[] = ['provider', 'reviewer']
const SECOND = 1000

interface Dataset {
  readonly owner: string
  readonly version: number
  readonly fingerprint: string
  policyDigest: string
  demands: Demands
  retired: boolean
}

interface Request {
  readonly consumer: string
  readonly approvals: Given[]
  over: 'rejected' | 'revoked' | 'withdrawn' | null
}

interface Given {
  readonly approver: string
  readonly requestDigest: string
  readonly expires: string
  left: number
  revoked: boolean
}

/** Whose approval a policy asks for besides the owner's, and what it says of stand-ins. */
interface Demands {
  readonly reviewer: boolean
  readonly named: { readonly count: number; readonly of: readonly string[] } | null
  readonly sample: { readonly mode: unknown; readonly rows: number } | null
  readonly consumers: readonly unknown[]
  readonly expires: string | null
}

/** Read out of a policy as the ledger has it (`approvals: {reviewer, named: {count, of}}`, `sample: {mode, rows}`). */
function demandsOf(policy: unknown): Demands {
  const { approvals, sample, consumers, expires } = (policy ?? {}) as {
    approvals?: { reviewer?: unknown; named?: unknown } | null
    sample?: { mode?: unknown; rows?: unknown } | null
    consumers?: unknown
    expires?: unknown
  }
  const named = approvals?.named as { count?: unknown; of?: unknown } | null | undefined
  const of: readonly unknown[] = Array.isArray(named?.of) ? named.of : []
  return {
    reviewer: approvals?.reviewer === true,
    named: typeof named?.count === 'number' ? { count: named.count, of: of.map(String) } : null,
    sample: typeof sample?.rows === 'number' ? { mode: sample.mode, rows: sample.rows } : null,
    consumers: Array.isArray(consumers) ? consumers : [],
    expires: typeof expires === 'string' ? expires : null,
  }
}

function signedBy(
  signers: readonly Principal[],
  name: string,
  roles: readonly Role[],
  refuse: Refuse,
): Principal {
  const [signer] = signers
  if (signers.length !== 1 || signer?.name !== name)
    throw refuse('role.signer', `${name} should have signed it, alone`)
  return one(signers, roles, refuse)
}

function one(signers: readonly Principal[], roles: readonly Role[], refuse: Refuse): Principal {
  const [signer] = signers
  if (signer === undefined || signers.length !== 1 || !roles.includes(signer.role)) {
    throw refuse('role.signer', `one of these should have signed it, alone: ${roles.join(', ')}`)
  }
  return signer
}

function notTheConsumer({ consumer }: Request, by: Principal, refuse: Refuse): void {
  if (by.name === consumer) throw refuse('role.self', 'nobody decides on their own request')
}

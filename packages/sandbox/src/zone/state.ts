import { SluiceError, unreachable } from '@sluice/core'
import type { ColumnSchema, DatasetFacts } from '@sluice/core/plan'
import { policyFromJson } from '@sluice/core/policy'
import type {
  Approval,
  Enrolment,
  Founding,
  Predicate,
  RegisteredTable,
  Registration,
  Release,
  Request,
  Role,
  Run,
  SampleConsent,
} from '@sluice/ledger'
import { fingerprintsOf } from '../catalogue/tables.js'
import { type RequestDocument, requestFromJson } from '../request/document.js'

/**
 * One entry of the ledger, opened: what it says, and which enrolled principals' signatures on it hold (none are
 * looked at for what the zone makes itself: runs, releases, refusals).
 */
export interface LedgerEntry {
  readonly index: number
  readonly predicate: Predicate
  readonly signers: readonly string[]
}

/**
 * The zone's state: a fold over its ledger, and nothing else. Reading an entry never consults a clock; whatever
 * depends on the time (expiry) is decided when it is asked for, by `requestStatus`. Read-only for everybody but
 * `applyEntry`, which grows it in place: copying would make the fold quadratic in the ledger's length.
 */
export interface ZoneState {
  readonly size: number
  readonly founding: Founding
  readonly principals: ReadonlyMap<string, Principal>
  readonly datasets: ReadonlyMap<string, DatasetState>
  /** by digest */
  readonly requests: ReadonlyMap<string, RequestState>
  /** by run */
  readonly releases: ReadonlyMap<string, ReleaseState>
  readonly nonces: ReadonlySet<string>
}

export interface Principal extends Enrolment {
  readonly since: string
  readonly removed: boolean
}

export interface DatasetState {
  readonly facts: DatasetFacts
  /** random name of the file below `data/` */
  readonly file: string
  readonly rows: number
  /** the column whose codes the file has, which a later policy does not change */
  readonly entity: Registration['entity']
  /** what scans look values up in */
  readonly tables: readonly RegisteredTable[]
  /** to stand-ins, under the version and the policy in force */
  readonly consents: readonly GivenConsent[]
  readonly since: string
  readonly retired: boolean
}

export interface GivenConsent {
  readonly entry: number
  readonly consent: SampleConsent
  readonly role: Role
}

export interface RequestState {
  readonly id: string
  readonly digest: string
  readonly document: RequestDocument
  readonly time: string
  readonly entry: number
  readonly approvals: readonly GivenApproval[]
  readonly rejectedBy: string | null
  readonly withdrawn: boolean
  /** by an auditor or the operator: the request itself is void */
  readonly revokedBy: string | null
  readonly runs: readonly Run[]
}

export interface GivenApproval {
  readonly entry: number
  readonly approval: Approval
  readonly role: Role
  readonly revoked: boolean
  /** runs that were taken from its allowance */
  readonly runsUsed: number
}

export interface ReleaseState {
  readonly entry: number
  readonly release: Release
  readonly run: Run
}

/** The state after the founding entry, which every ledger begins with. */
export function foundState(entry: LedgerEntry): ZoneState {
  const founding = entry.predicate
  if (entry.index !== 0 || founding.kind !== 'founding')
    throw damaged(entry, 'a ledger begins with its founding')
  return {
    size: 1,
    founding,
    principals: new Map(
      founding.principals.map(enrolment => [
        enrolment.name,
        { ...enrolment, since: founding.time, removed: false },
      ]),
    ),
    datasets: new Map(),
    requests: new Map(),
    releases: new Map(),
    nonces: new Set(),
  }
}

/**
 * Takes one more entry into the state. Entries were checked before they were written; here only what would make
 * the fold meaningless is refused.
 *
 * @throws SluiceError ZONE_DAMAGED naming the entry
 */
export function applyEntry(readonlyState: ZoneState, entry: LedgerEntry): void {
  const state = readonlyState as Growing<ZoneState>
  if (entry.index !== state.size) throw damaged(entry, `entry ${state.size} was expected`)
  const { predicate } = entry
  switch (predicate.kind) {
    case 'founding':
      throw damaged(entry, 'a second founding')
    case 'key-change': {
      const { action, principal, time } = predicate
      state.principals.set(principal.name, { ...principal, since: time, removed: action === 'remove' })
      break
    }
    case 'registration':
      state.datasets.set(predicate.dataset, registered(predicate))
      break
    case 'policy-change': {
      const dataset = known(state.datasets, predicate.dataset, entry)
      const policy = policyFromJson(predicate.policy)
      const { policyDigest, tables = [] } = predicate
      const facts = { ...dataset.facts, policy, policyDigest, tables: fingerprintsOf(tables) }
      state.datasets.set(predicate.dataset, { ...dataset, facts, tables, consents: [] })
      break
    }
    case 'retirement':
      state.datasets.set(predicate.dataset, {
        ...known(state.datasets, predicate.dataset, entry),
        retired: true,
      })
      break
    case 'request':
      state.requests.set(predicate.requestDigest, requested(predicate, entry))
      break
    case 'approval': {
      const { role } = known(state.principals, predicate.approver, entry)
      const given = { entry: entry.index, approval: predicate, role, revoked: false, runsUsed: 0 }
      requestOf(state, predicate.requestDigest, entry).approvals.push(given)
      state.nonces.add(predicate.nonce)
      break
    }
    case 'rejection':
      requestOf(state, predicate.requestDigest, entry).rejectedBy = signer(entry)
      break
    case 'revocation':
      revoke(state, requestOf(state, predicate.requestDigest, entry), entry)
      break
    case 'withdrawal':
      requestOf(state, predicate.requestDigest, entry).withdrawn = true
      break
    case 'run': {
      const request = requestOf(state, predicate.requestDigest, entry)
      request.runs.push(predicate)
      for (const given of request.approvals) {
        if (predicate.approvals.includes(given.entry)) (given as Growing<GivenApproval>).runsUsed += 1
      }
      break
    }
    case 'release': {
      const run = requestOf(state, predicate.requestDigest, entry).runs.find(
        ({ run }) => run === predicate.run,
      )
      if (!run) throw damaged(entry, 'a release without its run')
      state.releases.set(predicate.run, { entry: entry.index, release: predicate, run })
      break
    }
    case 'sample-consent': {
      const dataset = known(state.datasets, predicate.dataset, entry)
      const { role } = known(state.principals, predicate.approver, entry)
      const consents = [...dataset.consents, { entry: entry.index, consent: predicate, role }]
      state.datasets.set(predicate.dataset, { ...dataset, consents })
      state.nonces.add(predicate.nonce)
      break
    }
    case 'sample':
    case 'refusal':
      break
    case 'party-founding':
    case 'joint-start':
    case 'joint-end':
    case 'joint-break':
    case 'psi-start':
    case 'psi-end':
    case 'psi-break':
    case 'psi-set':
    case 'psi-rotation':
      throw damaged(entry, 'it belongs in the ledger of a party of joint jobs and intersections')
    default:
      unreachable(predicate)
  }
  state.size += 1
}

/** The same fields, open for `applyEntry`. */
type Growing<T> = {
  -readonly [K in keyof T]: T[K] extends ReadonlyMap<infer Key, infer Value>
    ? Map<Key, Value>
    : T[K] extends ReadonlySet<infer Value>
      ? Set<Value>
      : T[K] extends readonly (infer Value)[]
        ? Value[]
        : T[K]
}

function registered(predicate: Registration): DatasetState {
  const {
    dataset: name,
    version,
    fingerprint,
    owner,
    uniqueKeys,
    policyDigest,
    file,
    rows,
    entity,
    time,
    tables = [],
  } = predicate
  const columns = predicate.schema as readonly ColumnSchema[]
  const policy = policyFromJson(predicate.policy)
  const facts = {
    name,
    version,
    fingerprint,
    owner,
    columns,
    uniqueKeys,
    policy,
    policyDigest,
    tables: fingerprintsOf(tables),
  }
  return { facts, file, rows, entity, tables, consents: [], since: time, retired: false }
}

function requested(predicate: Request, entry: LedgerEntry): RequestState {
  return {
    id: predicate.id,
    digest: predicate.requestDigest,
    document: requestFromJson(predicate.request),
    time: predicate.time,
    entry: entry.index,
    approvals: [],
    rejectedBy: null,
    withdrawn: false,
    revokedBy: null,
    runs: [],
  }
}

/** An approver takes their own approval back; an auditor or operator voids the request. */
function revoke(state: ZoneState, request: Growing<RequestState>, entry: LedgerEntry): void {
  const by = signer(entry)
  const { role } = known(state.principals, by, entry)
  if (role === 'auditor' || role === 'operator') request.revokedBy = by
  else {
    for (const given of request.approvals) {
      if (given.approval.approver === by) (given as Growing<GivenApproval>).revoked = true
    }
  }
}

function signer(entry: LedgerEntry): string {
  const [first] = entry.signers
  if (first === undefined) throw damaged(entry, 'nobody enrolled signed it')
  return first
}

function requestOf(state: ZoneState, digest: string, entry: LedgerEntry): Growing<RequestState> {
  return known(state.requests, digest, entry) as Growing<RequestState>
}

function known<K, V>(map: ReadonlyMap<K, V>, key: K, entry: LedgerEntry): V {
  const value = map.get(key)
  if (value === undefined) throw damaged(entry, 'it refers to something that no earlier entry made')
  return value
}

function damaged(entry: LedgerEntry, why: string): SluiceError {
  return new SluiceError('ZONE_DAMAGED', `entry ${entry.index} of the ledger cannot be applied: ${why}`, {
    remedy: 'Run `sluice ledger verify`, and restore the zone from a copy that verifies.',
    facts: { entry: entry.index },
  })
}

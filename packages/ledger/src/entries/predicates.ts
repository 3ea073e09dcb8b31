/**
 * What the ledger records: one interface a predicate type. An entry is a DSSE envelope around an in-toto v1
 * Statement whose `predicateType` is `PREDICATE_TYPES[kind]` and whose predicate is one of these.
 *
 * Times are ISO 8601 in UTC with milliseconds. `…Digest` and `fingerprint` are SHA-256 in hexadecimal, over
 * canonical bytes (RFC 8785) unless stated. Principals are named as enrolled.
 */
export type Role = 'provider' | 'operator' | 'reviewer' | 'consumer' | 'auditor'

export interface Enrolment {
  readonly name: string
  readonly role: Role
  /** signed-note verifier key (C2SP signed-note, Ed25519): `name+hash+base64` */
  readonly key: string
}

/** The zone's first entry, signed by every principal that it names: at least an operator, a provider and an auditor. */
export interface Founding {
  readonly kind: 'founding'
  readonly time: string
  /** 128 random bits, hexadecimal */
  readonly zone: string
  /** the checkpoint's origin line */
  readonly origin: string
  readonly suite: 'international'
  /** verifier key of the log itself */
  readonly logKey: string
  readonly principals: readonly Enrolment[]
  /** a change of keys is valid with a signature of one principal of each of these roles, at least */
  readonly charter: { readonly keyChange: readonly Role[] }
}

/**
 * The first entry of a ledger that one party of joint jobs and intersections keeps by itself: it holds its own
 * `joint-…` and `psi-…` entries and nothing else. What it says is worth what its links to the other parties' ledgers
 * are worth.
 */
export interface PartyFounding {
  readonly kind: 'party-founding'
  readonly time: string
  /** the checkpoint's origin line */
  readonly origin: string
  readonly suite: 'international'
  /** verifier key of the log itself */
  readonly logKey: string
  readonly party: {
    readonly name: string
    /** verifier key text; it signs every entry */
    readonly key: string
  }
}

export interface KeyChange {
  readonly kind: 'key-change'
  readonly time: string
  readonly action: 'enrol' | 'rotate' | 'remove'
  /** for `remove`, the key that is removed */
  readonly principal: Enrolment
}

/** A dataset's version, with the policy in force from here on; signed by its owner. */
export interface Registration {
  readonly kind: 'registration'
  readonly time: string
  readonly dataset: string
  readonly version: number
  readonly owner: string
  /** SHA-256 of the registered file's bytes */
  readonly fingerprint: string
  /** random name of the file below `data/` */
  readonly file: string
  /** `{name, type}` a column, as `core` writes them */
  readonly schema: unknown
  readonly uniqueKeys: readonly (readonly string[])[]
  /** rounded up to the policy's step */
  readonly rows: number
  /** the column whose entities' codes stand beside the data, and how many there are, rounded up likewise */
  readonly entity: { readonly column: string; readonly count: number } | null
  readonly policyDigest: string
  readonly policy: unknown
  /** what rules of the policy look values up in; absent: none */
  readonly tables?: readonly RegisteredTable[]
  /**
   * Where the policy has rules that are applied before the file enters: did a statement beside the file say that they
   * were? It guards against mistakes, not against an owner who lies.
   */
  readonly desensitized?: 'stated' | 'unstated'
}

/** A table that scans look values up in: a hierarchy or a dictionary. */
export interface RegisteredTable {
  /** as the policy's rules name it */
  readonly name: string
  /** random name of the file below `data/` */
  readonly file: string
  /** SHA-256 of its bytes */
  readonly fingerprint: string
}

/** A new policy for the current version of a dataset; signed by its owner. */
export interface PolicyChange {
  readonly kind: 'policy-change'
  readonly time: string
  readonly dataset: string
  readonly policyDigest: string
  readonly policy: unknown
  /** all that are in force from here on; absent: none */
  readonly tables?: readonly RegisteredTable[]
  /** as in a registration; `stated`: they are those of the policy before */
  readonly desensitized?: 'stated' | 'unstated'
}

export interface Retirement {
  readonly kind: 'retirement'
  readonly time: string
  readonly dataset: string
}

/** Signed by the consumer. `requestDigest` is over `request`; what that holds, `sandbox` defines. */
export interface Request {
  readonly kind: 'request'
  readonly time: string
  readonly id: string
  readonly consumer: string
  readonly requestDigest: string
  readonly request: unknown
}

/** Signed by the approver, elsewhere; its time is the signer's. */
export interface Approval {
  readonly kind: 'approval'
  readonly time: string
  readonly zone: string
  readonly requestDigest: string
  readonly approver: string
  readonly expires: string
  readonly maxRuns: number
  /** `same-schema` stands for later versions of the approver's dataset, where its policy allows that */
  readonly datasetVersions: 'exact' | 'same-schema'
  /** narrower ranges than the request's, by parameter; empty: the request's */
  readonly parameters: Readonly<Record<string, { minimum?: string; maximum?: string; values?: string[] }>>
  /** 128 random bits, hexadecimal; an approval counts once */
  readonly nonce: string
}

/** Signed by a principal who could have approved. */
export interface Rejection {
  readonly kind: 'rejection'
  readonly time: string
  readonly requestDigest: string
  readonly reason: string
}

/** Signed by an approver (their approval is void from here on) or by the auditor or operator (the request is). */
export interface Revocation {
  readonly kind: 'revocation'
  readonly time: string
  readonly requestDigest: string
  readonly reason: string
}

/** Signed by the consumer. */
export interface Withdrawal {
  readonly kind: 'withdrawal'
  readonly time: string
  readonly requestDigest: string
}

/** Durable before anything executes; signed by the operator. */
export interface Run {
  readonly kind: 'run'
  readonly time: string
  readonly run: string
  readonly requestDigest: string
  /** entry indexes of the approvals that it stands on */
  readonly approvals: readonly number[]
  /** salted commitment (see `commitment`) to the parameters' canonical bytes; the opening lies outside, erasable */
  readonly parametersCommitment: string
  readonly datasets: readonly {
    readonly name: string
    readonly version: number
    readonly fingerprint: string
  }[]
  readonly engine: string
}

/** Durable before the result is handed out; signed by the operator. */
export interface Release {
  readonly kind: 'release'
  readonly time: string
  readonly run: string
  readonly requestDigest: string
  /** salted commitment to the SHA-256 of the result's bytes (Arrow IPC stream) */
  readonly resultCommitment: string
  /** number of suppressed cells by rule, rounded up to the policy's step */
  readonly suppressed: Readonly<Record<string, number>>
  readonly isolation: 'bubblewrap' | 'namespaces' | 'process'
  /** rounded up to the policy's step */
  readonly milliseconds: number
}

/**
 * A principal whose approval the policy of a dataset asks for besides the owner's consents to its stand-ins, as the
 * policy in force allows them, for this version. The owner's consent is the policy. Signed by the approver.
 */
export interface SampleConsent {
  readonly kind: 'sample-consent'
  readonly time: string
  readonly zone: string
  readonly dataset: string
  readonly version: number
  readonly policyDigest: string
  readonly approver: string
  readonly expires: string
  /** 128 random bits, hexadecimal; a consent counts once */
  readonly nonce: string
}

/** A stand-in that left, durable before it is handed out; signed by the operator. */
export interface Sample {
  readonly kind: 'sample'
  readonly time: string
  /** 128 random bits, hexadecimal */
  readonly sample: string
  readonly dataset: string
  readonly version: number
  readonly fingerprint: string
  readonly policyDigest: string
  /** to whom it was given */
  readonly consumer: string
  readonly mode: 'rows' | 'synthetic'
  /** that were asked for */
  readonly rows: number
  /** entry indexes of the consents that it stands on, besides the owner's */
  readonly consents: readonly number[]
  /** salted commitment to the SHA-256 of the file's bytes */
  readonly resultCommitment: string
  /** the weakest that the engine ran under */
  readonly isolation: 'bubblewrap' | 'namespaces' | 'process'
}

/** Something that was refused, by whom it was asked and at which stage; signed by whoever's key was at hand. */
export interface Refusal {
  readonly kind: 'refusal'
  readonly time: string
  readonly stage: 'gate' | 'approval' | 'run' | 'disclosure' | 'execution'
  readonly code: string
  readonly rule: string | null
  /** null where there is no request yet */
  readonly requestDigest: string | null
  /** the run that was taken from the allowance, if one was */
  readonly run: string | null
  readonly principal: string
}

/** Durable before a party meets the others; signed by the party. */
export interface JointStart {
  readonly kind: 'joint-start'
  readonly time: string
  /** 128 random bits, hexadecimal */
  readonly run: string
  readonly jobDigest: string
  /** names of all parties of the job, in its order */
  readonly parties: readonly string[]
}

/**
 * What went over one connection of an intersection: SHA-256 over the messages of each direction, salted by the two ends.
 * The peer's ledger has the mirror of it.
 */
export interface PsiLink {
  readonly peer: string
  readonly sent: string
  readonly received: string
}

/** The same of a joint job, of which the lengths of messages tell nothing but the job. */
export interface JointLink extends PsiLink {
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** A joint job that ended well, and what was opened to this party; durable before it is handed out. */
export interface JointEnd {
  readonly kind: 'joint-end'
  readonly time: string
  readonly run: string
  readonly jobDigest: string
  /** identifier of the session, the same in every party's ledger */
  readonly session: string
  readonly links: readonly JointLink[]
  /** who left before the end, of a job that goes on without them; not given where nobody did */
  readonly left?: readonly string[]
  readonly opened: readonly {
    readonly operation: string
    readonly cells: number
    readonly suppressed: number
    /** salted commitment (see `commitment`) to the canonical bytes of the table */
    readonly resultCommitment: string
  }[]
}

/** A joint job that broke off; nothing of it is used again. */
export interface JointBreak {
  readonly kind: 'joint-break'
  readonly time: string
  readonly run: string
  readonly jobDigest: string
  /** null where there was no session yet */
  readonly session: string | null
  readonly code: string
  /** the party that the error names */
  readonly about: string | null
  readonly links: readonly JointLink[]
}

/** Another party of an intersection, and with how many items it tests this party's. */
export interface PsiCounterpart {
  readonly name: string
  /** verifier key text: quotas count by key, whatever the name */
  readonly key: string
  /** items that it may learn something about, as padded; 0 where it learns nothing */
  readonly items: number
  /** its salted commitment to its input, 64 hexadecimal digits */
  readonly input?: string
}

/** What a job of intersection allows, as every party signed it. */
export interface PsiQuota {
  /** how often the job may run */
  readonly runs: number
  /** with how many items one counterpart may ever have tested this party's, in all jobs together */
  readonly lifetimeItems: number
}

/**
 * An intersection that is about to be computed; durable before it is, and counted from here on, whether it ends well or
 * not. Signed by the party.
 */
export interface PsiStart {
  readonly kind: 'psi-start'
  readonly time: string
  readonly jobDigest: string
  /** identifier of the session, the same in every party's ledger, and of this run alone */
  readonly session: string
  /** names of all parties of the job, in its order */
  readonly parties: readonly string[]
  /** this party's own items, as padded, and its salted commitment to them */
  readonly items: number
  readonly input?: string
  readonly counterparts: readonly PsiCounterpart[]
  readonly quota: PsiQuota
  /** the prepared set that is asked, and which of its keys answers */
  readonly prepared?: { readonly set: string; readonly epoch: number }
  /**
   * the session of an earlier run of this job over the same input, with which this one goes on: that one has counted
   * all items, and here are those that may be tested again
   */
  readonly resumes?: string
}

/** An intersection that ended well; durable before what was learned is handed out. */
export interface PsiEnd {
  readonly kind: 'psi-end'
  readonly time: string
  readonly jobDigest: string
  readonly session: string
  /** none where it ended without the others, from what was finished before */
  readonly links: readonly PsiLink[]
  /** salted commitment to the canonical bytes of how many items are shared, and their sum; not given to whom it tells nothing */
  readonly resultCommitment?: string
}

/** An intersection that broke off, or whose result was refused. */
export interface PsiBreak {
  readonly kind: 'psi-break'
  readonly time: string
  readonly jobDigest: string
  readonly session: string
  readonly code: string
  /** the party that the error names */
  readonly about: string | null
  readonly links: readonly PsiLink[]
}

/** A set that this party prepared, for others to test with its help; durable before the file is there. */
export interface PsiSet {
  readonly kind: 'psi-set'
  readonly time: string
  /** name of the set and digest of its file, 64 hexadecimal digits each */
  readonly set: string
  readonly file: string
  /** which key of the set it was prepared under, and when that is to be rotated */
  readonly epoch: number
  readonly expires: string
  /** as padded */
  readonly items: number
}

/** The key of a prepared set was replaced. */
export interface PsiRotation {
  readonly kind: 'psi-rotation'
  readonly time: string
  readonly set: string
  /** of the new key */
  readonly epoch: number
  readonly expires: string
  /** how many files were prepared since the rotation before: they are void */
  readonly voided: number
}

export type Predicate =
  | Founding
  | KeyChange
  | Registration
  | PolicyChange
  | Retirement
  | Request
  | Approval
  | Rejection
  | Revocation
  | Withdrawal
  | Run
  | Release
  | SampleConsent
  | Sample
  | Refusal
  | PartyFounding
  | JointStart
  | JointEnd
  | JointBreak
  | PsiStart
  | PsiEnd
  | PsiBreak
  | PsiSet
  | PsiRotation

export type PredicateKind = Predicate['kind']

/** What a Statement calls each kind of predicate. */
export const PREDICATE_TYPES: { readonly [K in PredicateKind]: `urn:sluice:predicate:${K}:v1` } = {
  founding: 'urn:sluice:predicate:founding:v1',
  'key-change': 'urn:sluice:predicate:key-change:v1',
  registration: 'urn:sluice:predicate:registration:v1',
  'policy-change': 'urn:sluice:predicate:policy-change:v1',
  retirement: 'urn:sluice:predicate:retirement:v1',
  request: 'urn:sluice:predicate:request:v1',
  approval: 'urn:sluice:predicate:approval:v1',
  rejection: 'urn:sluice:predicate:rejection:v1',
  revocation: 'urn:sluice:predicate:revocation:v1',
  withdrawal: 'urn:sluice:predicate:withdrawal:v1',
  run: 'urn:sluice:predicate:run:v1',
  release: 'urn:sluice:predicate:release:v1',
  'sample-consent': 'urn:sluice:predicate:sample-consent:v1',
  sample: 'urn:sluice:predicate:sample:v1',
  refusal: 'urn:sluice:predicate:refusal:v1',
  'party-founding': 'urn:sluice:predicate:party-founding:v1',
  'joint-start': 'urn:sluice:predicate:joint-start:v1',
  'joint-end': 'urn:sluice:predicate:joint-end:v1',
  'joint-break': 'urn:sluice:predicate:joint-break:v1',
  'psi-start': 'urn:sluice:predicate:psi-start:v1',
  'psi-end': 'urn:sluice:predicate:psi-end:v1',
  'psi-break': 'urn:sluice:predicate:psi-break:v1',
  'psi-set': 'urn:sluice:predicate:psi-set:v1',
  'psi-rotation': 'urn:sluice:predicate:psi-rotation:v1',
}

/**
 * Entries that the zone makes itself, at the moment when it appends them: their times never run backwards. The
 * others carry the time of whoever signed them, elsewhere and perhaps days before they were imported.
 */
export const MADE_IN_ZONE: ReadonlySet<PredicateKind> = new Set([
  'run',
  'release',
  'sample',
  'refusal',
  'joint-start',
  'joint-end',
  'joint-break',
  'psi-start',
  'psi-end',
  'psi-break',
  'psi-set',
  'psi-rotation',
])

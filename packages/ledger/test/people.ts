import { createHash, createPrivateKey, createPublicKey, sign as signBytes } from 'node:crypto'
import { canonicalDigest } from '@sluice/core'
import type { Founding, Predicate, Role } from '@sluice/ledger'
import { type Signer, verifierKey } from '@sluice/ledger/keys'

/** A signer whose key follows from its name, so that tests replay; never a way to make a real key. */
export function person(name: string, salt = ''): Signer {
  const seed = createHash('sha256').update(`a test's key for ${name}${salt}`).digest()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(-32)
  const key = verifierKey(name, raw)
  return {
    name,
    publicKey: key.text,
    keyId: key.keyId,
    sign: async bytes => signBytes(null, bytes, privateKey),
  }
}

export const ZONE = '0123456789abcdef0123456789abcdef'
export const ORIGIN = `sluice.test/zone/${ZONE}`
export const log = person(ORIGIN)

export const people = {
  operator: person('operator'),
  bureau: person('bureau'),
  auditor: person('auditor'),
  reviewer: person('reviewer'),
  bank: person('bank'),
}

const roles: Record<keyof typeof people, Role> = {
  operator: 'operator',
  bureau: 'provider',
  auditor: 'auditor',
  reviewer: 'reviewer',
  bank: 'consumer',
}

export const founding: Founding = {
  kind: 'founding',
  time: '2026-01-05T08:00:00.000Z',
  zone: ZONE,
  origin: ORIGIN,
  suite: 'international',
  logKey: log.publicKey,
  principals: Object.entries(people).map(([name, { publicKey }]) => ({
    name,
    role: roles[name as keyof typeof people],
    key: publicKey,
  })),
  charter: { keyChange: ['operator', 'provider'] },
}

export const founders = Object.values(people)

export const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')

const request = { purpose: 'credit-risk', plan: { kind: 'scan' } }
const requestDigest = canonicalDigest(request)

/** One of every kind. */
export const examples: { readonly [K in Predicate['kind']]: Extract<Predicate, { kind: K }> } = {
  founding,
  'key-change': {
    kind: 'key-change',
    time: '2026-01-05T09:00:00.000Z',
    action: 'enrol',
    principal: { name: 'insurer', role: 'consumer', key: person('insurer').publicKey },
  },
  registration: {
    kind: 'registration',
    time: '2026-01-05T10:00:00.000Z',
    dataset: '鸟击',
    version: 1,
    owner: 'bureau',
    fingerprint: digestOf('file'),
    file: 'f81d4fae7dec11d0a76500a0c91e6bf6.parquet',
    schema: [{ name: 'state', type: { kind: 'text' } }],
    uniqueKeys: [['id']],
    rows: 10_000,
    entity: null,
    policyDigest: canonicalDigest({ kind: 'policy', version: 1 }),
    policy: { kind: 'policy', version: 1 },
  },
  'policy-change': {
    kind: 'policy-change',
    time: '2026-01-05T10:30:00.000Z',
    dataset: '鸟击',
    policyDigest: canonicalDigest({ kind: 'policy', version: 1, more: true }),
    policy: { kind: 'policy', version: 1, more: true },
  },
  retirement: { kind: 'retirement', time: '2026-01-05T11:00:00.000Z', dataset: '鸟击' },
  request: {
    kind: 'request',
    time: '2026-01-05T12:00:00.000Z',
    id: 'r-1',
    consumer: 'bank',
    requestDigest,
    request,
  },
  approval: {
    kind: 'approval',
    time: '2026-01-05T13:00:00.000Z',
    zone: ZONE,
    requestDigest,
    approver: 'bureau',
    expires: '2026-02-05T13:00:00.000Z',
    maxRuns: 10,
    datasetVersions: 'exact',
    parameters: { year: { minimum: '1990', maximum: '2002' } },
    nonce: 'ffeeddccbbaa99887766554433221100',
  },
  rejection: {
    kind: 'rejection',
    time: '2026-01-05T13:00:00.000Z',
    requestDigest,
    reason: 'no',
  },
  revocation: {
    kind: 'revocation',
    time: '2026-01-05T13:00:00.000Z',
    requestDigest,
    reason: 'no longer',
  },
  withdrawal: {
    kind: 'withdrawal',
    time: '2026-01-05T13:00:00.000Z',
    requestDigest,
  },
  run: {
    kind: 'run',
    time: '2026-01-05T14:00:00.000Z',
    run: 'run-1',
    requestDigest,
    approvals: [3],
    parametersCommitment: digestOf('commitment'),
    datasets: [{ name: '鸟击', version: 1, fingerprint: digestOf('file') }],
    engine: 'duckdb/1',
  },
  release: {
    kind: 'release',
    time: '2026-01-05T14:00:01.000Z',
    run: 'run-1',
    requestDigest,
    resultCommitment: digestOf('result'),
    suppressed: { dominance: 2 },
    isolation: 'bubblewrap',
    milliseconds: 1000,
  },
  'sample-consent': {
    kind: 'sample-consent',
    time: '2026-01-05T14:30:00.000Z',
    zone: ZONE,
    dataset: '鸟击',
    version: 1,
    policyDigest: canonicalDigest({ kind: 'policy', version: 1 }),
    approver: 'reviewer',
    expires: '2026-04-05T14:30:00.000Z',
    nonce: '00112233445566778899aabbccddeeff',
  },
  sample: {
    kind: 'sample',
    time: '2026-01-05T14:40:00.000Z',
    sample: 'a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3',
    dataset: '鸟击',
    version: 1,
    fingerprint: digestOf('file'),
    policyDigest: canonicalDigest({ kind: 'policy', version: 1 }),
    consumer: 'bank',
    mode: 'synthetic',
    rows: 100,
    consents: [4],
    resultCommitment: digestOf('sample'),
    isolation: 'bubblewrap',
  },
  refusal: {
    kind: 'refusal',
    time: '2026-01-05T15:00:00.000Z',
    stage: 'gate',
    code: 'SQL_REFUSED',
    rule: 'sql.function',
    requestDigest: null,
    run: null,
    principal: 'bank',
  },
  'party-founding': {
    kind: 'party-founding',
    time: '2026-01-05T08:00:00.000Z',
    origin: ORIGIN,
    suite: 'international',
    logKey: log.publicKey,
    party: { name: 'bank', key: people.bank.publicKey },
  },
  'joint-start': {
    kind: 'joint-start',
    time: '2026-01-06T00:00:00.000Z',
    run: ZONE,
    jobDigest: digestOf('a job'),
    parties: ['bureau', 'bank', 'operator'],
  },
  'joint-end': {
    kind: 'joint-end',
    time: '2026-01-06T00:00:00.000Z',
    run: ZONE,
    jobDigest: digestOf('a job'),
    session: digestOf('a session'),
    links: ['bureau', 'operator'].map(peer => ({
      peer,
      sent: digestOf(`to ${peer}`),
      received: digestOf(`from ${peer}`),
      bytesSent: 4096,
      bytesReceived: 8192,
    })),
    opened: [{ operation: 'arrears', cells: 6, suppressed: 1, resultCommitment: digestOf('salted') }],
  },
  'psi-start': {
    kind: 'psi-start',
    time: '2026-01-06T00:00:00.000Z',
    jobDigest: digestOf('a job'),
    session: digestOf('a session'),
    parties: ['bureau', 'bank', 'operator'],
    items: 1000,
    counterparts: [
      { name: 'bureau', key: people.bureau.publicKey, items: 500, input: digestOf('another input') },
    ],
    quota: { runs: 1, lifetimeItems: 1000 },
  },
  'psi-end': {
    kind: 'psi-end',
    time: '2026-01-06T00:00:00.000Z',
    jobDigest: digestOf('a job'),
    session: digestOf('a session'),
    links: [
      {
        peer: 'bureau',
        sent: digestOf('to bureau'),
        received: digestOf('from bureau'),
      },
    ],
  },
  'psi-break': {
    kind: 'psi-break',
    time: '2026-01-06T00:00:00.000Z',
    jobDigest: digestOf('a job'),
    session: digestOf('a session'),
    code: 'PEER_LOST',
    about: 'bureau',
    links: [],
  },
  'psi-set': {
    kind: 'psi-set',
    time: '2026-01-06T00:00:00.000Z',
    set: digestOf('a set'),
    file: digestOf('a prepared file'),
    epoch: 1,
    expires: '2026-04-06T00:00:00.000Z',
    items: 1000,
  },
  'psi-rotation': {
    kind: 'psi-rotation',
    time: '2026-01-06T00:00:00.000Z',
    set: digestOf('a set'),
    epoch: 2,
    expires: '2026-07-06T00:00:00.000Z',
    voided: 1,
  },
  'joint-break': {
    kind: 'joint-break',
    time: '2026-01-06T00:00:00.000Z',
    run: ZONE,
    jobDigest: digestOf('a job'),
    session: null,
    code: 'PEER_LOST',
    about: 'bureau',
    links: [],
  },
}

import { canonicalDigest, type Json, SluiceError } from '@sluice/core'
import { z } from 'zod'
import { isKeyName, parseVerifierKey } from '../keys/verifier-key.js'
import type { Predicate } from './predicates.js'

/**
 * The one way from an unknown value to a `Predicate`: unknown keys are refused, every text and list has a limit.
 *
 * @throws SluiceError SCHEMA_INVALID with the path of the first thing that is wrong, never its value
 */
export function parsePredicate(value: unknown): Predicate {
  const parsed = predicate.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue?.path.map(String).join('.') || 'the predicate'
  // zod's message can quote what it read: its kind of issue is all that is said
  throw new SluiceError('SCHEMA_INVALID', `an entry's ${path} is not valid (${issue?.code ?? 'unknown'})`, {
    rule: `entry.${path}`,
    remedy: 'Make entries with the functions of @sluice/ledger of the same version as the zone.',
  })
}

const DEPTH = 32

const bidi = /[\p{Cc}\p{Bidi_Control}]/u
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const nonce = z.string().regex(/^[0-9a-f]{32}$/)
const keyName = z.string().refine(isKeyName)
const name = z
  .string()
  .min(1)
  .max(200)
  .refine(text => text.isWellFormed() && !bidi.test(text))
const reason = z
  .string()
  .min(1)
  .max(2000)
  .refine(text => text.isWellFormed())
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const time = z.string().refine(isTime)
const code = z.string().regex(/^[A-Z_]{1,64}$/)
const role = z.enum(['provider', 'operator', 'reviewer', 'consumer', 'auditor'])
const json = z.unknown().refine(value => value !== undefined && isShallow(value, DEPTH))
const fileName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*$/)

const tables = z
  .array(z.strictObject({ name, file: fileName, fingerprint: digest }))
  .min(1)
  .max(64)
  .refine(list => distinct(list.map(table => table.name)))

const enrolment = z
  .strictObject({ name: keyName, role, key: z.string().refine(isVerifierKey) })
  .refine(({ name, key }) => parseVerifierKey(key).name === name)

const founding = z
  .strictObject({
    kind: z.literal('founding'),
    time,
    zone: nonce,
    origin: keyName,
    suite: z.literal('international'),
    logKey: z.string().refine(isVerifierKey),
    principals: z.array(enrolment).min(3).max(32),
    charter: z.strictObject({ keyChange: z.array(role).min(1).max(5) }),
  })
  .refine(({ origin, logKey }) => parseVerifierKey(logKey).name === origin, { path: ['logKey'] })
  .refine(({ principals }) => distinct(principals.map(principal => principal.name)), { path: ['principals'] })
  .refine(({ principals }) => distinct(principals.map(principal => principal.key)), { path: ['principals'] })
  .refine(
    ({ principals }) =>
      ['operator', 'provider', 'auditor'].every(needed => principals.some(({ role }) => role === needed)),
    { path: ['principals'] },
  )
  .refine(({ charter }) => distinct(charter.keyChange), { path: ['charter', 'keyChange'] })

const keyChange = z.strictObject({
  kind: z.literal('key-change'),
  time,
  action: z.enum(['enrol', 'rotate', 'remove']),
  principal: enrolment,
})

const registration = z
  .strictObject({
    kind: z.literal('registration'),
    time,
    dataset: name,
    version: count.min(1),
    owner: keyName,
    fingerprint: digest,
    file: fileName,
    schema: json,
    uniqueKeys: z.array(z.array(name).min(1).max(32)).max(64),
    rows: count,
    entity: z.strictObject({ column: name, count }).nullable(),
    policyDigest: digest,
    policy: json,
    tables: tables.exactOptional(),
    desensitized: z.enum(['stated', 'unstated']).exactOptional(),
  })
  .refine(({ policy, policyDigest }) => hasDigest(policy, policyDigest), { path: ['policyDigest'] })

const policyChange = z
  .strictObject({
    kind: z.literal('policy-change'),
    time,
    dataset: name,
    policyDigest: digest,
    policy: json,
    tables: tables.exactOptional(),
    desensitized: z.enum(['stated', 'unstated']).exactOptional(),
  })
  .refine(({ policy, policyDigest }) => hasDigest(policy, policyDigest), { path: ['policyDigest'] })

const retirement = z.strictObject({ kind: z.literal('retirement'), time, dataset: name })

const request = z
  .strictObject({
    kind: z.literal('request'),
    time,
    id: name,
    consumer: keyName,
    requestDigest: digest,
    request: json,
  })
  .refine(({ request, requestDigest }) => hasDigest(request, requestDigest), { path: ['requestDigest'] })

const approval = z.strictObject({
  kind: z.literal('approval'),
  time,
  zone: nonce,
  requestDigest: digest,
  approver: keyName,
  expires: time,
  maxRuns: count.min(1),
  datasetVersions: z.enum(['exact', 'same-schema']),
  parameters: z.record(
    name,
    z.strictObject({
      minimum: z.string().max(200).exactOptional(),
      maximum: z.string().max(200).exactOptional(),
      values: z.array(z.string().max(200)).min(1).max(1000).exactOptional(),
    }),
  ),
  nonce,
})

const rejection = z.strictObject({ kind: z.literal('rejection'), time, requestDigest: digest, reason })
const revocation = z.strictObject({ kind: z.literal('revocation'), time, requestDigest: digest, reason })
const withdrawal = z.strictObject({ kind: z.literal('withdrawal'), time, requestDigest: digest })

const run = z.strictObject({
  kind: z.literal('run'),
  time,
  run: name,
  requestDigest: digest,
  approvals: z.array(count).min(1).max(64).refine(distinct),
  parametersCommitment: digest,
  datasets: z.array(z.strictObject({ name, version: count.min(1), fingerprint: digest })).max(64),
  engine: name,
})

const release = z.strictObject({
  kind: z.literal('release'),
  time,
  run: name,
  requestDigest: digest,
  resultCommitment: digest,
  suppressed: z.record(name, count),
  isolation: z.enum(['bubblewrap', 'namespaces', 'process']),
  milliseconds: count,
})

const sampleConsent = z.strictObject({
  kind: z.literal('sample-consent'),
  time,
  zone: nonce,
  dataset: name,
  version: count.min(1),
  policyDigest: digest,
  approver: keyName,
  expires: time,
  nonce,
})

const sample = z.strictObject({
  kind: z.literal('sample'),
  time,
  sample: nonce,
  dataset: name,
  version: count.min(1),
  fingerprint: digest,
  policyDigest: digest,
  consumer: keyName,
  mode: z.enum(['rows', 'synthetic']),
  rows: count.min(1),
  consents: z.array(count).max(64).refine(distinct),
  resultCommitment: digest,
  isolation: z.enum(['bubblewrap', 'namespaces', 'process']),
})

const refusal = z.strictObject({
  kind: z.literal('refusal'),
  time,
  stage: z.enum(['gate', 'approval', 'run', 'disclosure', 'execution']),
  code,
  rule: name.nullable(),
  requestDigest: digest.nullable(),
  run: name.nullable(),
  principal: keyName,
})

const partyFounding = z
  .strictObject({
    kind: z.literal('party-founding'),
    time,
    origin: keyName,
    suite: z.literal('international'),
    logKey: z.string().refine(isVerifierKey),
    party: z.strictObject({ name: keyName, key: z.string().refine(isVerifierKey) }),
  })
  .refine(({ origin, logKey }) => parseVerifierKey(logKey).name === origin, { path: ['logKey'] })
  .refine(({ party }) => parseVerifierKey(party.key).name === party.name, { path: ['party', 'key'] })

const link = { peer: keyName, sent: digest, received: digest }
const jointLinks = z.array(z.strictObject({ ...link, bytesSent: count, bytesReceived: count })).max(64)
const psiLinks = z.array(z.strictObject(link)).max(64)
const joint = { time, run: nonce, jobDigest: digest }

const jointStart = z.strictObject({
  kind: z.literal('joint-start'),
  ...joint,
  parties: z.array(keyName).min(2).max(64).refine(distinct),
})

const jointEnd = z.strictObject({
  kind: z.literal('joint-end'),
  ...joint,
  session: digest,
  links: jointLinks,
  left: z.array(keyName).min(1).max(64).refine(distinct).exactOptional(),
  opened: z
    .array(z.strictObject({ operation: name, cells: count, suppressed: count, resultCommitment: digest }))
    .max(64),
})

const jointBreak = z.strictObject({
  kind: z.literal('joint-break'),
  ...joint,
  session: digest.nullable(),
  code,
  about: keyName.nullable(),
  links: jointLinks,
})

const psi = { time, jobDigest: digest, session: digest }

const psiStart = z.strictObject({
  kind: z.literal('psi-start'),
  ...psi,
  parties: z.array(keyName).min(2).max(64).refine(distinct),
  items: count,
  input: digest.exactOptional(),
  counterparts: z
    .array(
      z.strictObject({
        name: keyName,
        key: z.string().refine(isVerifierKey),
        items: count,
        input: digest.exactOptional(),
      }),
    )
    .min(1)
    .max(64)
    .refine(list => distinct(list.map(counterpart => counterpart.name))),
  quota: z.strictObject({ runs: count.min(1), lifetimeItems: count }),
  prepared: z.strictObject({ set: digest, epoch: count }).exactOptional(),
  resumes: digest.exactOptional(),
})

const psiEnd = z.strictObject({
  kind: z.literal('psi-end'),
  ...psi,
  links: psiLinks,
  resultCommitment: digest.exactOptional(),
})

const psiBreak = z.strictObject({
  kind: z.literal('psi-break'),
  ...psi,
  code,
  about: keyName.nullable(),
  links: psiLinks,
})

const psiSet = z.strictObject({
  kind: z.literal('psi-set'),
  time,
  set: digest,
  file: digest,
  epoch: count,
  expires: time,
  items: count,
})

const psiRotation = z.strictObject({
  kind: z.literal('psi-rotation'),
  time,
  set: digest,
  epoch: count,
  expires: time,
  voided: count,
})

const predicate: z.ZodType<Predicate> = z.discriminatedUnion('kind', [
  founding,
  keyChange,
  registration,
  policyChange,
  retirement,
  request,
  approval,
  rejection,
  revocation,
  withdrawal,
  run,
  release,
  sampleConsent,
  sample,
  refusal,
  partyFounding,
  jointStart,
  jointEnd,
  jointBreak,
  psiStart,
  psiEnd,
  psiBreak,
  psiSet,
  psiRotation,
])

/** ISO 8601 in UTC with milliseconds, and a day that exists. */
function isTime(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) return false
  const milliseconds = Date.parse(text)
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === text
}

function isVerifierKey(text: string): boolean {
  try {
    return parseVerifierKey(text).type === 0x01
  } catch {
    return false
  }
}

function hasDigest(value: unknown, expected: string): boolean {
  try {
    return isShallow(value, DEPTH) && canonicalDigest(value as Json) === expected
  } catch {
    // it has no canonical form, so no digest either
    return false
  }
}

function distinct(items: readonly unknown[]): boolean {
  return new Set(items).size === items.length
}

/** Canonical JSON is written by a recursive library: what is nested too deeply is refused before it gets there. */
function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every(item => isShallow(item, depth - 1))
}

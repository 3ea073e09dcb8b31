import type { Predicate, PredicateKind } from '../entries/predicates.js'
import { isName, readKey } from './keys.js'

/** Is this a predicate, to the last field. Written without a schema library: an auditor installs none. */
export function isPredicate(value: unknown): value is Predicate {
  const kind = isObject(value) ? value.kind : undefined
  const form =
    typeof kind === 'string' && Object.hasOwn(FORMS, kind) ? FORMS[kind as PredicateKind] : undefined
  return form?.(value) ?? false
}

type Form = (value: unknown) => boolean

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const object =
  (fields: Readonly<Record<string, Form>>, optional: Readonly<Record<string, Form>> = {}): Form =>
  value => {
    if (!isObject(value)) return false
    for (const [key, item] of Object.entries(value)) {
      const form = Object.hasOwn(fields, key)
        ? fields[key]
        : Object.hasOwn(optional, key)
          ? optional[key]
          : undefined
      if (form === undefined || !form(item)) return false
    }
    return Object.keys(fields).every(key => Object.hasOwn(value, key))
  }
const list =
  (form: Form, minimum: number, maximum: number): Form =>
  value =>
    Array.isArray(value) &&
    value.length >= minimum &&
    value.length <= maximum &&
    value.every(item => form(item))
const record =
  (form: Form): Form =>
  value =>
    isObject(value) && Object.entries(value).every(([key, item]) => plain(key) && form(item))
const pattern =
  (expression: RegExp, longest = Number.POSITIVE_INFINITY): Form =>
  value =>
    typeof value === 'string' && value.length <= longest && expression.test(value)
const one =
  (...values: unknown[]): Form =>
  value =>
    values.includes(value)
const nullable =
  (form: Form): Form =>
  value =>
    value === null || form(value)
const count =
  (minimum: number): Form =>
  value =>
    Number.isSafeInteger(value) && (value as number) >= minimum
const limited =
  (longest: number): Form =>
  value =>
    typeof value === 'string' && value.length <= longest
const distinct =
  (form: Form): Form =>
  value =>
    form(value) && new Set(value as unknown[]).size === (value as unknown[]).length

const digest = pattern(/^[0-9a-f]{64}$/)
const nonce = pattern(/^[0-9a-f]{32}$/)
const name: Form = value => typeof value === 'string' && isName(value)
const plain: Form = value =>
  typeof value === 'string' &&
  value.length >= 1 &&
  value.length <= 200 &&
  value.isWellFormed() &&
  !/[\p{Cc}\p{Bidi_Control}]/u.test(value)
const reason: Form = value =>
  typeof value === 'string' && value.length >= 1 && value.length <= 2000 && value.isWellFormed()
const file = pattern(/^[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*$/, 200)
const role = one('provider', 'operator', 'reviewer', 'consumer', 'auditor')

const time: Form = value => {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) return false
  const date = new Date(value)
  return !Number.isNaN(date.getTime()) && date.toISOString() === value
}

const json =
  (depth: number): Form =>
  value =>
    value !== undefined &&
    (typeof value !== 'object' ||
      value === null ||
      (depth > 0 && Object.values(value).every(item => json(depth - 1)(item))))
const anything = json(32)

const key: Form = value => {
  try {
    readKey(value)
    return true
  } catch {
    return false
  }
}

const enrolmentFields = object({ name, role, key })
const enrolment: Form = value =>
  enrolmentFields(value) && readKey((value as { key: string }).key).name === (value as { name: string }).name

const principals: Form = value => {
  if (!list(enrolment, 3, 32)(value)) return false
  const all = value as { name: string; role: string; key: string }[]
  return (
    new Set(all.map(each => each.name)).size === all.length &&
    new Set(all.map(each => each.key)).size === all.length &&
    ['operator', 'provider', 'auditor'].every(needed => all.some(each => each.role === needed))
  )
}

const range = object(
  {},
  { minimum: limited(200), maximum: limited(200), values: list(limited(200), 1, 1000) },
)
const namedTables = list(object({ name: plain, file, fingerprint: digest }), 1, 64)
const tables: Form = value =>
  namedTables(value) &&
  new Set((value as { name: string }[]).map(each => each.name)).size === (value as unknown[]).length
const desensitized = one('stated', 'unstated')
const dataset = object({ name: plain, version: count(1), fingerprint: digest })

const kind = (value: PredicateKind) => ({ kind: one(value), time })

const linkFields = { peer: name, sent: digest, received: digest }
const psiLink = object(linkFields)
const link = object({ ...linkFields, bytesSent: count(0), bytesReceived: count(0) })
const jointFields = (value: PredicateKind) => ({ ...kind(value), run: nonce, jobDigest: digest })
const psiFields = (value: PredicateKind) => ({ ...kind(value), jobDigest: digest, session: digest })
const setFields = (value: PredicateKind) => ({ ...kind(value), set: digest, epoch: count(0), expires: time })
const listedCounterparts = list(object({ name, key, items: count(0) }, { input: digest }), 1, 64)
const counterparts: Form = value =>
  listedCounterparts(value) &&
  new Set((value as { name: string }[]).map(each => each.name)).size === (value as unknown[]).length
const isNamed = (given: { readonly name: string; readonly key: string }) =>
  readKey(given.key).name === given.name

const FORMS: { readonly [K in PredicateKind]: Form } = {
  founding: value =>
    object({
      ...kind('founding'),
      zone: nonce,
      origin: name,
      suite: one('international'),
      logKey: key,
      principals,
      charter: object({ keyChange: distinct(list(role, 1, 5)) }),
    })(value) && readKey((value as { logKey: string }).logKey).name === (value as { origin: string }).origin,
  'key-change': object({
    ...kind('key-change'),
    action: one('enrol', 'rotate', 'remove'),
    principal: enrolment,
  }),
  registration: object(
    {
      ...kind('registration'),
      dataset: plain,
      version: count(1),
      owner: name,
      fingerprint: digest,
      file,
      schema: anything,
      uniqueKeys: list(list(plain, 1, 32), 0, 64),
      rows: count(0),
      entity: nullable(object({ column: plain, count: count(0) })),
      policyDigest: digest,
      policy: anything,
    },
    { tables, desensitized },
  ),
  'policy-change': object(
    { ...kind('policy-change'), dataset: plain, policyDigest: digest, policy: anything },
    { tables, desensitized },
  ),
  retirement: object({ ...kind('retirement'), dataset: plain }),
  request: object({
    ...kind('request'),
    id: plain,
    consumer: name,
    requestDigest: digest,
    request: anything,
  }),
  approval: object({
    ...kind('approval'),
    zone: nonce,
    requestDigest: digest,
    approver: name,
    expires: time,
    maxRuns: count(1),
    datasetVersions: one('exact', 'same-schema'),
    parameters: record(range),
    nonce,
  }),
  rejection: object({ ...kind('rejection'), requestDigest: digest, reason }),
  revocation: object({ ...kind('revocation'), requestDigest: digest, reason }),
  withdrawal: object({ ...kind('withdrawal'), requestDigest: digest }),
  run: object({
    ...kind('run'),
    run: plain,
    requestDigest: digest,
    approvals: distinct(list(count(0), 1, 64)),
    parametersCommitment: digest,
    datasets: list(dataset, 0, 64),
    engine: plain,
  }),
  release: object({
    ...kind('release'),
    run: plain,
    requestDigest: digest,
    resultCommitment: digest,
    suppressed: record(count(0)),
    isolation: one('bubblewrap', 'namespaces', 'process'),
    milliseconds: count(0),
  }),
  'sample-consent': object({
    ...kind('sample-consent'),
    zone: nonce,
    dataset: plain,
    version: count(1),
    policyDigest: digest,
    approver: name,
    expires: time,
    nonce,
  }),
  sample: object({
    ...kind('sample'),
    sample: nonce,
    dataset: plain,
    version: count(1),
    fingerprint: digest,
    policyDigest: digest,
    consumer: name,
    mode: one('rows', 'synthetic'),
    rows: count(1),
    consents: distinct(list(count(0), 0, 64)),
    resultCommitment: digest,
    isolation: one('bubblewrap', 'namespaces', 'process'),
  }),
  'party-founding': value =>
    object({
      ...kind('party-founding'),
      origin: name,
      suite: one('international'),
      logKey: key,
      party: object({ name, key }),
    })(value) &&
    readKey((value as { logKey: string }).logKey).name === (value as { origin: string }).origin &&
    isNamed((value as { party: { name: string; key: string } }).party),
  'joint-start': object({ ...jointFields('joint-start'), parties: distinct(list(name, 2, 64)) }),
  'joint-end': object(
    {
      ...jointFields('joint-end'),
      session: digest,
      links: list(link, 0, 64),
      opened: list(
        object({ operation: plain, cells: count(0), suppressed: count(0), resultCommitment: digest }),
        0,
        64,
      ),
    },
    { left: distinct(list(name, 1, 64)) },
  ),
  'joint-break': object({
    ...jointFields('joint-break'),
    session: nullable(digest),
    code: pattern(/^[A-Z_]{1,64}$/),
    about: nullable(name),
    links: list(link, 0, 64),
  }),
  'psi-start': object(
    {
      ...psiFields('psi-start'),
      parties: distinct(list(name, 2, 64)),
      items: count(0),
      counterparts,
      quota: object({ runs: count(1), lifetimeItems: count(0) }),
    },
    { input: digest, prepared: object({ set: digest, epoch: count(0) }), resumes: digest },
  ),
  'psi-end': object({ ...psiFields('psi-end'), links: list(psiLink, 0, 64) }, { resultCommitment: digest }),
  'psi-break': object({
    ...psiFields('psi-break'),
    code: pattern(/^[A-Z_]{1,64}$/),
    about: nullable(name),
    links: list(psiLink, 0, 64),
  }),
  'psi-set': object({ ...setFields('psi-set'), file: digest, items: count(0) }),
  'psi-rotation': object({ ...setFields('psi-rotation'), voided: count(0) }),
  refusal: object({
    ...kind('refusal'),
    stage: one('gate', 'approval', 'run', 'disclosure', 'execution'),
    code: pattern(/^[A-Z_]{1,64}$/),
    rule: nullable(plain),
    requestDigest: nullable(digest),
    run: nullable(plain),
    principal: name,
  }),
}

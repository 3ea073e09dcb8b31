import { canonicalBytes, canonicalDigest, type Json, SluiceError } from '@sluice/core'
import type { DatasetFacts, Plan } from '@sluice/core/plan'
import { decodePlan, encodePlan } from '@sluice/core/plan'
import { z } from 'zod'

/**
 * What people sign: the request's canonical bytes bind the zone, the plan with the version of its language, the
 * engine with the version of its semantics, every dataset's version and policy, purpose, recipient and the number
 * of runs. A change of any of them is another request.
 */
export interface RequestDocument {
  readonly form: typeof REQUEST_FORM
  /** random, so that asking twice is two requests */
  readonly nonce: string
  readonly zone: string
  readonly engine: string
  readonly consumer: string
  readonly purpose: string
  /** runs that the consumer asks for; an approval can allow fewer */
  readonly maxRuns: number
  /** the consumer's own text, shown beside the SQL that is emitted from the plan; nothing runs from it */
  readonly sql: string
  readonly plan: Plan
  readonly datasets: readonly DatasetBinding[]
  /** where an engine works on what several parties contribute: the digest of what they agreed on */
  readonly aggregation?: string
}

export interface DatasetBinding {
  readonly name: string
  readonly version: number
  readonly fingerprint: string
  /** over owner, columns and unique keys; see `schemaDigest` */
  readonly schemaDigest: string
  readonly policyDigest: string
}

export const REQUEST_FORM = 'sluice-request/1'

/** Everything but the plan, which has a strict decoder of its own. */
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const documentSchema = z.strictObject({
  form: z.literal(REQUEST_FORM),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  zone: z.string().regex(/^[0-9a-f]{32}$/),
  engine: z.string().min(1).max(64),
  consumer: z.string().min(1).max(64),
  purpose: z.string().min(1).max(1000),
  maxRuns: z.int().min(1).max(1_000_000),
  sql: z.string().max(65_536),
  plan: z.record(z.string(), z.unknown()),
  datasets: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(128),
        version: z.int().min(1),
        fingerprint: digest,
        schemaDigest: digest,
        policyDigest: digest,
      }),
    )
    .max(64),
  aggregation: digest.optional(),
})

/** The request as JSON: what the ledger's entry and an exported file hold. */
export function requestToJson(document: RequestDocument): Json {
  const plan = JSON.parse(new TextDecoder().decode(encodePlan(document.plan))) as Json
  return { ...document, datasets: document.datasets.map(binding => ({ ...binding })), plan }
}

/** @throws SluiceError FILE_FORMAT where a field is missing, unknown or of the wrong form */
export function requestFromJson(json: unknown): RequestDocument {
  const parsed = documentSchema.safeParse(json)
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? ''
    throw new SluiceError(
      'FILE_FORMAT',
      `this is not a request of form ${REQUEST_FORM}: "${path}" does not fit`,
      {
        rule: 'request.form',
        remedy: 'Export the request again with `sluice request export ID`.',
      },
    )
  }
  const { aggregation, ...rest } = parsed.data
  return { ...rest, ...(aggregation !== undefined && { aggregation }), plan: decodePlan(rest.plan) }
}

/** SHA-256 over the canonical bytes (RFC 8785), in hexadecimal: what an approval names. */
export function requestDigest(document: RequestDocument): string {
  return canonicalDigest(requestToJson(document))
}

/** Short enough to type, unique in a zone; the digest stays what is signed. */
export function requestId(digestOfRequest: string): string {
  return `r-${digestOfRequest.slice(0, 10)}`
}

/** What stays the same in "any later version with this schema". */
export function schemaDigest(facts: Pick<DatasetFacts, 'owner' | 'columns' | 'uniqueKeys'>): string {
  return canonicalDigest({ owner: facts.owner, columns: facts.columns, uniqueKeys: facts.uniqueKeys })
}

export function bindingOf(facts: DatasetFacts): DatasetBinding {
  return {
    name: facts.name,
    version: facts.version,
    fingerprint: facts.fingerprint,
    schemaDigest: schemaDigest(facts),
    policyDigest: facts.policyDigest,
  }
}

/** The entry's limit leaves this much for a request. */
export const MAXIMUM_REQUEST_BYTES = 40_000

export function assertRequestFits(document: RequestDocument): void {
  const bytes = canonicalBytes(requestToJson(document)).length
  if (bytes <= MAXIMUM_REQUEST_BYTES) return
  throw new SluiceError(
    'ENTRY_TOO_LARGE',
    `the request is ${bytes} bytes; ${MAXIMUM_REQUEST_BYTES} are allowed`,
    {
      rule: 'request.size',
      remedy: 'Split the query, or select fewer columns.',
    },
  )
}

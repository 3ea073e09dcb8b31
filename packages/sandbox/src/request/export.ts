import { canonicalBytes, type Json, SluiceError } from '@sluice/core'
import { type DatasetFacts, type ReviewedPlan, reviewPlan } from '@sluice/core/plan'
import { policyDigest, policyFromJson, policyToJson } from '@sluice/core/policy'
import { z } from 'zod'
import {
  type RequestDocument,
  requestDigest,
  requestFromJson,
  requestId,
  requestToJson,
  schemaDigest,
} from './document.js'

/**
 * A request on its way to an approver's own machine, with what is needed to review it there: the schema and the
 * policy of every dataset. Nothing in it is believed: digests are computed again, and so is the review.
 */
export interface RequestExport {
  readonly document: RequestDocument
  readonly datasets: readonly DatasetFacts[]
}

/** An export that was read, with what this machine computed from it. */
export interface ReviewableRequest extends RequestExport {
  readonly id: string
  readonly digest: string
  readonly reviewed: ReviewedPlan
}

const EXPORT_FORM = 'sluice-request-export/1'
const MAXIMUM_EXPORT_BYTES = 4 * 1024 * 1024

export function writeRequestExport({ document, datasets }: RequestExport): Uint8Array {
  return canonicalBytes({
    form: EXPORT_FORM,
    request: requestToJson(document),
    datasets: datasets.map(facts => ({
      name: facts.name,
      version: facts.version,
      fingerprint: facts.fingerprint,
      owner: facts.owner,
      columns: facts.columns as unknown as Json,
      uniqueKeys: facts.uniqueKeys,
      policy: policyToJson(facts.policy) as Json,
      ...(facts.tables !== undefined &&
        Object.keys(facts.tables).length > 0 && { tables: { ...facts.tables } }),
    })),
  })
}

/**
 * Reads and reviews an exported request on the approver's machine.
 *
 * @param now the time that the review takes for expiry
 * @throws SluiceError FILE_FORMAT for bytes that are no export; FINGERPRINT_MISMATCH where the schema or the policy
 *   beside the request is not what the request binds; whatever `reviewPlan` refuses
 */
export function readRequestExport(bytes: Uint8Array, now: Date): ReviewableRequest {
  const parsed = exportSchema.safeParse(parseJson(bytes))
  if (!parsed.success) throw notAnExport(parsed.error.issues[0]?.path.join('.'))
  const document = requestFromJson(parsed.data.request)
  const datasets = parsed.data.datasets.map((dataset): DatasetFacts => {
    const policy = policyFromJson(dataset.policy)
    return {
      ...dataset,
      columns: dataset.columns as DatasetFacts['columns'],
      policy,
      policyDigest: policyDigest(policy),
    }
  })
  assertBound(document, datasets)
  const digest = requestDigest(document)
  return {
    document,
    datasets,
    id: requestId(digest),
    digest,
    reviewed: reviewPlan(document.plan, datasets, {
      purpose: document.purpose,
      consumer: document.consumer,
      now,
    }),
  }
}

const exportSchema = z.strictObject({
  form: z.literal(EXPORT_FORM),
  request: z.unknown(),
  datasets: z
    .array(
      z.strictObject({
        name: z.string(),
        version: z.int().min(1),
        fingerprint: z.string(),
        owner: z.string(),
        columns: z.array(z.strictObject({ name: z.string(), type: z.looseObject({ kind: z.string() }) })),
        uniqueKeys: z.array(z.array(z.string())),
        policy: z.unknown(),
        tables: z.record(z.string().max(120), z.string().regex(/^[0-9a-f]{64}$/)).exactOptional(),
      }),
    )
    .max(64),
})

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > MAXIMUM_EXPORT_BYTES) {
    throw new SluiceError('FILE_TOO_LARGE', `an exported request has at most ${MAXIMUM_EXPORT_BYTES} bytes`, {
      remedy: 'Ask for the file again: this is not one that `sluice request export` wrote.',
    })
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw notAnExport()
  }
}

function notAnExport(path?: string): SluiceError {
  return new SluiceError(
    'FILE_FORMAT',
    `this is not an exported request${path ? `: "${path}" does not fit` : ''}`,
    {
      rule: 'request.export',
      remedy: 'Ask the operator for the file that `sluice request export ID --out FILE` writes.',
    },
  )
}

/** The request binds digests; what stands beside it must have exactly these. */
function assertBound(document: RequestDocument, datasets: readonly DatasetFacts[]): void {
  const beside = new Map(datasets.map(facts => [facts.name, facts]))
  const bound =
    beside.size === document.datasets.length &&
    document.datasets.every(binding => {
      const facts = beside.get(binding.name)
      return (
        facts !== undefined &&
        facts.version === binding.version &&
        facts.fingerprint === binding.fingerprint &&
        facts.policyDigest === binding.policyDigest &&
        schemaDigest(facts) === binding.schemaDigest
      )
    })
  if (bound) return
  throw new SluiceError(
    'FINGERPRINT_MISMATCH',
    'the schemas or policies in this file are not those the request binds',
    {
      rule: 'request.binding',
      remedy:
        'Do not sign it. Ask the operator to export the request again, and compare its digest with the consumer’s.',
    },
  )
}

import { z } from 'zod'
import { canonicalDigest, type Json } from '../canonical.js'
import { Rule } from '../desensitize/rules/registry.js'
import { SluiceError } from '../errors.js'
import { USES } from '../plan/review-types.js'
import { policyProblems } from './complete.js'
import { problemsError } from './problems.js'
import { COLUMN_ROLES, GRADES, type Policy } from './types.js'

/** The complete policy as JSON, as ledger entries carry it. `policyFromJson` reads it back. */
export function policyToJson(policy: Policy): Json {
  return policy as unknown as Json
}

/** SHA-256 of the policy's canonical bytes (RFC 8785), hexadecimal: what approvals bind. */
export function policyDigest(policy: Policy): string {
  return canonicalDigest(policyToJson(policy))
}

/**
 * Reads a complete policy, strictly: every key stands there, no other does, and the grades' demands hold as they do
 * for a file.
 *
 * @throws SluiceError POLICY_INVALID, GRADE_DENIED
 */
export function policyFromJson(json: unknown): Policy {
  const parsed = CompletePolicy.safeParse(json)
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? ''
    throw new SluiceError('POLICY_INVALID', 'this is not a complete policy', {
      rule: path === '' ? 'policy' : path,
      remedy: 'Give the form that policyToJson writes.',
    })
  }
  const problems = policyProblems(parsed.data)
  if (problems.length > 0) throw problemsError(problems, null)
  return parsed.data
}

const name = z.string().min(1).max(256)
const names = z.array(name).max(10_000).readonly()
const decimalText = z.string().regex(/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/)

const CompletePolicy = z.strictObject({
  kind: z.literal('policy'),
  version: z.literal(1),
  owner: name,
  standard: name,
  grade: z.enum(GRADES),
  entity: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('row') }),
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({
      kind: z.literal('column'),
      column: name,
      notEntities: z.array(z.string().max(1024)).max(1000),
    }),
  ]),
  release: z.enum(['aggregate', 'rows']),
  disclosure: z.strictObject({
    minimumEntities: z.int().min(1),
    dominance: z.strictObject({ n: z.int().min(1).max(16), percent: z.number().gt(0).max(100) }).nullable(),
    pPercent: z.number().gt(0).max(100).nullable(),
    onFailure: z.enum(['suppress', 'refuse']),
    contributors: z
      .strictObject({ minimum: z.int().min(3).max(200_000), inPlaceOfDominance: z.boolean() })
      .optional(),
    anonymity: z.strictObject({ k: z.int().min(2), l: z.int().min(1) }).optional(),
    step: z.strictObject({ rows: z.int().min(1), milliseconds: z.int().min(1) }),
  }),
  approvals: z.strictObject({
    reviewer: z.boolean(),
    named: z.strictObject({ count: z.int().min(1), of: names }).nullable(),
  }),
  purposes: names,
  consumers: names,
  expires: z.iso.datetime().nullable(),
  sample: z
    .strictObject({ mode: z.enum(['rows', 'synthetic']), rows: z.int().min(1).max(10_000) })
    .optional(),
  laterVersions: z.boolean(),
  columns: z.record(
    name,
    z.strictObject({
      role: z.enum(COLUMN_ROLES),
      grade: z.enum(GRADES),
      uses: z.array(z.enum(USES)).max(USES.length),
      publicValues: z.boolean(),
      bounds: z.strictObject({ minimum: decimalText.nullable(), maximum: decimalText.nullable() }).nullable(),
      rule: Rule.exactOptional(),
    }),
  ),
}) satisfies z.ZodType<Policy>

import { createHash } from 'node:crypto'
import { canonicalBytes } from '../canonical.js'
import { SluiceError } from '../errors.js'
import { decodePlanValue } from './decode.js'
import type { Plan } from './node.js'
import { validatePlan } from './validate.js'

/** The longest encoded plan, in bytes: an approval of it has to fit a ledger entry of 65,535. */
export const PLAN_LIMIT = 48 * 1024

/**
 * The plan's one encoding: canonical JSON (RFC 8785), UTF-8. Its form is that of the types in `node.ts` and
 * `expression.ts`, key for key.
 *
 * @throws SluiceError SCHEMA_INVALID where the plan is larger than `PLAN_LIMIT`
 */
export function encodePlan(plan: Plan): Uint8Array {
  const bytes = canonicalBytes(plan)
  if (bytes.length > PLAN_LIMIT) throw tooLarge()
  return bytes
}

/** SHA-256 of `encodePlan`, hexadecimal. */
export function planDigest(plan: Plan): string {
  return createHash('sha256').update(encodePlan(plan)).digest('hex')
}

/**
 * Reads a plan from its encoding (bytes, text, or the value that JSON.parse gave), strictly: every key of the form
 * and no other, ids unique, references in scope, types consistent.
 *
 * @throws SluiceError SCHEMA_INVALID with the path as rule
 */
export function decodePlan(json: unknown): Plan {
  const plan = decodePlanValue(parsed(json))
  validatePlan(plan)
  return plan
}

function parsed(json: unknown): unknown {
  if (typeof json !== 'string' && !(json instanceof Uint8Array)) return json
  if (json.length > PLAN_LIMIT) throw tooLarge()
  try {
    const text = typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json)
    return JSON.parse(text)
  } catch (cause) {
    throw new SluiceError('SCHEMA_INVALID', 'an encoded plan is not JSON', { rule: 'plan', cause })
  }
}

function tooLarge(): SluiceError {
  return new SluiceError('SCHEMA_INVALID', 'the plan is too large', {
    rule: 'plan.size',
    remedy: `Write a query whose plan fits ${PLAN_LIMIT} bytes.`,
  })
}

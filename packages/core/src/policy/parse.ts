import { SluiceError } from '../errors.js'
import { completePolicy, demandedRules, policyProblems } from './complete.js'
import { type ParsedDocument, parseDocument } from './document.js'
import { problemsOf } from './issues.js'
import { type Problem, problemsError } from './problems.js'
import { PolicyFile } from './schema.js'
import type { Policy } from './types.js'

/** The longest policy text, in UTF-8 bytes. */
export const POLICY_LIMIT = 256 * 1024

export interface ParsePolicyOptions {
  /** the file that the text is from, for positions in errors */
  readonly source?: string
}

/**
 * Reads a policy from YAML or JSON. The grades' defaults are filled in; what the text does not allow is denied.
 *
 * All problems are gathered: the first in the text is the error, with line and column, its key's path (or the
 * grade's rule) as `rule`, and what would be allowed as `remedy`; `facts.problems` lists every one.
 *
 * @throws SluiceError POLICY_INVALID where the text is not a policy (unknown or doubled keys included)
 * @throws SluiceError GRADE_DENIED where it loosens what the grades demand
 * @throws SluiceError FILE_TOO_LARGE above `POLICY_LIMIT`
 *
 * @example
 * parsePolicy(`
 * version: 1
 * owner: caa
 * grade: 2
 * entity: {column: operator, not: [MILITARY]}
 * purposes: [aviation-safety]
 * consumers: [insurer]
 * columns:
 *   operator: {role: identifier}
 *   damage: {role: attribute, uses: [group, filter], values: public}
 *   cost: {role: measure, uses: [aggregate]}
 * `, { source: 'strikes.policy.yaml' })
 */
export function parsePolicy(text: string, options: ParsePolicyOptions = {}): Policy {
  if (text.length > POLICY_LIMIT || Buffer.byteLength(text) > POLICY_LIMIT) {
    throw new SluiceError('FILE_TOO_LARGE', 'the policy is too large', {
      rule: 'policy.size',
      remedy: `Write at most ${POLICY_LIMIT} bytes.`,
    })
  }
  const document = parseDocument(text, options.source)
  fail(document.problems, document)
  const parsed = PolicyFile.safeParse(document.value, { reportInput: true })
  if (!parsed.success) throw problemsError(problemsOf(parsed.error.issues, PolicyFile), document)
  const policy = completePolicy(parsed.data)
  fail([...policyProblems(policy), ...demandedRules(policy)], document)
  return policy
}

function fail(problems: readonly Problem[], document: ParsedDocument): void {
  if (problems.length > 0) throw problemsError(problems, document)
}

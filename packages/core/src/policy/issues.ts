import { z } from 'zod'
import { nearestNames } from '../names.js'
import { visibleText } from '../text.js'
import type { Path, Problem } from './problems.js'

type Issue = z.core.$ZodIssue

/** What zod found wrong, in our words: no message repeats a value of the text. */
export function problemsOf(issues: readonly Issue[], schema: z.ZodType, below: Path = []): Problem[] {
  return issues.flatMap(issue => problemOf(issue, schema, below))
}

function problemOf(issue: Issue, root: z.ZodType, below: Path): Problem[] {
  const path = [...below, ...issue.path.map(step => (typeof step === 'symbol' ? '' : step))]
  const schema = schemaAt(root, path)
  const problem = (
    message: string,
    remedy: string,
    inner: Path = path,
    at: Problem['at'] = 'value',
  ): Problem => ({
    code: 'POLICY_INVALID',
    path: inner,
    at,
    message,
    remedy,
  })
  const described = schema?.description ?? 'what the reference says'
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysOf(schema)
      return issue.keys.map(key => {
        const near = nearestNames(key, known)
        const hint = near.length > 0 ? `; did you mean ${near.map(name => `"${name}"`).join(' or ')}?` : ''
        return problem(`unknown key "${visibleText(key)}"${hint}`, known.join(', '), [...path, key], 'key')
      })
    }
    case 'invalid_union': {
      // a union of words and one object: where an object was written, its own problems say more
      const inner = issue.errors.find(errors => errors.every(error => error.path.length > 0 || isKeys(error)))
      if (inner !== undefined && inner.length > 0) return problemsOf(inner, root, path)
      return [problem(missing(issue) ? 'is missing' : 'is not allowed', described)]
    }
    case 'invalid_key':
      return [problem('this name cannot be used', 'a column’s name, 1 to 256 characters', path, 'key')]
    case 'invalid_type':
      return [problem(missing(issue) ? 'is missing' : 'is of the wrong type', described)]
    case 'too_big':
    case 'too_small':
      return [problem(`is too ${issue.code === 'too_big' ? 'large or long' : 'small or short'}`, described)]
    case 'custom':
      return [problem(issue.message === 'Invalid input' ? 'is not allowed' : issue.message, described)]
    default:
      return [problem('is not allowed', described)]
  }
}

function isKeys(issue: Issue): boolean {
  return issue.code === 'unrecognized_keys'
}

function missing(issue: Issue): boolean {
  return 'input' in issue && issue.input === undefined
}

/** The schema of what stands at the path; of a union, its object where one is entered. */
function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let current: unknown = schema
  for (const step of path) {
    const entered = enter(current)
    if (entered instanceof z.ZodObject) current = entered.shape[step as string]
    else if (entered instanceof z.ZodRecord) current = entered.valueType
    else if (entered instanceof z.ZodArray) current = entered.element
    else return undefined
    if (current === undefined) return undefined
  }
  return current instanceof z.ZodType ? current : undefined
}

function enter(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional) return enter(schema.unwrap())
  if (schema instanceof z.ZodUnion) {
    return schema.options.map(enter).find(option => option instanceof z.ZodObject)
  }
  return schema
}

function keysOf(schema: z.ZodType | undefined): string[] {
  if (schema instanceof z.ZodOptional) return keysOf(schema.unwrap() as z.ZodType)
  if (schema instanceof z.ZodUnion) {
    return [...new Set(schema.options.flatMap(option => keysOf(option as z.ZodType)))]
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

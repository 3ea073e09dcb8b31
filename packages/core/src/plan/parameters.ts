import { SluiceError } from '../errors.js'
import { nearestNames } from '../names.js'
import { visibleText } from '../text.js'
import { compareLiterals, isLiteralText } from './literal.js'
import type { ParameterSchema } from './node.js'
import type { ScalarType } from './types.js'

/** Narrower ranges that an approver set, by parameter. */
export type ParameterRanges = Readonly<Record<string, ParameterRange>>

/** Bounds are inclusive; values as in `Literal`. */
export interface ParameterRange {
  readonly minimum?: string | undefined
  readonly maximum?: string | undefined
  readonly values?: readonly string[] | undefined
}

export type ParameterValues = Readonly<Record<string, string | boolean | null>>

/**
 * Reads parameters as people give them into values for a plan: every one of the right type and in range, defaults
 * filled in, none besides.
 *
 * @throws SluiceError PARAMETER_INVALID naming the parameter and what is allowed, never the value
 */
export function parseParameters(
  schema: readonly ParameterSchema[],
  raw: Readonly<Record<string, string>>,
): ParameterValues {
  for (const name of Object.keys(raw)) {
    if (schema.some(parameter => parameter.name === name)) continue
    const near = nearestNames(
      name,
      schema.map(parameter => parameter.name),
    )
    throw new SluiceError('PARAMETER_INVALID', `the request has no parameter "${visibleText(name)}"`, {
      rule: 'parameter.unknown',
      remedy:
        near.length > 0
          ? `Did you mean ${near.join(' or ')}?`
          : schema.length > 0
            ? `Its parameters: ${schema.map(parameter => visibleText(parameter.name)).join(', ')}.`
            : 'It has no parameters.',
    })
  }
  const values: Record<string, string | boolean> = {}
  for (const parameter of schema) {
    const given = Object.hasOwn(raw, parameter.name) ? raw[parameter.name] : parameter.default
    if (given === undefined) throw invalid(parameter, 'missing', 'is missing', describeParameter(parameter))
    const value = parseValue(parameter.type, given)
    if (value === null) throw invalid(parameter, 'type', 'is of the wrong type', describeParameter(parameter))
    checkRange(parameter, value, parameter, describeParameter(parameter))
    values[parameter.name] = value
  }
  return values
}

/**
 * Do typed values keep to the request's schema and to an approver's narrower ranges?
 *
 * @throws SluiceError PARAMETER_INVALID
 */
export function checkParameters(
  schema: readonly ParameterSchema[],
  values: ParameterValues,
  ranges: readonly ParameterRanges[] = [],
): void {
  const names = new Set(schema.map(parameter => parameter.name))
  if (Object.keys(values).some(name => !names.has(name))) {
    throw new SluiceError('PARAMETER_INVALID', 'a parameter is given that the request does not have', {
      rule: 'parameter.unknown',
      remedy:
        names.size > 0
          ? `Its parameters: ${[...names].map(visibleText).join(', ')}.`
          : 'It has no parameters.',
    })
  }
  for (const parameter of schema) {
    const value = Object.hasOwn(values, parameter.name) ? values[parameter.name] : undefined
    if (value === undefined || value === null) {
      throw invalid(parameter, 'missing', 'is missing', describeParameter(parameter))
    }
    if (!isLiteralText(parameter.type, value)) {
      throw invalid(parameter, 'type', 'is of the wrong type', describeParameter(parameter))
    }
    checkRange(parameter, value, parameter, describeParameter(parameter))
    for (const range of ranges) {
      const own = Object.hasOwn(range, parameter.name) ? range[parameter.name]! : undefined
      if (own === undefined) continue
      checkRange(
        parameter,
        value,
        own,
        `${describeParameter({ ...own, type: parameter.type })} by an approval`,
      )
    }
  }
}

/**
 * Is a request's schema of a parameter, or an approver's range for it, well formed: bounds and values of the type,
 * the least at most the greatest, the default in range?
 *
 * @throws SluiceError PARAMETER_INVALID
 */
export function checkParameterSchema(parameter: ParameterSchema): void {
  const { type, minimum, maximum, values, default: preset } = parameter
  for (const bound of [minimum, maximum, preset, ...(values ?? [])]) {
    if (bound !== undefined && parseValue(type, bound) === null) {
      throw invalid(
        parameter,
        'schema',
        'has a bound, value or default that is not of its type',
        typeText(type),
      )
    }
  }
  if (minimum !== undefined && maximum !== undefined && compareLiterals(type, minimum, maximum) > 0) {
    throw invalid(parameter, 'schema', 'has bounds upside down', 'minimum at most maximum')
  }
  if (values !== undefined && values.length === 0) {
    throw invalid(parameter, 'schema', 'has an empty list of values', 'at least one value')
  }
  if (preset !== undefined)
    checkRange(parameter, parseValue(type, preset)!, parameter, describeParameter(parameter))
}

/** Numbers lose leading zeros and a plus sign, so that one value has one text; null where it is not of the type. */
function parseValue(type: ScalarType, given: string): string | boolean | null {
  if (type.kind === 'boolean') return given === 'true' ? true : given === 'false' ? false : null
  let text = given
  if (type.kind === 'integer' || type.kind === 'decimal') {
    text = given.replace(/^\+/, '').replace(/^(-?)0+(?=\d)/, '$1')
    if (/^-0+(?:\.0*)?$/.test(text)) text = text.slice(1)
  }
  if (type.kind === 'timestamp') text = given.replace(/^(\d{4}-\d{2}-\d{2}) /, '$1T')
  if (text.length > 4096) return null
  return isLiteralText(type, text) ? text : null
}

function checkRange(
  { name, type }: ParameterSchema,
  value: string | boolean,
  range: ParameterRange,
  allowed: string,
): void {
  const text = String(value)
  const { minimum, maximum, values } = range
  const below = minimum !== undefined && compareLiterals(type, text, minimum) < 0
  const above = maximum !== undefined && compareLiterals(type, text, maximum) > 0
  const other =
    values !== undefined && !values.some(candidate => compareLiterals(type, text, candidate) === 0)
  if (below || above || other) throw invalid({ name }, 'range', 'is out of range', allowed)
}

/** What a parameter allows, for people: `integer from 1990 to 2002`. */
export function describeParameter({
  type,
  minimum,
  maximum,
  values,
}: ParameterRange & { readonly type: ScalarType }): string {
  const parts = [typeText(type)]
  if (minimum !== undefined) parts.push(`from ${visibleText(minimum)}`)
  if (maximum !== undefined) parts.push(`to ${visibleText(maximum)}`)
  if (values !== undefined) parts.push(`one of ${values.map(visibleText).join(', ')}`)
  return parts.join(' ')
}

function typeText(type: ScalarType): string {
  switch (type.kind) {
    case 'boolean':
      return 'true or false'
    case 'date':
      return 'date such as 2001-02-03'
    case 'time':
      return 'time such as 10:20:30'
    case 'timestamp':
      return 'timestamp such as 2001-02-03T10:20:30'
    case 'decimal':
      return `decimal number with at most ${type.scale} places`
    case 'float':
      return 'number'
    case 'integer':
      return 'integer'
    case 'text':
      return 'text'
  }
}

function invalid(
  { name }: Pick<ParameterSchema, 'name'>,
  rule: string,
  problem: string,
  wanted: string,
): SluiceError {
  return new SluiceError('PARAMETER_INVALID', `the parameter "${visibleText(name)}" ${problem}`, {
    rule: `parameter.${rule}`,
    remedy: `Give ${wanted}.`,
    facts: { parameter: visibleText(name) },
  })
}

import type { ParameterSchema, ScalarType } from '@sluice/core/plan'

/** A parameter's type and what it may be, without its name. */
export type ParameterDeclaration = Omit<ParameterSchema, 'name'>

interface Range<T> {
  /** inclusive */
  readonly min?: T
  /** inclusive */
  readonly max?: T
  readonly default?: T
}

/**
 * Declares the parameters of a request; approvers see the ranges, and a run outside them is refused.
 *
 * ```ts
 * parameters: { year: t.int({ min: 1990, max: 2002 }), state: t.text({ values: ['Ohio', 'Texas'] }) }
 * ```
 */
export const t = {
  /** 64 bits, signed */
  int: (range: Range<number | bigint> = {}) => ranged({ kind: 'integer', bits: 64, signed: true }, range),
  decimal: (precision: number, scale: number, range: Range<number | string> = {}) =>
    ranged({ kind: 'decimal', precision, scale }, range),
  float: (range: Range<number> = {}) => ranged({ kind: 'float', bits: 64 }, range),
  boolean: () => ranged({ kind: 'boolean' }, {}),
  /** `2001-02-03` */
  date: (range: Range<string> = {}) => ranged({ kind: 'date' }, range),
  /** `2001-02-03T10:20:30` */
  timestamp: (range: Range<string> = {}) => ranged({ kind: 'timestamp' }, range),
  text: ({ values, ...range }: { readonly values?: readonly string[]; readonly default?: string } = {}) => ({
    ...ranged({ kind: 'text' }, range),
    ...(values && { values }),
  }),
}

/** What a run gives for a parameter. */
export type ParameterInput = string | number | bigint | boolean

export function parameterSchemas(
  parameters: Readonly<Record<string, ParameterDeclaration>> | readonly ParameterSchema[] = [],
): readonly ParameterSchema[] {
  if (Array.isArray(parameters)) return parameters as readonly ParameterSchema[]
  return Object.entries(parameters).map(([name, declaration]) => ({ ...declaration, name }))
}

export function parameterTexts(
  inputs: Readonly<Record<string, ParameterInput>> = {},
): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, String(value)]))
}

function ranged(type: ScalarType, range: Range<number | bigint | string>): ParameterDeclaration {
  return {
    type,
    ...(range.min !== undefined && { minimum: String(range.min) }),
    ...(range.max !== undefined && { maximum: String(range.max) }),
    ...(range.default !== undefined && { default: String(range.default) }),
  }
}

import { type Expression, isLiteralText } from '@sluice/core/plan'
import { codeBits, digitsOf, encodeCode } from './code.js'
import { scaled } from './decimal.js'
import { refused } from './invalid.js'
import type { JointColumn } from './job.js'

/** A column of one of the inputs. */
export interface SourceColumn {
  readonly input: string
  readonly owner: string
  /** which of the query's tables it is in: inputs whose rows are the same entities are one */
  readonly table: number
  readonly column: JointColumn
}

/** A whole number of a stated scale, within ± bound; null where a column in it is. */
export type Numeric = { readonly scale: number; readonly bound: bigint } & (
  | { readonly kind: 'column'; readonly source: SourceColumn }
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'add' | 'subtract' | 'multiply'; readonly left: Numeric; readonly right: Numeric }
)

export type Relation = '<' | '<=' | '=' | '!=' | '>=' | '>'

/** True or not (false and null are one): negations are pushed down to the leaves. */
export type Condition =
  /** the difference stands in this relation to zero, and no column in it is null */
  | { readonly kind: 'compare'; readonly is: Relation; readonly difference: Numeric }
  /** the category is (or is not) one of these places of its list, and not null */
  | {
      readonly kind: 'category'
      readonly source: SourceColumn
      readonly places: readonly number[]
      readonly among: boolean
    }
  /** the code is (or is not) one of these, word by word, and not null */
  | {
      readonly kind: 'code'
      readonly source: SourceColumn
      readonly codes: readonly (readonly bigint[])[]
      readonly among: boolean
    }
  | { readonly kind: 'present'; readonly source: SourceColumn; readonly wanted: boolean }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  /** the part is false, or null */
  | { readonly kind: 'otherwise'; readonly part: Condition }

/** What an expression's columns are: of an input, the name of an entity, or computed. */
export type Resolve = (id: number) => SourceColumn | { readonly entityOf: string } | Expression

/** Values and differences stay below it, so that a comparison is exact. */
const LARGEST = 2n ** 63n

/** @throws SluiceError SQL_REFUSED `mpc.expression`, `mpc.bound`, naming what it cannot compute */
export function numericOf(expression: Expression, resolve: Resolve): Numeric {
  switch (expression.kind) {
    case 'column': {
      const found = resolve(expression.id)
      if ('kind' in found) return numericOf(found, resolve)
      if ('entityOf' in found) throw refused('entity', 'the entity’s column is used for more than joining')
      const { type } = found.column
      if (type.kind !== 'number') throw refused('expression', `"${found.column.name}" is no number`)
      const bound = scaled(type.bound, type.scale)!
      return { kind: 'column', source: found, scale: type.scale, bound }
    }
    case 'literal':
      return constantOf(expression)
    case 'cast':
      return castOf(expression, resolve)
    case 'call': {
      const [left, right] = expression.arguments
      switch (expression.function) {
        case 'add':
        case 'subtract':
        case 'multiply':
          return combined(expression.function, numericOf(left!, resolve), numericOf(right!, resolve))
        case 'negate':
          return combined('multiply', numericOf(left!, resolve), constant(-1n, 0))
        default:
          throw refused('expression', `the function ${expression.function} is not computed on shares`)
      }
    }
    default:
      throw refused('expression', `an expression of kind ${expression.kind} is not computed on shares`)
  }
}

/** @throws SluiceError SQL_REFUSED as `numericOf` */
export function conditionOf(expression: Expression, resolve: Resolve, negated = false): Condition {
  if (expression.kind === 'column') {
    const found = resolve(expression.id)
    if ('kind' in found) return conditionOf(found, resolve, negated)
  }
  if (expression.kind === 'in') return amongOf(expression, resolve, negated)
  if (expression.kind !== 'call')
    throw refused('expression', `a condition of kind ${expression.kind} is not evaluated on shares`)
  const [left, right] = expression.arguments
  switch (expression.function) {
    case 'not':
      return conditionOf(left!, resolve, !negated)
    case 'and':
    case 'or':
      return {
        kind: (expression.function === 'and') === negated ? 'or' : 'and',
        parts: expression.arguments.map(part => conditionOf(part, resolve, negated)),
      }
    case 'isNull':
    case 'isNotNull':
      return presenceOf(left!, resolve, (expression.function === 'isNotNull') !== negated)
    case 'coalesce': {
      if (right?.kind !== 'literal' || right.value !== false || expression.arguments.length > 2) break
      const part = conditionOf(left!, resolve)
      return negated ? { kind: 'otherwise', part } : part
    }
    default:
  }
  const is = RELATIONS[expression.function]
  if (is === undefined)
    throw refused('expression', `the function ${expression.function} is not evaluated on shares`)
  return comparisonOf(negated ? OPPOSITE[is] : is, left!, right!, resolve)
}

/** A computed number has a value where all columns in it have one. */
function presenceOf(expression: Expression, resolve: Resolve, wanted: boolean): Condition {
  if (expression.kind === 'column') {
    const found = resolve(expression.id)
    if ('input' in found) return { kind: 'present', source: found, wanted }
    if ('kind' in found) return presenceOf(found, resolve, wanted)
  }
  const parts = sourcesOf(numericOf(expression, resolve)).map(
    (source): Condition => ({ kind: 'present', source, wanted }),
  )
  if (parts.length === 0) throw refused('expression', 'a condition without a column is no condition')
  return parts.length === 1 ? parts[0]! : { kind: wanted ? 'and' : 'or', parts }
}

/** The columns in it, each once. */
export function sourcesOf(part: Numeric | Condition): SourceColumn[] {
  const all = [...walk(part)]
  return all.filter((source, place) => all.findIndex(other => other.column === source.column) === place)
}

/** Can a column in it be null. */
export function isNullable(value: Numeric): boolean {
  switch (value.kind) {
    case 'column':
      return value.source.column.nullable
    case 'constant':
      return false
    default:
      return isNullable(value.left) || isNullable(value.right)
  }
}

/** The one party that owns all that it is about, in one table; undefined where they are several. */
export function ownerOf(part: Numeric | Condition): string | undefined {
  const [first, ...others] = sourcesOf(part)
  const alone = others.every(({ owner, table }) => owner === first?.owner && table === first.table)
  return alone ? first?.owner : undefined
}

function* walk(part: Numeric | Condition): Generator<SourceColumn> {
  switch (part.kind) {
    case 'column':
    case 'category':
    case 'code':
    case 'present':
      yield part.source
      return
    case 'constant':
      return
    case 'compare':
      yield* walk(part.difference)
      return
    case 'and':
    case 'or':
      for (const inner of part.parts) yield* walk(inner)
      return
    case 'otherwise':
      yield* walk(part.part)
      return
    default:
      yield* walk(part.left)
      yield* walk(part.right)
  }
}

const RELATIONS: Readonly<Partial<Record<string, Relation>>> = {
  equal: '=',
  notEqual: '!=',
  less: '<',
  lessOrEqual: '<=',
  greater: '>',
  greaterOrEqual: '>=',
}
const OPPOSITE: Readonly<Record<Relation, Relation>> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
}

function comparisonOf(is: Relation, left: Expression, right: Expression, resolve: Resolve): Condition {
  const [text, other] = left.kind === 'literal' ? [left, right] : [right, left]
  if (other.type.kind === 'text') {
    const source = sourceOf(other, resolve)
    if (is !== '=' && is !== '!=') throw refused('expression', 'texts have no order here')
    if (text.kind !== 'literal')
      throw refused('expression', 'two columns of text are not compared, but for joining on entities')
    return textsOf(source, [text], is === '=')
  }
  const difference = combined('subtract', numericOf(left, resolve), numericOf(right, resolve))
  if (sourcesOf(difference).length === 0)
    throw refused('expression', 'a condition without a column is no condition')
  return { kind: 'compare', is, difference }
}

function amongOf(
  { argument, list }: Extract<Expression, { kind: 'in' }>,
  resolve: Resolve,
  negated: boolean,
): Condition {
  if (argument.type.kind === 'text') {
    return textsOf(sourceOf(argument, resolve), list, !negated)
  }
  const parts = list.map(item => comparisonOf(negated ? '!=' : '=', argument, item, resolve))
  return { kind: negated ? 'and' : 'or', parts }
}

function textsOf(source: SourceColumn, list: readonly Expression[], among: boolean): Condition {
  return source.column.type.kind === 'code'
    ? { kind: 'code', source, codes: list.map(item => codeOf(item, source)), among }
    : { kind: 'category', source, places: list.map(item => placeOf(item, source)), among }
}

function codeOf(expression: Expression, { column: { name, type } }: SourceColumn): readonly bigint[] {
  if (expression.kind === 'literal' && type.kind === 'code') {
    const words = new BigUint64Array(codeBits(type).length)
    if (encodeCode(String(expression.value), type, digitsOf(type), words, 0)) return [...words]
  }
  throw refused('code', `"${name}" is compared with a text that is none of its codes`)
}

function placeOf(expression: Expression, { column }: SourceColumn): number {
  const place =
    expression.kind === 'literal' && column.type.kind === 'category'
      ? column.type.categories.indexOf(String(expression.value))
      : -1
  if (place < 0) throw refused('category', `"${column.name}" is compared with a text that its list lacks`)
  return place
}

function sourceOf(expression: Expression, resolve: Resolve): SourceColumn {
  const found = expression.kind === 'column' ? resolve(expression.id) : expression
  if ('entityOf' in found) throw refused('entity', 'the entity’s column is used for more than joining')
  if ('input' in found) return found
  if (found.kind === 'column') return sourceOf(found, resolve)
  throw refused('expression', 'what is compared as text or asked for null is a column as it stands')
}

function constantOf({ type, value }: Extract<Expression, { kind: 'literal' }>): Numeric {
  const number = typeof value === 'string' && (type.kind === 'integer' || type.kind === 'decimal')
  if (!number || !isLiteralText(type, value)) throw refused('expression', 'a constant is no exact number')
  const digits = value.includes('.') ? value.length - value.indexOf('.') - 1 : 0
  return constant(scaled(value, digits)!, digits)
}

function constant(value: bigint, scale: number): Numeric {
  return { kind: 'constant', value, scale, bound: value < 0n ? -value : value }
}

/** Only what changes no value: to a decimal of as many digits or more, between integers. */
function castOf({ type, argument }: Extract<Expression, { kind: 'cast' }>, resolve: Resolve): Numeric {
  const value = numericOf(argument, resolve)
  const kept = type.kind === 'integer' ? 0 : type.kind === 'decimal' ? type.scale : -1
  if (kept < value.scale) throw refused('expression', 'a conversion that rounds is not computed on shares')
  return value
}

function combined(kind: 'add' | 'subtract' | 'multiply', left: Numeric, right: Numeric): Numeric {
  if (kind === 'multiply') {
    const bound = left.bound * right.bound
    return bounded({ kind, left, right, scale: left.scale + right.scale, bound })
  }
  const scale = Math.max(left.scale, right.scale)
  const [a, b] = [left, right].map(side => aligned(side, scale))
  return bounded({ kind, left: a!, right: b!, scale, bound: a!.bound + b!.bound })
}

/** The same value of more digits. */
export function aligned(value: Numeric, scale: number): Numeric {
  if (value.scale === scale) return value
  const factor = 10n ** BigInt(scale - value.scale)
  if (value.kind === 'constant') return constant(value.value * factor, scale)
  const raised = { kind: 'multiply', left: value, right: constant(factor, scale - value.scale) } as const
  return bounded({ ...raised, scale, bound: value.bound * factor })
}

function bounded(value: Numeric): Numeric {
  if (value.bound >= LARGEST) throw refused('bound', 'a computed value could wrap: it may be 2^63 or more')
  return value
}

import { unreachable } from '@sluice/core'
import type { Expression } from '@sluice/core/plan'
import { bitsOf, codeBits } from './code.js'
import { scaled } from './decimal.js'
import {
  aligned,
  type Condition,
  type Numeric,
  numericOf,
  type Resolve,
  type SourceColumn,
  sourcesOf,
} from './expression.js'
import { refused } from './invalid.js'
import { written } from './written.js'

/** What rows are grouped or brought together by, secret: a number, a code, or a category by its place in the list. */
export type Key =
  | { readonly kind: 'number'; readonly value: Numeric; readonly bits: number }
  | { readonly kind: 'code' | 'category'; readonly source: SourceColumn; readonly bits: readonly number[] }

/**
 * Any exact number, or a column of texts as it stands.
 *
 * @throws SluiceError SQL_REFUSED `mpc.key`, and what `numericOf` throws
 */
export function keyOf(expression: Expression, resolve: Resolve): Key {
  const source = sourceOf(expression, resolve)
  if (source === null)
    throw refused(
      'key',
      'an entity that is not shared is no key: name it under columns, as a code or a number',
    )
  if (source !== undefined) return columnKey(source)
  const value = numericOf(expression, resolve)
  if (sourcesOf(value).length === 0) throw refused('key', 'a constant is no key')
  return numberKey(value)
}

export function columnKey(source: SourceColumn): Key {
  const { type } = source.column
  switch (type.kind) {
    case 'number':
      return numberKey({ kind: 'column', source, scale: type.scale, bound: scaled(type.bound, type.scale)! })
    case 'code':
      return { kind: 'code', source, bits: codeBits(type) }
    case 'category':
      return { kind: 'category', source, bits: [bitsOf(BigInt(type.categories.length - 1))] }
    default:
      return unreachable(type)
  }
}

/** What tells keys apart, whatever they are compared with. */
export function keyName(key: Key): string {
  return JSON.stringify(key.kind === 'number' ? key.value : key.source, written)
}

/** Two keys that can be compared: numbers of one scale, texts of one kind. */
export function comparable(left: Key, right: Key): [Key, Key] {
  if (left.kind === 'number' && right.kind === 'number') {
    const scale = Math.max(left.value.scale, right.value.scale)
    const [a, b] = [left, right].map(({ value }) => numberKey(aligned(value, scale)))
    const bits = Math.max(a!.bits, b!.bits)
    return [
      { ...a!, bits },
      { ...b!, bits },
    ]
  }
  if (left.kind !== 'number' && right.kind !== 'number') {
    const [a, b] = [left, right].map(({ source }) => JSON.stringify(source.column.type))
    if (a === b) return [left, right]
  }
  throw refused(
    'key',
    'the two sides of a join differ in kind: give them the same alphabet and length, or list',
  )
}

/** Where it is not null; undefined where it never is, and for numbers, whose columns know by themselves. */
export function isPresent(key: Key): Condition | undefined {
  if (key.kind === 'number') return undefined
  const { source } = key
  const { type, nullable } = source.column
  // a text that the list lacks is in no group
  if (type.kind === 'category')
    return { kind: 'category', source, places: [...type.categories.keys()], among: true }
  return nullable ? { kind: 'present', source, wanted: true } : undefined
}

/** Columns that it takes on shares. */
export function widthOf(key: Key): number {
  return key.kind === 'number' ? 1 : key.bits.length
}

/** The column as it stands; null for an entity that is not shared; undefined where it is computed. */
export function sourceOf(expression: Expression, resolve: Resolve): SourceColumn | null | undefined {
  if (expression.kind !== 'column') return undefined
  const found = resolve(expression.id)
  if ('kind' in found) return sourceOf(found, resolve)
  return 'entityOf' in found ? null : found
}

function numberKey(value: Numeric): Extract<Key, { kind: 'number' }> {
  // within ± bound, in two's complement
  return { kind: 'number', value, bits: bitsOf(value.bound) + 1 }
}

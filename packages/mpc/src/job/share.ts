import {
  type Condition,
  isNullable,
  type Numeric,
  ownerOf,
  type SourceColumn,
  sourcesOf,
} from './expression.js'
import { isPresent, type Key } from './key.js'
import { categoriesOf, type Query } from './query.js'
import type { Relation } from './relation.js'
import { written } from './written.js'

/** A column that one owner can say, on its way into shares. */
export type Share =
  | { readonly kind: 'values' | 'present'; readonly value: Numeric }
  | { readonly kind: 'flags'; readonly condition: Condition }
  | { readonly kind: 'place'; readonly source: SourceColumn; readonly place: number }
  | { readonly kind: 'word'; readonly source: SourceColumn; readonly word: number }

/** What owners share for a query, each once, in the one order that all parties know. */
export function sharesOf(query: Query): Share[] {
  return once(isRelational(query) ? wantedOf(query) : wantedBy(query))
}

/** What is wanted in several places, each once. */
export function once(wanted: Iterable<Share>): Share[] {
  const shares = new Map<string, Share>()
  for (const share of wanted) shares.set(shareName(share), share)
  return [...shares.values()]
}

/** A query whose rows are brought together, or grouped, by secret keys. */
export type RelationalQuery = Query & { readonly relation: Relation }

export function isRelational(query: Query): query is RelationalQuery {
  return query.relation !== undefined
}

/** What is needed once a table has been looked up. */
export function* wantedAfter(query: RelationalQuery, table: number): Generator<Share> {
  const { tables, keys, entities } = query.relation
  yield* wantedBy(query)
  for (const { on } of tables.slice(table + 1)) for (const { before } of on) yield* forKey(before)
  for (const key of [...keys, ...entities.flat()]) yield* forKey(key)
}

function* wantedOf(query: RelationalQuery): Generator<Share> {
  for (const { condition, on } of query.relation.tables) {
    if (condition !== null) yield* forCondition(condition)
    for (const { own } of on) yield* forKey(own)
  }
  yield* wantedAfter(query, 0)
}

function* wantedBy({ condition, keys, measures, guards = [], bins }: Query): Generator<Share> {
  if (condition !== null) yield* forCondition(condition)
  for (const source of keys)
    for (const place of categoriesOf(source.column).keys()) yield { kind: 'place', source, place }
  for (const measure of measures) {
    if (measure.where !== undefined) yield* forCondition(measure.where)
    if (measure.kind === 'rows') continue
    yield* forNumeric(measure.value, measure.kind === 'values')
  }
  for (const { enough, noneOrEnough } of guards)
    for (const guard of [...enough, ...noneOrEnough]) yield* forCondition(guard)
  for (const value of bins?.columns ?? []) yield* forNumeric(value, true)
}

function* forKey(key: Key): Generator<Share> {
  if (key.kind === 'number') {
    yield* forNumeric(key.value, true)
    return
  }
  for (const word of key.bits.keys()) yield { kind: 'word', source: key.source, word }
  const there = isPresent(key)
  if (there !== undefined) yield { kind: 'flags', condition: there }
}

function* forCondition(condition: Condition): Generator<Share> {
  if (ownerOf(condition) !== undefined) yield { kind: 'flags', condition }
  else if (condition.kind === 'compare') yield* forNumeric(condition.difference, true)
  else if (condition.kind === 'and' || condition.kind === 'or')
    for (const part of byOwner(condition)) yield* forCondition(part)
  else if (condition.kind === 'otherwise') yield* forCondition(condition.part)
}

function* forNumeric(value: Numeric, values: boolean): Generator<Share> {
  for (const part of partsOf(value)) {
    if (values) yield { kind: 'values', value: part }
    if (isNullable(part)) yield { kind: 'present', value: part }
  }
}

/** The largest parts that one owner can compute alone. */
export function partsOf(value: Numeric): Numeric[] {
  if (value.kind === 'constant') return []
  if (ownerOf(value) !== undefined || value.kind === 'column') return [value]
  return [...partsOf(value.left), ...partsOf(value.right)]
}

/** What one owner can say of one table alone is one part. */
export function byOwner({ kind, parts }: Extract<Condition, { kind: 'and' | 'or' }>): Condition[] {
  const groups = new Map<string, Condition[]>()
  const across: Condition[] = []
  for (const part of parts) {
    const owner = ownerOf(part)
    if (owner === undefined) {
      across.push(part)
      continue
    }
    const alone = `${sourcesOf(part)[0]!.table} ${owner}`
    groups.set(alone, [...(groups.get(alone) ?? []), part])
  }
  const joined = [...groups.values()].map(group => (group.length === 1 ? group[0]! : { kind, parts: group }))
  return [...joined, ...across]
}

export function ownerOfShare(share: Share): string {
  if (share.kind === 'place' || share.kind === 'word') return share.source.owner
  return ownerOf(share.kind === 'flags' ? share.condition : share.value)!
}

/** The input whose rows it is of; inputs of one table have the same. */
export function inputNameOf(share: Share): string {
  if (share.kind === 'place' || share.kind === 'word') return share.source.input
  return sourcesOf(share.kind === 'flags' ? share.condition : share.value)[0]!.input
}

export function shareName(share: Share): string {
  return JSON.stringify(share, written)
}

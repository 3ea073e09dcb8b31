import { unreachable } from '@sluice/core'
import { provide } from '../protocols/replicated/input.js'
import type { Party } from '../protocols/replicated/party.js'
import type { Arithmetic } from '../protocols/replicated/shares.js'
import type { Words } from '../ring/kernels.js'
import { type Protocol, together } from '../session/protocol.js'
import { type Chunk, flagsOf, ones, placesOf, presenceOf, valuesOf } from './clear.js'
import { type Condition, type Numeric, ownerOf, type SourceColumn } from './expression.js'
import { categoriesOf, isNullable, type Measure, type Query, written } from './query.js'
import { replicatedSharing } from './sharing/replicated.js'
import type { Sharing } from './sharing/sharing.js'

/** A column that one owner can say, on its way into shares. */
export type Share =
  | { readonly kind: 'values' | 'present'; readonly value: Numeric }
  | { readonly kind: 'flags'; readonly condition: Condition }
  | { readonly kind: 'place'; readonly source: SourceColumn; readonly place: number }

/** What owners share for a query, each once, in the one order that all parties know. */
export function sharesOf(query: Query): Share[] {
  const shares = new Map<string, Share>()
  for (const share of wantedBy(query)) shares.set(keyOf(share), share)
  return [...shares.values()]
}

/** One column to total, and for which rows it has a value; `present` is not given where no value is missing. */
export interface MeasureOn<S> {
  readonly values: S
  readonly present?: S
}

/** Some rows on shares, at a computing party. */
export class RowsOn<S> {
  readonly #on: Sharing<S>
  readonly #rows: number
  readonly #columns: ReadonlyMap<string, S>

  constructor(sharing: Sharing<S>, rows: number, columns: ReadonlyMap<string, S>) {
    this.#on = sharing
    this.#rows = rows
    this.#columns = columns
  }

  categories(source: SourceColumn): S[] {
    return categoriesOf(source.column).map((_, place) => this.#column({ kind: 'place', source, place }))
  }

  *measure(measure: Measure): Protocol<MeasureOn<S>> {
    if (measure.kind === 'rows') return { values: this.#on.known(ones(this.#rows)) }
    const present = yield* this.#presence(measure.value)
    if (measure.kind === 'present') return { values: present!, present: present! }
    const values = yield* this.#numeric(measure.value)
    if (present === undefined) return { values }
    const whole = ownerOf(measure.value) !== undefined
    return { values: whole ? values : yield* this.#on.multiply(values, present), present }
  }

  /** A column of zeros and ones. */
  *condition(condition: Condition): Protocol<S> {
    if (ownerOf(condition) !== undefined) return this.#column({ kind: 'flags', condition })
    switch (condition.kind) {
      case 'compare':
        return yield* this.#comparison(condition)
      case 'and':
      case 'or': {
        const either = condition.kind === 'or'
        let result: S | undefined
        for (const part of byOwner(condition)) {
          const flags = yield* this.condition(part)
          const next = either ? this.#opposite(flags) : flags
          result = result === undefined ? next : yield* this.#on.multiply(result, next)
        }
        return either ? this.#opposite(result!) : result!
      }
      case 'category':
      case 'present':
        return this.#column({ kind: 'flags', condition })
      default:
        return unreachable(condition)
    }
  }

  /** On shares; bounds keep the difference within the range of a comparison. */
  *#comparison({ is, difference }: Extract<Condition, { kind: 'compare' }>): Protocol<S> {
    const value = yield* this.#numeric(difference)
    const flags = yield* this.#on.related(value, is)
    const present = yield* this.#presence(difference)
    return present === undefined ? flags : yield* this.#on.multiply(flags, present)
  }

  *#numeric(value: Numeric): Protocol<S> {
    if (ownerOf(value) !== undefined) return this.#column({ kind: 'values', value })
    switch (value.kind) {
      case 'add':
      case 'subtract': {
        const [left, right] = [yield* this.#numeric(value.left), yield* this.#numeric(value.right)]
        return value.kind === 'add' ? this.#on.add(left, right) : this.#on.subtract(left, right)
      }
      case 'multiply': {
        const { left, right } = value
        if (right.kind === 'constant') return this.#on.affineOf(yield* this.#numeric(left), right.value, 0n)
        if (left.kind === 'constant') return this.#on.affineOf(yield* this.#numeric(right), left.value, 0n)
        return yield* this.#on.multiply(yield* this.#numeric(left), yield* this.#numeric(right))
      }
      case 'constant':
        return this.#on.known(new BigUint64Array(this.#rows).fill(BigInt.asUintN(64, value.value)))
      case 'column':
        return this.#column({ kind: 'values', value })
      default:
        return unreachable(value)
    }
  }

  /** Where all columns in it have a value; undefined where none can lack one. */
  *#presence(value: Numeric): Protocol<S | undefined> {
    let present: S | undefined
    for (const part of partsOf(value).filter(isNullable)) {
      const column = this.#column({ kind: 'present', value: part })
      present = present === undefined ? column : yield* this.#on.multiply(present, column)
    }
    return present
  }

  #opposite(flags: S): S {
    return this.#on.affineOf(flags, -1n, 1n)
  }

  #column(share: Share): S {
    return this.#columns.get(keyOf(share))!
  }
}

/** The same of three parties with replicated sharing. */
export class SharedRows extends RowsOn<Arithmetic> {
  constructor(party: Party, rows: number, columns: ReadonlyMap<string, Arithmetic>) {
    super(replicatedSharing(party), rows, columns)
  }
}

/** A participant of a job, by its place among the parties. */
export interface Participant {
  readonly self: number
  readonly indexOf: (owner: string) => number
}

/**
 * Every owner's columns for a query become shared, in one round, by replicated sharing.
 *
 * @param party not given at a provider, who only gives its own
 * @param own this participant's rows, where it owns some
 */
export function* shareRows(
  shares: readonly Share[],
  { party, ...participant }: Participant & { readonly party?: Party },
  rows: number,
  own: Chunk | undefined,
): Protocol<ReadonlyMap<string, Arithmetic>> {
  if (party !== undefined) return yield* shareRowsOn(replicatedSharing(party), shares, participant, rows, own)
  yield* giveRows(values => provide(values), shares, participant, own)
  return new Map()
}

/** The same at a computing party of any secret sharing. */
export function* shareRowsOn<S>(
  sharing: Sharing<S>,
  shares: readonly Share[],
  { self, indexOf }: Participant,
  rows: number,
  own: Chunk | undefined,
): Protocol<ReadonlyMap<string, S>> {
  const columns = yield* together(
    ...shares.map(share => {
      const owner = indexOf(ownerOfShare(share))
      return sharing.input(owner, owner === self ? inClear(share, own!) : rows)
    }),
  )
  return new Map(shares.map((share, place) => [keyOf(share), columns[place]!]))
}

/**
 * The same at a provider.
 *
 * @param give the sharing's own for who computes nothing
 */
export function* giveRows(
  give: (values: Words) => Protocol<void>,
  shares: readonly Share[],
  { self, indexOf }: Participant,
  own: Chunk | undefined,
): Protocol<void> {
  const mine = shares.filter(share => indexOf(ownerOfShare(share)) === self)
  yield* together(...mine.map(share => give(inClear(share, own!))))
}

function* wantedBy({ condition, keys, measures, bins }: Query): Generator<Share> {
  if (condition !== null) yield* forCondition(condition)
  for (const source of keys)
    for (const place of categoriesOf(source.column).keys()) yield { kind: 'place', source, place }
  for (const measure of measures) {
    if (measure.kind === 'rows') continue
    yield* forNumeric(measure.value, measure.kind === 'values')
  }
  for (const value of bins?.columns ?? []) yield* forNumeric(value, true)
}

function* forCondition(condition: Condition): Generator<Share> {
  if (ownerOf(condition) !== undefined) yield { kind: 'flags', condition }
  else if (condition.kind === 'compare') yield* forNumeric(condition.difference, true)
  else if (condition.kind === 'and' || condition.kind === 'or')
    for (const part of byOwner(condition)) yield* forCondition(part)
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

/** What one owner can say of it alone is one part. */
function byOwner({ kind, parts }: Extract<Condition, { kind: 'and' | 'or' }>): Condition[] {
  const groups = new Map<string, Condition[]>()
  const across: Condition[] = []
  for (const part of parts) {
    const owner = ownerOf(part)
    if (owner === undefined) across.push(part)
    else groups.set(owner, [...(groups.get(owner) ?? []), part])
  }
  const alone = [...groups.values()].map(group => (group.length === 1 ? group[0]! : { kind, parts: group }))
  return [...alone, ...across]
}

function ownerOfShare(share: Share): string {
  if (share.kind === 'place') return share.source.owner
  return ownerOf(share.kind === 'flags' ? share.condition : share.value)!
}

function inClear(share: Share, chunk: Chunk): Words {
  switch (share.kind) {
    case 'values':
      return valuesOf(share.value, chunk)
    case 'present':
      return presenceOf(share.value, chunk)
    case 'flags':
      return flagsOf(share.condition, chunk)
    case 'place':
      return placesOf(share.source, share.place, chunk)
    default:
      return unreachable(share)
  }
}

function keyOf(share: Share): string {
  return JSON.stringify(share, written)
}

import { unreachable } from '@sluice/core'
import { isNegative, isZero } from '../protocols/replicated/compare.js'
import { bitsToArithmetic } from '../protocols/replicated/convert.js'
import { inputOf, provide, receiveFrom } from '../protocols/replicated/input.js'
import { multiply } from '../protocols/replicated/multiply.js'
import type { Index, Party } from '../protocols/replicated/party.js'
import { type Arithmetic, add, affineOf, known, not, subtract } from '../protocols/replicated/shares.js'
import type { Measure as SharedMeasure } from '../protocols/replicated/totals.js'
import type { Words } from '../ring/kernels.js'
import { type Protocol, together } from '../session/protocol.js'
import { type Chunk, flagsOf, ones, placesOf, presenceOf, valuesOf } from './clear.js'
import { type Condition, type Numeric, ownerOf, type SourceColumn } from './expression.js'
import { categoriesOf, isNullable, type Measure, type Query, written } from './query.js'

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

/** Some rows on shares, at a computing party. */
export class SharedRows {
  readonly #party: Party
  readonly #rows: number
  readonly #columns: ReadonlyMap<string, Arithmetic>

  constructor(party: Party, rows: number, columns: ReadonlyMap<string, Arithmetic>) {
    this.#party = party
    this.#rows = rows
    this.#columns = columns
  }

  categories(source: SourceColumn): Arithmetic[] {
    return categoriesOf(source.column).map((_, place) => this.#column({ kind: 'place', source, place }))
  }

  *measure(measure: Measure): Protocol<SharedMeasure> {
    if (measure.kind === 'rows') return { values: known(this.#party, ones(this.#rows)) }
    const present = yield* this.#presence(measure.value)
    if (measure.kind === 'present') return { values: present!, present: present! }
    const values = yield* this.#numeric(measure.value)
    if (present === undefined) return { values }
    const whole = ownerOf(measure.value) !== undefined
    return { values: whole ? values : yield* multiply(this.#party, values, present), present }
  }

  /** A column of zeros and ones. */
  *condition(condition: Condition): Protocol<Arithmetic> {
    if (ownerOf(condition) !== undefined) return this.#column({ kind: 'flags', condition })
    switch (condition.kind) {
      case 'compare':
        return yield* this.#comparison(condition)
      case 'and':
      case 'or': {
        const either = condition.kind === 'or'
        let result: Arithmetic | undefined
        for (const part of byOwner(condition)) {
          const flags = yield* this.condition(part)
          const next = either ? this.#opposite(flags) : flags
          result = result === undefined ? next : yield* multiply(this.#party, result, next)
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
  *#comparison({ is, difference }: Extract<Condition, { kind: 'compare' }>): Protocol<Arithmetic> {
    const value = yield* this.#numeric(difference)
    const turned = is === '>' || is === '<='
    const tested = ['=', '!='].includes(is)
      ? yield* isZero(this.#party, value)
      : yield* isNegative(this.#party, turned ? affineOf(this.#party, value, MINUS_ONE, 0n) : value)
    const bits = ['!=', '>=', '<='].includes(is) ? not(this.#party, tested) : tested
    const flags = yield* bitsToArithmetic(this.#party, bits, this.#rows)
    const present = yield* this.#presence(difference)
    return present === undefined ? flags : yield* multiply(this.#party, flags, present)
  }

  *#numeric(value: Numeric): Protocol<Arithmetic> {
    if (ownerOf(value) !== undefined) return this.#column({ kind: 'values', value })
    switch (value.kind) {
      case 'add':
      case 'subtract': {
        const [left, right] = [yield* this.#numeric(value.left), yield* this.#numeric(value.right)]
        return value.kind === 'add' ? add(left, right) : subtract(left, right)
      }
      case 'multiply': {
        const { left, right } = value
        if (right.kind === 'constant')
          return affineOf(this.#party, yield* this.#numeric(left), BigInt.asUintN(64, right.value), 0n)
        if (left.kind === 'constant')
          return affineOf(this.#party, yield* this.#numeric(right), BigInt.asUintN(64, left.value), 0n)
        return yield* multiply(this.#party, yield* this.#numeric(left), yield* this.#numeric(right))
      }
      case 'constant':
        return known(this.#party, new BigUint64Array(this.#rows).fill(BigInt.asUintN(64, value.value)))
      case 'column':
        return this.#column({ kind: 'values', value })
      default:
        return unreachable(value)
    }
  }

  /** Where all columns in it have a value; undefined where none can lack one. */
  *#presence(value: Numeric): Protocol<Arithmetic | undefined> {
    let present: Arithmetic | undefined
    for (const part of partsOf(value).filter(isNullable)) {
      const column = this.#column({ kind: 'present', value: part })
      present = present === undefined ? column : yield* multiply(this.#party, present, column)
    }
    return present
  }

  #opposite(flags: Arithmetic): Arithmetic {
    return affineOf(this.#party, flags, MINUS_ONE, 1n)
  }

  #column(share: Share): Arithmetic {
    return this.#columns.get(keyOf(share))!
  }
}

/**
 * Every owner's columns for a query become shared, in one round.
 *
 * @param party not given at a provider, who only gives its own
 * @param own this participant's rows, where it owns some
 */
export function* shareRows(
  shares: readonly Share[],
  participant: { readonly self: number; readonly party?: Party; readonly indexOf: (owner: string) => number },
  rows: number,
  own: Chunk | undefined,
): Protocol<ReadonlyMap<string, Arithmetic>> {
  const { self, party, indexOf } = participant
  const owned = shares.map(share => [share, indexOf(ownerOfShare(share))] as const)
  if (party === undefined) {
    const mine = owned.filter(([, owner]) => owner === self)
    yield* together(...mine.map(([share]) => provide(inClear(share, own!))))
    return new Map()
  }
  const columns = yield* together(
    ...owned.map(([share, owner]) =>
      owner > 2
        ? receiveFrom(party, owner, rows)
        : inputOf(party, owner as Index, owner === self ? inClear(share, own!) : rows),
    ),
  )
  return new Map(owned.map(([share], place) => [keyOf(share), columns[place]!]))
}

const MINUS_ONE = 2n ** 64n - 1n

function* wantedBy({ condition, keys, measures }: Query): Generator<Share> {
  if (condition !== null) yield* forCondition(condition)
  for (const source of keys)
    for (const place of categoriesOf(source.column).keys()) yield { kind: 'place', source, place }
  for (const measure of measures) {
    if (measure.kind === 'rows') continue
    yield* forNumeric(measure.value, measure.kind === 'values')
  }
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
function partsOf(value: Numeric): Numeric[] {
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

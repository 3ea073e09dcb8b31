import { unreachable } from '@sluice/core'
import { provide } from '../protocols/replicated/input.js'
import type { Party } from '../protocols/replicated/party.js'
import type { Arithmetic } from '../protocols/replicated/shares.js'
import type { Words } from '../ring/kernels.js'
import { type Protocol, together } from '../session/protocol.js'
import { type Chunk, flagsOf, ones, placesOf, presenceOf, valuesOf, wordOf } from './clear.js'
import { type Condition, isNullable, type Numeric, ownerOf, type SourceColumn } from './expression.js'
import { isPresent, type Key } from './key.js'
import { categoriesOf, type Measure } from './query.js'
import { byOwner, ownerOfShare, partsOf, type Share, shareName } from './share.js'
import { replicatedSharing } from './sharing/replicated.js'
import type { Sharing } from './sharing/sharing.js'

/** One column to total, and for which rows it has a value; `present` is not given where no value is missing. */
export interface MeasureOn<S> {
  readonly values: S
  readonly present?: S
}

/** One column of a key: values of so many bits, in two's complement where they are signed. */
export interface KeyColumn<S> {
  readonly values: S
  readonly bits: number
  readonly signed?: boolean
}

/** Some rows on shares, at a computing party. */
export class RowsOn<S> {
  readonly rows: number
  /** by the names of their shares */
  readonly columns: ReadonlyMap<string, S>
  readonly #on: Sharing<S>

  constructor(sharing: Sharing<S>, rows: number, columns: ReadonlyMap<string, S>) {
    this.#on = sharing
    this.rows = rows
    this.columns = columns
  }

  categories(source: SourceColumn): S[] {
    return categoriesOf(source.column).map((_, place) => this.column({ kind: 'place', source, place }))
  }

  /** What an aggregate takes in the rows that it picks; 0 in the others. */
  *measure(measure: Measure): Protocol<MeasureOn<S>> {
    const whole = yield* this.#everywhere(measure)
    if (measure.where === undefined) return whole
    const picked = yield* this.condition(measure.where)
    if (measure.kind === 'rows') return { values: picked, present: picked }
    return {
      values: yield* this.#on.multiply(whole.values, picked),
      present: whole.present === undefined ? picked : yield* this.#on.multiply(whole.present, picked),
    }
  }

  *#everywhere(measure: Measure): Protocol<MeasureOn<S>> {
    if (measure.kind === 'rows') return { values: this.#on.known(ones(this.rows)) }
    const present = yield* this.#presence(measure.value)
    if (measure.kind === 'present') return { values: present!, present: present! }
    const values = yield* this.#numeric(measure.value)
    if (present === undefined) return { values }
    const whole = ownerOf(measure.value) !== undefined
    return { values: whole ? values : yield* this.#on.multiply(values, present), present }
  }

  /** A key as columns to sort by, and where it has a value; 0 where it has none. */
  *key(key: Key): Protocol<{ readonly columns: KeyColumn<S>[]; readonly present?: S }> {
    if (key.kind === 'number') {
      const present = yield* this.#presence(key.value)
      const found = yield* this.#numeric(key.value)
      const whole = present === undefined || ownerOf(key.value) !== undefined
      const values = whole ? found : yield* this.#on.multiply(found, present)
      return {
        columns: [{ values, bits: key.bits, signed: true }],
        ...(present !== undefined && { present }),
      }
    }
    const { source, bits } = key
    const columns = bits.map((size, word) => ({
      values: this.column({ kind: 'word', source, word }),
      bits: size,
    }))
    const there = isPresent(key)
    if (there === undefined) return { columns }
    return { columns, present: this.column({ kind: 'flags', condition: there }) }
  }

  /** A column of zeros and ones. */
  *condition(condition: Condition): Protocol<S> {
    if (ownerOf(condition) !== undefined) return this.column({ kind: 'flags', condition })
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
      case 'otherwise':
        return this.#opposite(yield* this.condition(condition.part))
      case 'category':
      case 'code':
      case 'present':
        return this.column({ kind: 'flags', condition })
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
    if (ownerOf(value) !== undefined) return this.column({ kind: 'values', value })
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
        return this.#on.known(new BigUint64Array(this.rows).fill(BigInt.asUintN(64, value.value)))
      case 'column':
        return this.column({ kind: 'values', value })
      default:
        return unreachable(value)
    }
  }

  /** Where all columns in it have a value; undefined where none can lack one. */
  *#presence(value: Numeric): Protocol<S | undefined> {
    let present: S | undefined
    for (const part of partsOf(value).filter(isNullable)) {
      const column = this.column({ kind: 'present', value: part })
      present = present === undefined ? column : yield* this.#on.multiply(present, column)
    }
    return present
  }

  #opposite(flags: S): S {
    return this.#on.affineOf(flags, -1n, 1n)
  }

  column(share: Share): S {
    return this.columns.get(shareName(share))!
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
  return new Map(shares.map((share, place) => [shareName(share), columns[place]!]))
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
    case 'word':
      return wordOf(share.source, share.word, chunk)
    default:
      return unreachable(share)
  }
}

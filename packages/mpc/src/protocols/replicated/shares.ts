import { concatenate as joined } from '../../ring/columns.js'
import { affine, combine, sum, type Words } from '../../ring/kernels.js'
import type { Party } from './party.js'

/** Party i's part of a column of Z_2^64: x = x0 + x1 + x2, of which it holds x_i and x_(i+1). */
export interface Arithmetic {
  readonly kind: 'arithmetic'
  readonly own: Words
  readonly next: Words
}

/** Party i's part of packed bits: x = x0 ⊕ x1 ⊕ x2, of which it holds x_i and x_(i+1). */
export interface Binary {
  readonly kind: 'binary'
  readonly own: Words
  readonly next: Words
}

export const arithmetic = (own: Words, next: Words): Arithmetic => ({ kind: 'arithmetic', own, next })
export const binary = (own: Words, next: Words): Binary => ({ kind: 'binary', own, next })

export function add(a: Arithmetic, b: Arithmetic): Arithmetic {
  return arithmetic(combine('add', a.own, b.own), combine('add', a.next, b.next))
}

export function subtract(a: Arithmetic, b: Arithmetic): Arithmetic {
  return arithmetic(combine('sub', a.own, b.own), combine('sub', a.next, b.next))
}

/** `factor · a + term` with a public factor and term; the term goes to share 0. */
export function affineOf(party: Party, a: Arithmetic, factor: bigint, term: bigint): Arithmetic {
  const [own, next] = placed(party, 0).map(there => (there ? term : 0n))
  return arithmetic(affine(a.own, factor, own!), affine(a.next, factor, next!))
}

/** The sum of a column, as a column of one value. */
export function total(a: Arithmetic): Arithmetic {
  return arithmetic(new BigUint64Array([sum(a.own)]), new BigUint64Array([sum(a.next)]))
}

export function xor(a: Binary, b: Binary): Binary {
  return binary(combine('xor', a.own, b.own), combine('xor', a.next, b.next))
}

export function not(party: Party, a: Binary): Binary {
  const ones = new BigUint64Array(a.own.length).fill(ONES)
  const [own, next] = placed(party, 0)
  return binary(own ? combine('xor', a.own, ones) : a.own, next ? combine('xor', a.next, ones) : a.next)
}

/** Columns of one kind, one after the other. */
export function concatenate<S extends Arithmetic | Binary>(shares: readonly S[]): S {
  return {
    kind: shares[0]!.kind,
    own: joined(shares.map(s => s.own)),
    next: joined(shares.map(s => s.next)),
  } as S
}

export function slice<S extends Arithmetic | Binary>(share: S, start: number, end: number): S {
  return { kind: share.kind, own: share.own.subarray(start, end), next: share.next.subarray(start, end) } as S
}

/** The values at those places, in that order. */
export function gather(share: Arithmetic, places: readonly number[]): Arithmetic {
  const at = (column: Words): Words => BigUint64Array.from(places, place => column[place]!)
  return arithmetic(at(share.own), at(share.next))
}

/** Columns of one length, one after the other, each filled up with zeros to whole words of packed bits. */
export function padded(columns: readonly Arithmetic[]): Arithmetic {
  const rest = new BigUint64Array(-(columns[0]?.own.length ?? 0) & 63)
  return concatenate(columns.flatMap(column => [column, arithmetic(rest, rest)]))
}

/** A column that everybody knows. */
export function known(party: Party, values: Words): Arithmetic {
  return arithmetic(...only(party, 0, values))
}

/**
 * A sharing in which share `index` is the column and the others are zero: without a message, where the two who hold
 * that share know the column. Whoever does not hold the share passes only its length.
 */
export function only(party: Party, index: 0 | 1 | 2, values: Words | number): [Words, Words] {
  const zeros = new BigUint64Array(typeof values === 'number' ? values : values.length)
  const [own, next] = placed(party, index).map(there => (there ? (values as Words) : zeros))
  return [own!, next!]
}

const ONES = 2n ** 64n - 1n

/** Whether this party's first and second share are the share of that index. */
function placed(party: Party, index: 0 | 1 | 2): [boolean, boolean] {
  return [party.index === index, (party.index + 1) % 3 === index]
}

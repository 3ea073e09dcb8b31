import { affine, combine, inverse, modulo, scaleAdd, uniform } from '../../field/kernels.js'
import type { AesCtrPrg } from '../../prg/aes-ctr.js'
import type { Words } from '../../ring/slots.js'
import { pointOf } from './party.js'

/**
 * Shares of a column for parties 0 to `size` − 1: for each value a polynomial of that degree with the value at zero
 * and other coefficients drawn at random, evaluated by Horner's rule.
 */
export function evaluate(values: Words, degree: number, size: number, coefficients: AesCtrPrg): Words[] {
  const drawn = Array.from({ length: degree }, () => uniform(coefficients.words(values.length)))
  return Array.from({ length: size }, (_, index) =>
    [values, ...drawn].reduceRight((upper, lower) => scaleAdd(upper, pointOf(index), lower)),
  )
}

/** The polynomials' values at a point, from shares of as many parties as they have coefficients (Lagrange). */
export function interpolate(shares: ReadonlyMap<number, Words>, at: bigint): Words {
  const points = [...shares.keys()].map(pointOf)
  const terms = [...shares].map(([index, share]) => {
    const others = points.filter(point => point !== pointOf(index))
    const above = others.reduce((product, point) => modulo(product * (at - point)), 1n)
    const below = others.reduce((product, point) => modulo(product * (pointOf(index) - point)), 1n)
    return { share, weight: modulo(above * inverse(below)) }
  })
  const zero = new BigUint64Array(terms[0]!.share.length)
  return terms.reduce((sum, { share, weight }) => scaleAdd(share, weight, sum), zero)
}

/**
 * For columns c_0 … c_(n−1), one of each party, the `count` combinations Σ (i+1)^j · c_i. Where `count` of them are
 * uniform and unknown to somebody, so are the results (Damgård and Nielsen, CRYPTO 2007, protocol Double-Random:
 * every square part of a Vandermonde matrix's first rows is invertible).
 */
export function extract(columns: readonly Words[], count: number): Words[] {
  let powers = columns
  return Array.from({ length: count }, (_, row) => {
    if (row > 0) powers = powers.map((column, index) => affine(column, pointOf(index), 0n))
    return powers.reduce((sum, column) => combine('add', sum, column))
  })
}

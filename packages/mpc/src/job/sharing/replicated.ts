import { isNegative, isZero } from '../../protocols/replicated/compare.js'
import { bitsToArithmetic } from '../../protocols/replicated/convert.js'
import { inputOf, receiveFrom } from '../../protocols/replicated/input.js'
import { multiply } from '../../protocols/replicated/multiply.js'
import type { Index, Party } from '../../protocols/replicated/party.js'
import { type Arithmetic, add, affineOf, known, not, subtract } from '../../protocols/replicated/shares.js'
import type { Sharing } from './sharing.js'

/** Rows on shares of three parties, over the ring Z_2^64. */
export function replicatedSharing(party: Party): Sharing<Arithmetic> {
  const scaled = (a: Arithmetic, factor: bigint, term: bigint) =>
    affineOf(party, a, BigInt.asUintN(64, factor), BigInt.asUintN(64, term))
  return {
    input: (owner, values) =>
      owner > 2 ? receiveFrom(party, owner, values as number) : inputOf(party, owner as Index, values),
    known: values => known(party, values),
    add,
    subtract,
    affineOf: scaled,
    multiply: (a, b) => multiply(party, a, b),
    *related(value, is) {
      const turned = is === '>' || is === '<='
      const tested = ['=', '!='].includes(is)
        ? yield* isZero(party, value)
        : yield* isNegative(party, turned ? scaled(value, -1n, 0n) : value)
      const bits = ['!=', '>=', '<='].includes(is) ? not(party, tested) : tested
      return yield* bitsToArithmetic(party, bits, value.own.length)
    },
  }
}

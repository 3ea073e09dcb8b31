import type { BlockCipher } from '../cipher/block-cipher.js'
import { ff1 } from '../cipher/ff1.js'

/**
 * A keyed permutation of the pairs (outer, inner) with 0 ≤ outer < `outerSize` and 0 ≤ inner < `innerSize`, in place, a
 * column at a time: FF1 (SP 800-38G) over four numerals of the least radix that holds them all, repeated where it leaves
 * the domain (cycle walking; Black and Rogaway, CT-RSA 2002, section 4). The product of the sizes is at most 2^60.
 */
export function pairPermutation(
  cipher: BlockCipher,
  outerSize: number,
  innerSize: number,
): (outer: Float64Array, inner: Float64Array) => void {
  // a product above 2^53 is rounded, so that the fourth root may be
  const radix = Math.ceil((outerSize * innerSize) ** 0.25) + 1
  const mode = ff1(cipher, radix, 4)
  const base = mode.rightDomain
  const innerLeft = Math.floor(innerSize / base)
  const innerRight = innerSize - innerLeft * base
  const end = split(Float64Array.of(outerSize), Float64Array.of(0))
  const [endLeft, endRight] = [end.left[0]!, end.right[0]!]

  /** outer · innerSize + inner, as two digits of the base. */
  function split(
    outer: Float64Array,
    inner: Float64Array,
  ): { readonly left: Float64Array; readonly right: Float64Array } {
    const left = new Float64Array(outer.length)
    const right = new Float64Array(outer.length)
    for (let i = 0; i < outer.length; i++) {
      const low = outer[i]! * innerRight + inner[i]!
      const carry = Math.floor(low / base)
      left[i] = outer[i]! * innerLeft + carry
      right[i] = low - carry * base
    }
    return { left, right }
  }

  const isOutside = (left: number, right: number) => left > endLeft || (left === endLeft && right >= endRight)

  return (outer, inner) => {
    const { left, right } = split(outer, inner)
    mode.encrypt(left, right)
    walk(left, right)
    for (let i = 0; i < outer.length; i++) {
      // the quotient in doubles is off by one at most, the remainder is exact
      let quotient = Math.floor((left[i]! * base + right[i]!) / innerSize)
      let rest = (left[i]! - quotient * innerLeft) * base + (right[i]! - quotient * innerRight)
      if (rest < 0) {
        quotient--
        rest += innerSize
      } else if (rest >= innerSize) {
        quotient++
        rest -= innerSize
      }
      outer[i] = quotient
      inner[i] = rest
    }
  }

  function walk(left: Float64Array, right: Float64Array): void {
    let outside = Int32Array.from(left.keys()).filter(i => isOutside(left[i]!, right[i]!))
    while (outside.length > 0) {
      const [a, b] = [Float64Array.from(outside, i => left[i]!), Float64Array.from(outside, i => right[i]!)]
      mode.encrypt(a, b)
      for (const [k, i] of outside.entries()) {
        left[i] = a[k]!
        right[i] = b[k]!
      }
      outside = outside.filter(i => isOutside(left[i]!, right[i]!))
    }
  }
}

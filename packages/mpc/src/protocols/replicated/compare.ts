import type { Protocol } from '../../session/protocol.js'
import { summands } from './convert.js'
import { and } from './multiply.js'
import type { Party } from './party.js'
import { type Arithmetic, affineOf, type Binary, concatenate, not, slice, subtract, xor } from './shares.js'

/**
 * The highest bit of every value, packed: is it negative, read as two's complement. Exact for every element of the
 * ring: the carry into the highest bit of x = p + q is computed by a prefix tree over bit-sliced generate and
 * propagate bits (Harris, "A Taxonomy of Parallel Prefix Networks", 2003; ABY3, section 5.3).
 *
 * Eight rounds; for each value a party sends 181 bits, party 0 another 64.
 */
export function* isNegative(party: Party, x: Arithmetic): Protocol<Binary> {
  const width = Math.ceil(x.own.length / 64)
  const [p, q] = yield* summands(party, x)
  const propagate = xor(p, q)
  const low = 63 * width
  const carry = yield* carryOut(party, width, {
    generate: yield* and(party, slice(p, 0, low), slice(q, 0, low)),
    propagate: slice(propagate, 0, low),
  })
  return xor(slice(propagate, low, 64 * width), carry)
}

/**
 * a < b as signed values, packed. The difference has to fit: right whenever |a − b| < 2^63, so always for values
 * within ±2^62.
 */
export function lessThan(party: Party, a: Arithmetic, b: Arithmetic): Protocol<Binary> {
  return isNegative(party, subtract(a, b))
}

/** a ≥ threshold as signed values, packed, for a public threshold; right whenever |a − threshold| < 2^63. */
export function* atLeast(party: Party, a: Arithmetic, threshold: bigint): Protocol<Binary> {
  return not(party, yield* isNegative(party, affineOf(party, a, 1n, BigInt.asUintN(64, -threshold))))
}

/**
 * Is every value zero, packed; exact for every element of the ring.
 *
 * Seven rounds; for each value a party sends 63 bits, party 0 another 64.
 */
export function* isZero(party: Party, x: Arithmetic): Protocol<Binary> {
  const width = Math.ceil(x.own.length / 64)
  const [p, q] = yield* summands(party, x, -1)
  let same = not(party, xor(p, q))
  for (let planes = 64; planes > 1; planes /= 2) {
    const half = (planes / 2) * width
    same = yield* and(party, slice(same, 0, half), slice(same, half, 2 * half))
  }
  return same
}

interface Segments {
  /** one plane for each segment of bits, the lowest segment first */
  readonly generate: Binary
  readonly propagate: Binary
}

/** The carry out of all segments together: neighbours are joined, level by level. */
function* carryOut(party: Party, width: number, bits: Segments): Protocol<Binary> {
  let { generate, propagate } = bits
  while (generate.own.length > width) {
    const count = generate.own.length / width
    const pairs = Math.floor(count / 2)
    const lowGenerate = everySecond(generate, width, 0, pairs)
    const lowPropagate = everySecond(propagate, width, 0, pairs)
    const highGenerate = everySecond(generate, width, 1, pairs)
    const highPropagate = everySecond(propagate, width, 1, pairs)
    // what the lowest segment propagates is never asked for
    const products = yield* and(
      party,
      concatenate([highPropagate, slice(highPropagate, width, pairs * width)]),
      concatenate([lowGenerate, slice(lowPropagate, width, pairs * width)]),
    )
    const left = (count % 2) * width
    const rest = (planes: Binary): Binary => slice(planes, planes.own.length - left, planes.own.length)
    const joined = xor(highGenerate, slice(products, 0, pairs * width))
    generate = concatenate([joined, rest(generate)])
    propagate = concatenate([
      slice(lowPropagate, 0, width),
      slice(products, pairs * width, products.own.length),
      rest(propagate),
    ])
  }
  return generate
}

function everySecond(planes: Binary, width: number, first: 0 | 1, pairs: number): Binary {
  return concatenate(
    Array.from({ length: pairs }, (_, pair) => {
      const start = (2 * pair + first) * width
      return slice(planes, start, start + width)
    }),
  )
}

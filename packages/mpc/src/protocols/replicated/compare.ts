import type { Protocol } from '../../session/protocol.js'
import { joinSegments } from './adder.js'
import { bitsInBlocks } from './blocks.js'
import { summands } from './convert.js'
import { and } from './multiply.js'
import type { Party } from './party.js'
import { type Arithmetic, affineOf, type Binary, not, slice, subtract, xor } from './shares.js'

/**
 * The highest bit of every value, packed: is it negative, read as two's complement. Exact for every element of the
 * ring: the carry into the highest bit of x = p + q is computed by a prefix tree over bit-sliced generate and
 * propagate bits (Harris, "A Taxonomy of Parallel Prefix Networks", 2003; ABY3, section 5.3).
 *
 * Eight rounds for each 2^20 values; for each value a party sends 181 bits, party 0 another 64.
 */
export function isNegative(party: Party, x: Arithmetic): Protocol<Binary> {
  return bitsInBlocks(party, x.own.length, (start, end) => negative(party, slice(x, start, end)))
}

function* negative(party: Party, x: Arithmetic): Protocol<Binary> {
  const width = Math.ceil(x.own.length / 64)
  const [p, q] = yield* summands(party, x)
  const propagate = xor(p, q)
  const low = 63 * width
  const { generate: carry } = yield* joinSegments(party, width, {
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
  return bitsInBlocks(party, a.own.length, (start, end) =>
    negative(party, subtract(slice(a, start, end), slice(b, start, end))),
  )
}

/** a ≥ threshold as signed values, packed, for a public threshold; right whenever |a − threshold| < 2^63. */
export function* atLeast(party: Party, a: Arithmetic, threshold: bigint): Protocol<Binary> {
  const term = BigInt.asUintN(64, -threshold)
  const below = yield* bitsInBlocks(party, a.own.length, (start, end) =>
    negative(party, affineOf(party, slice(a, start, end), 1n, term)),
  )
  return not(party, below)
}

/**
 * Is every value zero, packed; exact for every element of the ring.
 *
 * Seven rounds for each 2^20 values; for each value a party sends 63 bits, party 0 another 64.
 */
export function isZero(party: Party, x: Arithmetic): Protocol<Binary> {
  return bitsInBlocks(party, x.own.length, (start, end) => zero(party, slice(x, start, end)))
}

function* zero(party: Party, x: Arithmetic): Protocol<Binary> {
  const width = Math.ceil(x.own.length / 64)
  const [p, q] = yield* summands(party, x, { negated: true })
  let same = not(party, xor(p, q))
  for (let planes = 64; planes > 1; planes /= 2) {
    const half = (planes / 2) * width
    same = yield* and(party, slice(same, 0, half), slice(same, half, 2 * half))
  }
  return same
}

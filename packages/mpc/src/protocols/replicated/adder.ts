import type { Protocol } from '../../session/protocol.js'
import { and } from './multiply.js'
import type { Party } from './party.js'
import { type Binary, binary, concatenate, slice, xor } from './shares.js'

/** What segments of bits do to a carry: one plane for each segment, the lowest first. */
export interface Segments {
  /** a carry leaves, whatever comes in */
  readonly generate: Binary
  /** a carry leaves where one comes in */
  readonly propagate: Binary
}

/**
 * The sum of two bit-sliced columns, modulo 2^`planes`: every carry by Sklansky's prefix tree (Harris, "A Taxonomy of
 * Parallel Prefix Networks", 2003), which has the fewest levels.
 *
 * Rounds: one, and one for each doubling up to `planes − 1`; of 64 planes 7, for 373 bits a value.
 */
export function* addBits(party: Party, p: Binary, q: Binary, planes: number): Protocol<Binary> {
  const width = p.own.length / planes
  const sum = xor(p, q)
  const top = (planes - 1) * width
  if (top === 0) return sum
  const generate = copied(yield* and(party, slice(p, 0, top), slice(q, 0, top)))
  const propagate = copied(slice(sum, 0, top))
  for (let span = 1; span < planes - 1; span *= 2) {
    const upper = Array.from({ length: planes - 1 }, (_, plane) => plane).filter(plane => plane & span)
    // what a prefix from plane 0 on propagates is never asked for
    const inner = upper.filter(plane => plane >= 2 * span)
    const pivots = (of: number[]): number[] => of.map(plane => plane - (plane % span) - 1)
    const above = planesAt(propagate, width, [...upper, ...inner])
    const below = [planesAt(generate, width, pivots(upper)), planesAt(propagate, width, pivots(inner))]
    const products = yield* and(party, above, concatenate(below))
    const carried = xor(planesAt(generate, width, upper), slice(products, 0, upper.length * width))
    put(generate, width, upper, carried)
    put(propagate, width, inner, slice(products, upper.length * width, products.own.length))
  }
  return concatenate([slice(sum, 0, width), xor(slice(sum, width, sum.own.length), generate)])
}

/**
 * All segments as one: neighbours are joined, level by level (ABY3, section 5.3). What the whole propagates is right
 * only where it is asked for: without it, a level costs a plane less.
 *
 * Rounds: one for each doubling up to the number of segments.
 */
export function* joinSegments(
  party: Party,
  width: number,
  segments: Segments,
  propagates = false,
): Protocol<Segments> {
  let { generate, propagate } = segments
  const first = propagates ? 0 : width
  while (generate.own.length > width) {
    const count = generate.own.length / width
    const pairs = Math.floor(count / 2)
    const seconds = (from: 0 | 1): number[] => Array.from({ length: pairs }, (_, pair) => 2 * pair + from)
    const lowGenerate = planesAt(generate, width, seconds(0))
    const lowPropagate = planesAt(propagate, width, seconds(0))
    const highGenerate = planesAt(generate, width, seconds(1))
    const highPropagate = planesAt(propagate, width, seconds(1))
    const products = yield* and(
      party,
      concatenate([highPropagate, slice(highPropagate, first, pairs * width)]),
      concatenate([lowGenerate, slice(lowPropagate, first, pairs * width)]),
    )
    const left = (count % 2) * width
    const rest = (planes: Binary): Binary => slice(planes, planes.own.length - left, planes.own.length)
    const joined = xor(highGenerate, slice(products, 0, pairs * width))
    generate = concatenate([joined, rest(generate)])
    propagate = concatenate([
      slice(lowPropagate, 0, first),
      slice(products, pairs * width, products.own.length),
      rest(propagate),
    ])
  }
  return { generate, propagate }
}

function planesAt(bits: Binary, width: number, planes: readonly number[]): Binary {
  if (planes.length === 0) return slice(bits, 0, 0)
  return concatenate(planes.map(plane => slice(bits, plane * width, (plane + 1) * width)))
}

function put(bits: Binary, width: number, planes: readonly number[], values: Binary): void {
  planes.forEach((plane, place) => {
    const { own, next } = slice(values, place * width, (place + 1) * width)
    bits.own.set(own, plane * width)
    bits.next.set(next, plane * width)
  })
}

function copied(bits: Binary): Binary {
  return binary(bits.own.slice(), bits.next.slice())
}

import { setImmediate } from 'node:timers/promises'
import { SluiceError } from '@sluice/core'
import { type Arena, arena } from './arena.js'
import { COORDINATE_BYTES, type Coordinates, type Curve, loadCurve, type Point } from './curve.js'
import { type Ristretto, scalarOf } from './ristretto.js'

/** The largest magnitude that is searched for, which takes minutes. */
export const MAXIMUM_LOGARITHM = 2n ** 48n

export interface LogarithmOptions {
  readonly group: Ristretto
  readonly signal?: AbortSignal
  readonly onProgress?: (fraction: number) => void
}

/**
 * The integer of a magnitude of at most `bound` whose multiple of the generator a point is: baby steps and giant steps
 * (Shanks, "Class number, a theory of factorization, and genera", 1971). The table holds the multiples 1 … m, by the
 * coordinate that a point and its negative share; the point is moved by multiples of 2 m + 1 until it is found there.
 * Both walks take their steps around centers, so that one inversion serves many. Small magnitudes are found first.
 *
 * How long it takes depends on what is found: it is for those who are to know that. What the kernels find is checked
 * with the group.
 *
 * @param point 32 bytes, an element of ristretto255 or the identity
 * @returns undefined where there is no such integer
 * @throws SluiceError PROTOCOL_VIOLATION where the point is none, MEMORY_EXCEEDED, INTERRUPTED
 */
export async function logarithm(
  point: Uint8Array,
  bound: bigint,
  { group, signal, onProgress }: LogarithmOptions,
): Promise<bigint | undefined> {
  if (bound > MAXIMUM_LOGARITHM) throw new SluiceError('INTERNAL', 'nobody searches that far')
  if (point.every(byte => byte === 0)) return 0n
  const curve = await loadCurve()
  const target = curve.decode(point)
  const steps = stepsFor(Number(bound))
  const walk = new Walk(curve, steps)
  let [done, percent] = [0, 0]
  const pause = async (centers: number): Promise<void> => {
    done += centers
    const fraction = done / (steps.blocks + 2 * steps.giants + 1)
    if (fraction * 100 >= percent + 1) {
      percent = Math.floor(fraction * 100)
      onProgress?.(fraction)
    }
    await setImmediate()
    if (signal?.aborted) throw new SluiceError('INTERRUPTED', 'the search for the total was interrupted')
  }
  for (const block of walk.makeTable()) await pause(block)
  for (const { candidates, centers } of walk.search(target)) {
    for (const value of candidates) {
      if (value === 0n || Buffer.compare(group.multiplyBase(scalarOf(value)), point) !== 0) continue
      return value <= bound && -value <= bound ? value : undefined
    }
    await pause(centers)
  }
  return undefined
}

interface Steps {
  /** how many multiples on either side of a center */
  readonly around: number
  /** a center and those around it */
  readonly span: number
  /** centers of the table */
  readonly blocks: number
  /** the largest multiple in the table */
  readonly most: number
  /** centers of the search on either side of the point */
  readonly giants: number
}

const MOST_IN_TABLE = 4_000_000
const MOST_AROUND = 1024
const CENTERS_AT_ONCE = 16
const MOST_HINTS = 64

function stepsFor(bound: number): Steps {
  const wanted = Math.min(MOST_IN_TABLE, Math.max(1, Math.ceil(Math.sqrt(bound))))
  const around = Math.min(MOST_AROUND, Math.max(1, Math.floor(Math.sqrt(wanted) / 2)))
  const span = 2 * around + 1
  const blocks = Math.ceil(Math.max(0, wanted - around) / span) + 1
  const most = (blocks - 1) * span + around
  const strides = Math.max(0, Math.ceil((bound - most) / (2 * most + 1)))
  return { around, span, blocks, most, giants: Math.max(0, Math.ceil((strides - around) / span)) }
}

/** The places of a block: its center, then what is that much more and less. */
function offsetOf(place: number): number {
  if (place === 0) return 0
  return place % 2 === 1 ? (place + 1) / 2 : -place / 2
}

interface Found {
  readonly candidates: readonly bigint[]
  readonly centers: number
}

class Walk {
  readonly #curve: Curve
  readonly #steps: Steps
  readonly #mask: number
  readonly #memory: Arena<'center' | 'list' | 'products' | 'words' | 'hints' | 'table'>

  constructor(curve: Curve, steps: Steps) {
    const { around, span, blocks } = steps
    const slots = 2 ** Math.ceil(Math.log2(2 * blocks * span))
    this.#curve = curve
    this.#steps = steps
    this.#mask = slots - 1
    this.#memory = arena({
      ...{ center: COORDINATE_BYTES * 2, list: around * COORDINATE_BYTES * 2 },
      ...{ products: around * COORDINATE_BYTES, words: span * 8, hints: MOST_HINTS * 8, table: slots * 8 },
    })
  }

  /** Yields after some centers, with their number. */
  *makeTable(): Generator<number> {
    const { around, span, blocks } = this.#steps
    const { base } = this.#curve
    const { kernels, at } = this.#memory
    const list = this.#setList(base)
    this.#words().set(list.map(({ u }) => BigInt.asUintN(64, u)))
    kernels.numberWords(at.words, around, 1, at.table, this.#mask)
    const stride = this.#curve.multiple(base, span)
    let block = 1
    for (const centers of this.#walk(stride, stride, blocks - 1)) {
      for (const center of centers) {
        // no center of the table is one of the list or its negative
        this.#around(center!)
        kernels.numberWords(at.words, span, block++ * span, at.table, this.#mask)
      }
      yield centers.length
    }
  }

  /** Yields after some centers, with what the point may be a multiple of. */
  *search(target: Point): Generator<Found> {
    const { span, most, giants } = this.#steps
    const { base, multiple, plus } = this.#curve
    const giant = multiple(base, 2 * most + 1)
    this.#setList(giant)
    const [up, down] = [multiple(giant, span), multiple(giant, -span)]
    const walks = [this.#walk(target, up, giants + 1), this.#walk(plus(target, down), down, giants)] as const
    let number = 0
    for (const upwards of walks[0]) {
      const downwards = walks[1].next().value ?? []
      const candidates = [
        ...upwards.flatMap((center, i) => this.#candidates(center, number + i)),
        ...downwards.flatMap((center, i) => this.#candidates(center, -number - i - 1)),
      ]
      yield { candidates, centers: upwards.length + downwards.length }
      number += upwards.length
    }
  }

  /** What the point is where one of those around this center is in the table, or the identity. */
  #candidates(center: Coordinates | undefined, number: number): bigint[] {
    const { span, most, around } = this.#steps
    const { kernels, at } = this.#memory
    const giant = BigInt(2 * most + 1)
    const moved = (offset: number) => BigInt(number * span + offset) * giant
    if (center === undefined) return [-moved(0)]
    if (!this.#around(center)) {
      return Array.from({ length: 2 * around }, (_, place) => -moved(offsetOf(place + 1)))
    }
    const found = kernels.findWords(at.words, span, at.table, this.#mask, at.hints, MOST_HINTS)
    const hints = new Uint32Array(this.#memory.bytes.hints.buffer, at.hints, 2 * found)
    return Array.from({ length: found }, (_, i) => {
      const [shift, value] = [moved(offsetOf(hints[2 * i]!)), BigInt(this.#multiple(hints[2 * i + 1]!))]
      return [value - shift, -value - shift]
    }).flat()
  }

  /** The multiple that stands under this number in the table. */
  #multiple(number: number): number {
    const { span } = this.#steps
    if (number < span) return number
    return number - (number % span) + offsetOf(number % span)
  }

  #setList(point: Point): Coordinates[] {
    const points: Point[] = []
    for (let i = 0, last = point; i < this.#steps.around; i++, last = this.#curve.plus(last, point)) {
      points.push(last)
    }
    const list = this.#curve.coordinates(points) as Coordinates[]
    list.forEach((coordinates, i) => {
      this.#memory.bytes.list.set(this.#curve.encode(coordinates), i * 2 * COORDINATE_BYTES)
    })
    return list
  }

  /** Puts the block of this center into `words`. False where a point of it is the identity. */
  #around(center: Coordinates): boolean {
    const { kernels, at, bytes } = this.#memory
    bytes.center.set(this.#curve.encode(center))
    this.#words()[0] = BigInt.asUintN(64, center.u)
    return kernels.pointsAround(at.center, at.list, this.#steps.around, at.products, at.words + 8) === 1
  }

  #words(): BigUint64Array {
    return new BigUint64Array(this.#memory.bytes.words.buffer, this.#memory.at.words, this.#steps.span)
  }

  /** So many points from one on, each a stride on; those that are the identity have no coordinates. */
  *#walk(start: Point, stride: Point, count: number): Generator<(Coordinates | undefined)[], undefined> {
    let next = start
    for (let from = 0; from < count; from += CENTERS_AT_ONCE) {
      const points: Point[] = []
      for (let i = 0; i < Math.min(CENTERS_AT_ONCE, count - from); i++) {
        points.push(next)
        next = this.#curve.plus(next, stride)
      }
      yield this.#curve.coordinates(points)
    }
    return undefined
  }
}

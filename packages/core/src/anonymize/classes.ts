import type { Records } from './table.js'

/** The equivalence classes of a table at one node of the lattice. */
export interface Classes {
  /** the level of each quasi-identifier */
  readonly levels: readonly number[]
  readonly count: number
  /** a record of each class */
  readonly representatives: Uint32Array
  /** rows of each class */
  readonly sizes: Uint32Array
  /** people of the population in each class; null where it is not known */
  readonly population: Float64Array | null
  /** class of each record; worked out when it is first asked for */
  readonly of: () => Uint32Array
  /** by lane, the key of each class */
  readonly keys: readonly Uint32Array[]
}

/** A radix of 2^32 at most: two records are in one class exactly if every lane's key is the same. */
interface Lane {
  readonly parts: readonly Part[]
}

/** What a column adds to a lane's key: by level and base code. */
interface Part {
  readonly column: number
  readonly codes: Codes
  readonly scaled: readonly Uint32Array[]
}

type Codes = Uint8Array | Uint16Array | Uint32Array

const MULTIPLIER = 0x9e3779b1
const LANE = 2 ** 32

/**
 * Groups records into classes. The generalized codes of a record make exact keys in mixed radix, as many 32-bit lanes
 * as it takes (mostly one), so that a hash collision never puts two classes together. From the classes of a lower node
 * those of a higher one follow without looking at records again (roll-up; Flash, Kohlmayer et al. 2012, section IV).
 */
export class Grouping {
  readonly records: Records
  readonly #lanes: readonly Lane[]
  #slots = new Uint32Array(0)

  constructor(records: Records) {
    this.records = records
    this.#lanes = lanesOf(records)
  }

  /** The classes at the base: one a distinct tuple of quasi-identifiers. */
  bottom(): Classes {
    const { weights, population, quasi } = this.records
    const identity = Uint32Array.from(weights, (_, record) => record)
    const every: Classes = {
      levels: quasi.map(() => 0),
      count: weights.length,
      representatives: identity,
      sizes: weights,
      population: population === null ? null : Float64Array.from(population),
      of: () => identity,
      keys: this.#lanes.map(({ parts }) => {
        const keys = new Uint32Array(weights.length)
        for (const { codes, scaled } of parts) {
          const [own] = scaled
          for (let record = 0; record < keys.length; record++) keys[record]! += own![codes[record]!]!
        }
        return keys
      }),
    }
    return this.rollUp(every, every.levels)
  }

  /** The classes at `levels`, from those at a node that is nowhere above it. */
  rollUp(below: Classes, levels: readonly number[]): Classes {
    const above = this.#lanes.map((lane, index) => movedKeys(lane, below.keys[index]!, below, levels))
    const { classOf, count, firsts } = this.#distinct(above, below.count)
    const representatives = new Uint32Array(count)
    const sizes = new Uint32Array(count)
    for (let index = 0; index < count; index++)
      representatives[index] = below.representatives[firsts[index]!]!
    for (let index = 0; index < below.count; index++) sizes[classOf[index]!]! += below.sizes[index]!
    const keys = above.map(lane => firsts.subarray(0, count).map(first => lane[first]!))
    const population = populationOf(below, classOf, count)
    return { levels, count, representatives, sizes, population, of: composed(below, classOf), keys }
  }

  #distinct(
    keys: readonly Uint32Array[],
    length: number,
  ): { classOf: Uint32Array; count: number; firsts: Uint32Array } {
    const bits = Math.max(4, 33 - Math.clz32(length))
    const size = 2 ** bits
    if (this.#slots.length < size) this.#slots = new Uint32Array(size)
    const slots = this.#slots.subarray(0, size).fill(0)
    const classOf = new Uint32Array(length)
    const firsts = new Uint32Array(length)
    const [key, second, ...more] = keys
    const mask = size - 1
    const shift = 32 - bits
    let count = 0
    for (let index = 0; index < length; index++) {
      const own = key![index]!
      let hash = Math.imul(own, MULTIPLIER)
      if (second !== undefined) {
        hash = Math.imul(hash ^ second[index]!, MULTIPLIER)
        for (const lane of more) hash = Math.imul(hash ^ lane[index]!, MULTIPLIER)
      }
      let slot = hash >>> shift
      for (;;) {
        const held = slots[slot]!
        if (held === 0) {
          firsts[count] = index
          classOf[index] = count
          slots[slot] = ++count
          break
        }
        const first = firsts[held - 1]!
        if (key![first] === own && (second === undefined || sameLanes(keys, first, index))) {
          classOf[index] = held - 1
          break
        }
        slot = (slot + 1) & mask
      }
    }
    return { classOf, count, firsts }
  }
}

/** The keys of the same classes at other levels: only what a column that moved adds to them changes. */
function movedKeys(
  { parts }: Lane,
  before: Uint32Array,
  from: Classes,
  levels: readonly number[],
): Uint32Array {
  const keys = before.slice()
  const { representatives } = from
  for (const { column, codes, scaled } of parts) {
    const [old, next] = [from.levels[column]!, levels[column]!]
    if (old === next) continue
    // modulo 2^32, as the keys are
    const step = scaled[next]!.map((key, code) => key - scaled[old]![code]!)
    for (let index = 0; index < keys.length; index++) keys[index]! += step[codes[representatives[index]!]!]!
  }
  return keys
}

function sameLanes(keys: readonly Uint32Array[], a: number, b: number): boolean {
  for (const lane of keys) if (lane[a] !== lane[b]) return false
  return true
}

function lanesOf({ quasi }: Records): Lane[] {
  const lanes: { radix: number; parts: Part[] }[] = []
  quasi.forEach(({ codes, hierarchy: { codes: levels, labels } }, column) => {
    const cardinality = Math.max(1, ...labels.map(level => level.length))
    let lane = lanes.find(candidate => candidate.radix * cardinality <= LANE)
    if (lane === undefined) {
      lane = { radix: 1, parts: [] }
      lanes.push(lane)
    }
    const { radix } = lane
    const scaled = levels.map(level => level.map(code => code * radix))
    lane.parts.push({ column, codes: narrowed(codes, cardinality), scaled })
    lane.radix *= cardinality
  })
  return lanes
}

/** In as few bytes as will do, so that more of a column is in the cache. */
function narrowed(codes: Uint32Array, cardinality: number): Codes {
  if (cardinality <= 2 ** 8) return Uint8Array.from(codes)
  return cardinality <= 2 ** 16 ? Uint16Array.from(codes) : codes
}

function populationOf({ population }: Classes, classOf: Uint32Array, count: number): Float64Array | null {
  if (population === null) return null
  const sums = new Float64Array(count)
  for (let index = 0; index < classOf.length; index++)
    sums[classOf[index]!] = sums[classOf[index]!]! + population[index]!
  return sums
}

function composed(below: Classes, classOf: Uint32Array): () => Uint32Array {
  let known: Uint32Array | null = null
  return () => {
    known ??= below.of().map(index => classOf[index]!)
    return known
  }
}

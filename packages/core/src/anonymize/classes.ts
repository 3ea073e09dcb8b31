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

/** Columns side by side in 32 bits: two records are in one class exactly if every lane's key is the same. */
type Lane = readonly Field[]

/** Where a column's code stands in a lane's key. */
interface Field {
  readonly column: number
  readonly shift: number
  readonly mask: number
}

const MULTIPLIER = 0x9e3779b1
const LANE_BITS = 32

/**
 * Groups records into classes. The generalized codes of a record make exact keys, in as many lanes of 32 bits as it
 * takes (mostly one), so that a hash collision never puts two classes together. From the classes of a lower node
 * those of a higher one follow without looking at records again (roll-up; Flash, Kohlmayer et al. 2012, section IV).
 */
export class Grouping {
  readonly records: Records
  /** The classes at the base: one a distinct tuple of quasi-identifiers. */
  readonly bottom: Classes
  readonly #lanes: readonly Lane[]
  /** by column, from level and to level */
  readonly #known: (Uint32Array | undefined)[][]
  #slots = new Uint32Array(0)
  #firsts = new Uint32Array(0)
  #sizes = new Uint32Array(0)

  constructor(records: Records) {
    this.records = records
    this.#lanes = lanesOf(records)
    this.#known = records.quasi.map(() => [])
    this.bottom = this.#bottom()
  }

  #bottom(): Classes {
    const { weights, population, quasi } = this.records
    const identity = Uint32Array.from(weights, (_, record) => record)
    const every: Classes = {
      levels: quasi.map(() => 0),
      count: weights.length,
      representatives: identity,
      sizes: weights,
      population: population === null ? null : Float64Array.from(population),
      of: () => identity,
      keys: this.#lanes.map(lane => {
        const keys = new Uint32Array(weights.length)
        for (const { column, shift } of lane) {
          const { codes } = quasi[column]!
          for (let record = 0; record < keys.length; record++) keys[record]! += codes[record]! << shift
        }
        return keys
      }),
    }
    return this.#merged(every, every.keys, every.levels, every)
  }

  /** The classes at `levels`, from those at a node that is nowhere above it. */
  rollUp(below: Classes, levels: readonly number[]): Classes {
    return this.#merged(below, this.#keysAt(below, levels), levels, this.bottom)
  }

  #keysAt({ keys, levels: from }: Classes, levels: readonly number[]): Uint32Array[] {
    return this.#lanes.map((lane, index) => this.#movedKeys(lane, keys[index]!, from, levels))
  }

  /** The keys of the same classes at other levels: only the columns that moved change. */
  #movedKeys(lane: Lane, before: Uint32Array, from: readonly number[], to: readonly number[]): Uint32Array {
    const keys = before.slice()
    for (const { column, shift, mask } of lane) {
      if (from[column] === to[column]) continue
      const steps = this.#steps(column, from[column]!, to[column]!, shift)
      for (let at = 0; at < keys.length; at++) keys[at]! += steps[(keys[at]! >>> shift) & mask]!
    }
    return keys
  }

  /** By code at a level, what leads from it to the code at a higher one, in its field. */
  #steps(column: number, from: number, to: number, shift: number): Uint32Array {
    const { codes, labels } = this.records.quasi[column]!.hierarchy
    const heights = codes.length
    const known = this.#known[column]![from * heights + to]
    if (known !== undefined) return known
    const steps = new Uint32Array(labels[from]!.length)
    const [below, above] = [codes[from]!, codes[to]!]
    // modulo 2^32, as the keys are
    for (let value = 0; value < below.length; value++)
      steps[below[value]!] = (above[value]! - below[value]!) << shift
    this.#known[column]![from * heights + to] = steps
    return steps
  }

  /** @param source from which it is told whose class each record is; what lies between is not held on to */
  #merged(below: Classes, keys: readonly Uint32Array[], levels: readonly number[], source: Classes): Classes {
    const firsts = this.#distinct(keys, below, null)
    const count = firsts.length
    return {
      levels,
      count,
      representatives: gathered(below.representatives, firsts),
      sizes: this.#sizes.slice(0, count),
      keys: keys.map(lane => gathered(lane, firsts)),
      population: populationOf(below, () => this.#classOf(keys, below), count),
      of: once(() => {
        // classes are numbered as their first records stand, whichever classes they come from
        const classOf = this.#classOf(this.#keysAt(source, levels), source)
        return source.of().map(index => classOf[index]!)
      }),
    }
  }

  #classOf(keys: readonly Uint32Array[], below: Classes): Uint32Array {
    const classOf = new Uint32Array(below.count)
    this.#distinct(keys, below, classOf)
    return classOf
  }

  /** The first of each class among those below, in order; their sizes in `#sizes`, and what each belongs to in `classOf`. */
  #distinct(
    keys: readonly Uint32Array[],
    { count: length, sizes: before }: Classes,
    classOf: Uint32Array | null,
  ): Uint32Array {
    const bits = Math.max(4, 33 - Math.clz32(length))
    const size = 2 ** bits
    if (this.#slots.length < size) {
      this.#slots = new Uint32Array(size)
      this.#firsts = new Uint32Array(size)
      this.#sizes = new Uint32Array(size)
    }
    const slots = this.#slots.fill(0, 0, size)
    const firsts = this.#firsts
    const sizes = this.#sizes
    const [key, ...more] = keys as [Uint32Array, ...Uint32Array[]]
    const single = more.length === 0
    const mask = size - 1
    const shift = 32 - bits
    let count = 0
    for (let index = 0; index < length; index++) {
      const own = key[index]!
      let hash = Math.imul(own, MULTIPLIER)
      if (!single) for (const lane of more) hash = Math.imul(hash ^ lane[index]!, MULTIPLIER)
      let slot = hash >>> shift
      for (;;) {
        const held = slots[slot]! - 1
        if (held < 0) {
          firsts[count] = index
          sizes[count] = before[index]!
          if (classOf !== null) classOf[index] = count
          slots[slot] = ++count
          break
        }
        const first = firsts[held]!
        if (key[first]! === own && (single || sameLanes(more, first, index))) {
          sizes[held] = sizes[held]! + before[index]!
          if (classOf !== null) classOf[index] = held
          break
        }
        slot = (slot + 1) & mask
      }
    }
    return firsts.subarray(0, count)
  }
}

function gathered(values: Uint32Array, at: Uint32Array): Uint32Array {
  const found = new Uint32Array(at.length)
  for (let index = 0; index < found.length; index++) found[index] = values[at[index]!]!
  return found
}

function once<T extends object>(action: () => T): () => T {
  let known: T | null = null
  return () => {
    known ??= action()
    return known
  }
}

function sameLanes(keys: readonly Uint32Array[], a: number, b: number): boolean {
  for (const lane of keys) if (lane[a] !== lane[b]) return false
  return true
}

function lanesOf({ quasi }: Records): Lane[] {
  const lanes: { used: number; fields: Field[] }[] = [{ used: 0, fields: [] }]
  quasi.forEach(({ hierarchy: { labels } }, column) => {
    const bits = LANE_BITS - Math.clz32(Math.max(1, ...labels.map(level => level.length - 1)))
    let lane = lanes.find(({ used }) => used + bits <= LANE_BITS)
    if (lane === undefined) {
      lane = { used: 0, fields: [] }
      lanes.push(lane)
    }
    lane.fields.push({ column, shift: lane.used, mask: 2 ** bits - 1 })
    lane.used += bits
  })
  return lanes.map(({ fields }) => fields)
}

function populationOf(
  { population }: Classes,
  classOf: () => Uint32Array,
  count: number,
): Float64Array | null {
  if (population === null) return null
  const sums = new Float64Array(count)
  const of = classOf()
  for (let index = 0; index < of.length; index++) sums[of[index]!] = sums[of[index]!]! + population[index]!
  return sums
}

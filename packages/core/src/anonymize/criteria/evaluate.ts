import type { Classes } from '../classes.js'
import type { Records } from '../table.js'
import type { Criterion, Distribution } from './criterion.js'

/** What a node is worth. */
export interface Verdict {
  /** every criterion holds for what is left when at most the allowed rows are suppressed */
  readonly passes: boolean
  /**
   * False only where every node below fails as well. With nothing suppressed that is wherever a criterion fails; else
   * where the criteria that hold for any larger class (k, distinct values) leave too many rows out.
   */
  readonly mayPassBelow: boolean
  /** 1 for every class that has to be suppressed */
  readonly failing: Uint8Array
  /** rows of those */
  readonly suppressed: number
}

/** Holds classes to criteria. */
export class Evaluation {
  readonly #records: Records
  /** of every class */
  readonly #leastSize: number
  readonly #always: readonly Criterion[]
  readonly #others: readonly Criterion[]
  readonly #allowed: number

  /** @param allowed rows that may be suppressed */
  constructor(records: Records, criteria: readonly Criterion[], allowed: number) {
    this.#records = records
    this.#allowed = allowed
    this.#leastSize = Math.max(0, ...criteria.map(({ leastSize }) => leastSize ?? 0))
    const further = criteria.filter(({ leastSize }) => leastSize === undefined)
    this.#always = further.filter(({ monotone }) => monotone === 'superset')
    this.#others = further.filter(({ monotone }) => monotone === 'union')
  }

  verdict(classes: Classes): Verdict {
    // what needs sizes alone comes first: it mostly settles the question
    let first = this.#tooSmall(classes)
    if (first > this.#allowed) return { passes: false, mayPassBelow: false, failing: NONE, suppressed: first }
    const failing = new Uint8Array(classes.count)
    const { sizes, count } = classes
    if (first > 0)
      for (let index = 0; index < count; index++)
        if (sizes[index]! < this.#leastSize && sizes[index]! > 0) failing[index] = 1
    first += this.#mark(classes, failing, this.#always)
    if (first > this.#allowed) return { passes: false, mayPassBelow: false, failing, suppressed: first }
    if (this.#others.length === 0) return { passes: true, mayPassBelow: true, failing, suppressed: first }
    const suppressed = first + this.#mark(classes, failing, this.#others)
    const passes = suppressed <= this.#allowed
    return { passes, mayPassBelow: passes || this.#allowed > 0, failing, suppressed }
  }

  /** Rows in classes that are too small, or more than the allowed. */
  #tooSmall({ sizes }: Classes): number {
    let rows = 0
    for (let index = 0; index < sizes.length && rows <= this.#allowed; index++) {
      if (sizes[index]! < this.#leastSize) rows += sizes[index]!
    }
    return rows
  }

  /** Do the criteria hold for one class of these records. */
  meets(records: Uint32Array, size: number): boolean {
    const criteria = [...this.#always, ...this.#others]
    const view = new RecordsView(
      this.#records,
      { sorted: records, starts: Uint32Array.of(0, records.length) },
      columnsOf(criteria),
    )
    view.enter(0, size, Number.NaN)
    return size >= this.#leastSize && criteria.every(criterion => criterion.satisfied(view))
  }

  /** Marks classes that a criterion does not hold for; answers their rows, infinite where suppression cannot help. */
  #mark(classes: Classes, failing: Uint8Array, criteria: readonly Criterion[]): number {
    if (criteria.length === 0) return 0
    const { sizes, population, count } = classes
    const columns = columnsOf(criteria)
    const view = new RecordsView(this.#records, columns.length === 0 ? EMPTY : sortByClass(classes), columns)
    const ofPopulation = criteria.filter(({ name }) => name === 'delta-presence')
    let rows = 0
    for (let index = 0; index < count; index++) {
      if (failing[index] === 1) continue
      const size = sizes[index]!
      view.enter(index, size, population === null ? Number.NaN : population[index]!)
      // nobody of the table looks like this class: only presence says something about it, and nothing can be left out
      const held = size === 0 ? ofPopulation : criteria
      if (held.every(criterion => criterion.satisfied(view))) continue
      failing[index] = 1
      rows += size === 0 ? Number.POSITIVE_INFINITY : size
    }
    return rows
  }
}

const NONE = new Uint8Array(0)

function columnsOf(criteria: readonly Criterion[]): number[] {
  return [...new Set(criteria.flatMap(({ column }) => (column === null ? [] : [column])))]
}

/** A window that moves over classes; records are sorted by class once, and counted as a criterion asks. */
class RecordsView {
  size = 0
  population = Number.NaN
  readonly #records: Records
  readonly #sorted: Uint32Array
  readonly #starts: Uint32Array
  readonly #counts: ReadonlyMap<number, Float64Array>
  readonly #seen = new Map<number, { at: number; distribution: Distribution & { codes: number[] } }>()
  #class = 0

  constructor(records: Records, { sorted, starts }: Sorted, columns: readonly number[]) {
    this.#records = records
    this.#sorted = sorted
    this.#starts = starts
    this.#counts = new Map(
      columns.map(column => [column, new Float64Array(records.sensitive[column]!.cardinality)]),
    )
  }

  enter(index: number, size: number, population: number): void {
    this.#class = index
    this.size = size
    this.population = population
  }

  distribution(column: number): Distribution {
    const known = this.#seen.get(column)
    if (known?.at === this.#class) return known.distribution
    const counts = this.#counts.get(column)!
    for (const code of known?.distribution.codes ?? []) counts[code] = 0
    const own = this.#records.sensitive[column]!.codes
    const { weights } = this.#records
    const codes: number[] = []
    for (let at = this.#starts[this.#class]!; at < this.#starts[this.#class + 1]!; at++) {
      const record = this.#sorted[at]!
      const weight = weights[record]!
      if (weight === 0) continue
      const code = own[record]!
      if (counts[code] === 0) codes.push(code)
      counts[code] = counts[code]! + weight
    }
    const distribution = { size: this.size, counts, codes }
    this.#seen.set(column, { at: this.#class, distribution })
    return distribution
  }
}

/** Records, those of a class beside each other, and where each class begins. */
interface Sorted {
  readonly sorted: Uint32Array
  readonly starts: Uint32Array
}

const EMPTY: Sorted = { sorted: new Uint32Array(0), starts: new Uint32Array(0) }

/** Counting sort of the records by class. */
function sortByClass({ of, count }: Pick<Classes, 'of' | 'count'>): Sorted {
  const classOf = of()
  const starts = new Uint32Array(count + 1)
  for (const index of classOf) starts[index + 1]! += 1
  for (let index = 0; index < count; index++) starts[index + 1]! += starts[index]!
  const next = starts.slice(0, count)
  const sorted = new Uint32Array(classOf.length)
  for (let record = 0; record < sorted.length; record++) sorted[next[classOf[record]!]!++] = record
  return { sorted, starts }
}

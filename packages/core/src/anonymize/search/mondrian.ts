import { SluiceError } from '../../errors.js'
import type { Progress } from '../../plan/executor.js'
import type { AnonymizeConfig } from '../config/config.js'
import type { Criterion } from '../criteria/criterion.js'
import { Evaluation } from '../criteria/evaluate.js'
import { criteriaOf } from '../criteria/model.js'
import { countRows, type Records } from '../table.js'
import { Pauses } from './pauses.js'

export interface MondrianOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Regions that hold every record; each meets the model. */
export interface Regions {
  readonly count: number
  /** region of each record */
  readonly of: Uint32Array
  readonly sizes: Uint32Array
}

/**
 * Strict multidimensional partitioning (LeFevre, DeWitt, Ramakrishnan, Mondrian, ICDE 2006, section 4, figure 4): a
 * region is cut at the median of its widest dimension, as wide as its values span of the whole table, as long as both
 * sides meet the model; else at the next widest. Greedy, not optimal. The order of a column's codes is the order that
 * is cut.
 *
 * @throws SluiceError ANONYMITY_UNREACHABLE where the table as a whole does not meet the model; CONFIG_INVALID;
 * INTERRUPTED by the signal's reason
 */
export async function partitionMondrian(
  records: Records,
  config: Pick<AnonymizeConfig, 'model'>,
  options: MondrianOptions = {},
): Promise<Regions> {
  const rows = countRows(records)
  const mondrian = new Mondrian(records, criteriaOf(config.model, records), config.model.k)
  if (!mondrian.allowsWhole()) {
    throw new SluiceError('ANONYMITY_UNREACHABLE', 'the table as a whole does not meet the model', {
      rule: 'anonymity.unreachable',
      remedy: 'Ask for criteria that the table itself meets.',
    })
  }
  return mondrian.run(rows, options)
}

class Mondrian {
  readonly #records: Records
  readonly #evaluation: Evaluation | null
  readonly #k: number
  /** records, those of a region beside each other */
  readonly #order: Uint32Array
  readonly #spare: Uint32Array
  readonly #weight: Uint32Array
  readonly #spans: readonly Span[]

  constructor(records: Records, criteria: readonly Criterion[], k: number) {
    this.#records = records
    this.#k = k
    const others = criteria.filter(({ name }) => name !== 'k-anonymity')
    this.#evaluation = others.length === 0 ? null : new Evaluation(records, others, 0)
    const { weights, quasi } = records
    this.#order = Uint32Array.from(weights, (_, record) => record).filter(record => weights[record]! > 0)
    this.#spare = new Uint32Array(this.#order.length)
    const cardinality = Math.max(1, ...quasi.map(({ hierarchy }) => hierarchy.labels[0]!.length))
    this.#weight = new Uint32Array(cardinality)
    this.#spans = quasi.map(({ codes, positions }) => new Span(codes, positions, this.#order))
  }

  allowsWhole(): boolean {
    const rows = this.#rowsOf(0, this.#order.length)
    return rows >= this.#k && this.#meets([[0, this.#order.length, rows]])
  }

  async run(rows: number, { signal, onProgress }: MondrianOptions): Promise<Regions> {
    const of = new Uint32Array(this.#records.weights.length)
    const sizes: number[] = []
    const pauses = new Pauses(signal)
    const open: [from: number, to: number, rows: number][] = [[0, this.#order.length, rows]]
    let done = 0
    for (let region = open.pop(); region !== undefined; region = open.pop()) {
      await pauses.perhaps(() => onProgress?.({ stage: 'partition', fraction: done / rows }))
      const [from, to, size] = region
      const cut = this.#cut(from, to, size)
      if (cut !== null) {
        open.push([cut.at, to, size - cut.rows], [from, cut.at, cut.rows])
        continue
      }
      for (let at = from; at < to; at++) of[this.#order[at]!] = sizes.length
      sizes.push(size)
      done += size
    }
    return { count: sizes.length, of, sizes: Uint32Array.from(sizes) }
  }

  /** Puts the records of the lower side first; null where no cut is allowed. */
  #cut(from: number, to: number, rows: number): { at: number; rows: number } | null {
    if (rows < 2 * this.#k) return null
    const widths = this.#spans.map(span => span.measure(this.#order, from, to))
    const widest = widths
      .map((_, column) => column)
      .sort((a, b) => widths[b]!.share - widths[a]!.share || a - b)
    for (const column of widest) {
      const { least, greatest } = widths[column]!
      if (least === greatest) continue
      for (const [code, below] of this.#medians(column, from, to, rows, least, greatest)) {
        if (below < this.#k || rows - below < this.#k) continue
        const at = this.#divide(column, code, from, to)
        if (
          this.#meets([
            [from, at, below],
            [at, to, rows - below],
          ])
        )
          return { at, rows: below }
      }
    }
    return null
  }

  /** The cuts on both sides of the median value: the last code of the lower side, and its rows. */
  #medians(
    column: number,
    from: number,
    to: number,
    rows: number,
    least: number,
    greatest: number,
  ): [number, number][] {
    const { codes } = this.#records.quasi[column]!
    const { weights } = this.#records
    const weight = this.#weight.fill(0, least, greatest + 1)
    for (let at = from; at < to; at++) {
      const record = this.#order[at]!
      weight[codes[record]!]! += weights[record]!
    }
    let below = 0
    for (let code = least; code < greatest; code++) {
      const upTo = below + weight[code]!
      if (2 * upTo >= rows)
        return below === 0
          ? [[code, upTo]]
          : [
              [code, upTo],
              [code - 1, below],
            ]
      below = upTo
    }
    return [[greatest - 1, below]]
  }

  #divide(column: number, code: number, from: number, to: number): number {
    const { codes } = this.#records.quasi[column]!
    let low = from
    let high = 0
    for (let at = from; at < to; at++) {
      const record = this.#order[at]!
      if (codes[record]! <= code) this.#order[low++] = record
      else this.#spare[high++] = record
    }
    this.#order.set(this.#spare.subarray(0, high), low)
    return low
  }

  #meets(regions: readonly [from: number, to: number, rows: number][]): boolean {
    const evaluation = this.#evaluation
    if (evaluation === null) return true
    return regions.every(([from, to, rows]) => evaluation.meets(this.#order.subarray(from, to), rows))
  }

  #rowsOf(from: number, to: number): number {
    let rows = 0
    for (let at = from; at < to; at++) rows += this.#records.weights[this.#order[at]!]!
    return rows
  }
}

/** How much of a column's values a region spans. */
class Span {
  readonly #codes: Uint32Array
  readonly #positions: Float64Array | null
  readonly #whole: number

  constructor(codes: Uint32Array, positions: Float64Array | null, order: Uint32Array) {
    this.#codes = codes
    this.#positions = positions
    this.#whole = 1
    this.#whole = this.measure(order, 0, order.length).share || 1
  }

  measure(order: Uint32Array, from: number, to: number): { least: number; greatest: number; share: number } {
    const codes = this.#codes
    let least = codes[order[from]!]!
    let greatest = least
    for (let at = from + 1; at < to; at++) {
      const code = codes[order[at]!]!
      if (code < least) least = code
      else if (code > greatest) greatest = code
    }
    const positions = this.#positions
    const span = positions === null ? greatest - least : positions[greatest]! - positions[least]!
    return { least, greatest, share: span / this.#whole }
  }
}

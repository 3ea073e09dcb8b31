import { Grouping } from './classes.js'
import type { AnonymizeConfig, PrivacyModel } from './config/config.js'
import { Evaluation } from './criteria/evaluate.js'
import { criteriaOf } from './criteria/model.js'
import { ANY } from './hierarchy/hierarchy.js'
import { averageClassSize } from './measures/average-class-size.js'
import { discernibility } from './measures/discernibility.js'
import { frequencies, nonUniformEntropy } from './measures/non-uniform-entropy.js'
import { partitionMondrian } from './search/mondrian.js'
import { type SearchOptions, searchOptimum } from './search/search.js'
import { countRows, type Records } from './table.js'

/** What is left out stands in this class. */
export const SUPPRESSED = 0xffffffff

/** A table anonymized: what each of its records is written as. */
export interface Anonymized {
  readonly rows: number
  readonly suppressed: number
  /** by record: its class, or `SUPPRESSED` */
  readonly of: Uint32Array
  /** rows of each class that is left */
  readonly sizes: Uint32Array
  /** people of the population in each class; null where it is not known */
  readonly population: Float64Array | null
  /** `labels[column][class]`: what is written; null is a missing value */
  readonly labels: readonly (readonly (string | null)[])[]
  /** the level of each column; null where each class has its own ranges */
  readonly levels: readonly number[] | null
  readonly search: { readonly nodes: number; readonly checked: number } | null
  /** distinct tuples of the table as it was, and their rows */
  readonly before: { readonly sizes: Uint32Array; readonly population: Float64Array | null }
  readonly utility: Utility
}

/** Measures of what is left, each 0 or least where nothing was changed. */
export interface Utility {
  /** bits that the cells lost; of all that they had, the share */
  readonly nonUniformEntropy: { readonly bits: number; readonly share: number }
  readonly discernibility: number
  readonly averageClassSize: number
}

/**
 * Anonymizes records by the configuration's method and measures what came of it.
 *
 * @throws SluiceError ANONYMITY_UNREACHABLE, CONFIG_INVALID, FILE_FORMAT (no rows), INTERRUPTED by the signal's reason
 */
export async function anonymizeRecords(
  records: Records,
  config: AnonymizeConfig,
  options: SearchOptions = {},
): Promise<Anonymized> {
  return config.method === 'optimal' ? optimal(records, config, options) : mondrian(records, config, options)
}

async function optimal(
  records: Records,
  config: AnonymizeConfig,
  options: SearchOptions,
): Promise<Anonymized> {
  const rows = countRows(records)
  const { levels, classes, failing, suppressed, nodes, checked } = await searchOptimum(
    records,
    config,
    options,
  )
  const bottom = new Grouping(records).bottom
  const of = classes.of()
  const renumbered = new Uint32Array(classes.count).fill(SUPPRESSED)
  const kept: number[] = []
  for (let index = 0; index < classes.count; index++) {
    if (failing[index] === 1 || classes.sizes[index] === 0) continue
    renumbered[index] = kept.length
    kept.push(index)
  }
  return {
    rows,
    suppressed,
    of: of.map(index => renumbered[index]!),
    sizes: Uint32Array.from(kept, index => classes.sizes[index]!),
    population: classes.population && Float64Array.from(kept, index => classes.population![index]!),
    labels: records.quasi.map(({ codes, hierarchy }, column) => {
      const level = levels[column]!
      return kept.map(
        index => hierarchy.labels[level]![hierarchy.codes[level]![codes[classes.representatives[index]!]!]!]!,
      )
    }),
    levels,
    search: { nodes, checked },
    before: { sizes: bottom.sizes, population: bottom.population },
    utility: {
      nonUniformEntropy: entropyShare(nonUniformEntropy(records).loss(classes, failing), records),
      discernibility: discernibility(rows).loss(classes, failing),
      averageClassSize: averageClassSize(rows, config.model.k).loss(classes, failing),
    },
  }
}

async function mondrian(
  records: Records,
  config: AnonymizeConfig,
  options: SearchOptions,
): Promise<Anonymized> {
  const rows = countRows(records)
  const { of, count, sizes } = await partitionMondrian(records, config, options)
  const bottom = new Grouping(records).bottom
  const ranges = records.quasi.map(({ codes }) => rangesOf(codes, of, count, records.weights))
  const nothing = new Uint8Array(count)
  const view = { sizes } as Parameters<ReturnType<typeof discernibility>['loss']>[0]
  return {
    rows,
    suppressed: 0,
    of: of.map((region, record) => (records.weights[record]! > 0 ? region : SUPPRESSED)),
    sizes,
    population: null,
    labels: records.quasi.map((column, index) => regionLabels(column, ranges[index]!)),
    levels: null,
    search: null,
    before: { sizes: bottom.sizes, population: null },
    utility: {
      nonUniformEntropy: entropyShare(rangeEntropy(records, ranges, sizes), records),
      discernibility: discernibility(rows).loss(view, nothing),
      averageClassSize: averageClassSize(rows, config.model.k).loss(view, nothing),
    },
  }
}

interface Ranges {
  readonly least: Uint32Array
  readonly greatest: Uint32Array
}

function rangesOf(codes: Uint32Array, of: Uint32Array, count: number, weights: Uint32Array): Ranges {
  const least = new Uint32Array(count).fill(SUPPRESSED)
  const greatest = new Uint32Array(count)
  for (let record = 0; record < codes.length; record++) {
    if (weights[record] === 0) continue
    const [region, code] = [of[record]!, codes[record]!]
    if (code < least[region]!) least[region] = code
    if (code > greatest[region]!) greatest[region] = code
  }
  return { least, greatest }
}

/** One value as it is; numbers and dates as a range; else the lowest label of the hierarchy that covers the region. */
function regionLabels(
  { hierarchy: { codes, labels }, positions }: Records['quasi'][number],
  { least, greatest }: Ranges,
): (string | null)[] {
  return Array.from(least, (low, region) => {
    const high = greatest[region]!
    const [from, to] = [labels[0]![low]!, labels[0]![high]!]
    if (low === high) return from
    if (positions !== null && from !== null && to !== null) return `[${from}, ${to}]`
    for (let level = 1; level < codes.length; level++) {
      const code = codes[level]![low]!
      let same = true
      for (let value = low + 1; value <= high && same; value++) same = codes[level]![value] === code
      if (same) return labels[level]![code]!
    }
    return ANY
  })
}

/** As the non-uniform entropy of a hierarchy, with the region's range for the label. */
function rangeEntropy({ quasi, weights }: Records, ranges: readonly Ranges[], sizes: Uint32Array): number {
  let bits = 0
  quasi.forEach(({ codes, hierarchy }, column) => {
    const counts = frequencies(codes, weights, hierarchy.labels[0]!.length)
    const sums = new Float64Array(counts.length + 1)
    for (let code = 0; code < counts.length; code++) {
      sums[code + 1] = sums[code]! + counts[code]!
      if (counts[code]! > 0) bits -= counts[code]! * Math.log2(counts[code]!)
    }
    const { least, greatest } = ranges[column]!
    for (let region = 0; region < sizes.length; region++) {
      bits += sizes[region]! * Math.log2(sums[greatest[region]! + 1]! - sums[least[region]!]!)
    }
  })
  return Math.max(0, bits)
}

/** Of the information that the cells had: what is lost where every row is generalized to anything. */
function entropyShare(bits: number, { quasi, weights }: Records): { bits: number; share: number } {
  const rows = weights.reduce((sum, weight) => sum + weight, 0)
  let most = 0
  for (const { codes, hierarchy } of quasi) {
    for (const count of frequencies(codes, weights, hierarchy.labels[0]!.length)) {
      if (count > 0) most += count * Math.log2(rows / count)
    }
  }
  return { bits, share: most === 0 ? 0 : bits / most }
}

/**
 * The names of the criteria that do not hold, found anew from the classes alone: what says whether a result passes
 * does not rest on the search.
 */
export function failedCriteria(
  records: Records,
  model: PrivacyModel,
  { of, sizes, population }: Anonymized,
): string[] {
  const left = of.map(index => (index === SUPPRESSED ? sizes.length : index))
  // what was left out, and who is only in the population, is a last class that nothing is asked of
  const classes = {
    levels: [],
    keys: [],
    count: sizes.length + 1,
    representatives: new Uint32Array(0),
    sizes: withNobody(sizes),
    population: population && Float64Array.from(withNobody(population)),
    of: () => left,
  }
  return criteriaOf(model, records)
    .filter(criterion => !new Evaluation(records, [criterion], 0).verdict(classes).passes)
    .map(({ name }) => name)
}

function withNobody(counts: Uint32Array | Float64Array): Uint32Array {
  const longer = new Uint32Array(counts.length + 1)
  longer.set(counts)
  return longer
}

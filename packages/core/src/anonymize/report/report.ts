import type { AnonymizeConfig, Role } from '../config/config.js'
import { heightOf } from '../hierarchy/hierarchy.js'
import type { Anonymized, Utility } from '../result.js'
import { failedCriteria } from '../result.js'
import { type PopulationUniqueness, populationUniqueness } from '../risk/population.js'
import { type Risk, riskOf } from '../risk/risk.js'
import type { Records } from '../table.js'

/**
 * What an anonymization did and what risk is left. It holds names of columns, counts and shares, never a value of the
 * data.
 */
export interface AnonymityReport {
  readonly format: 'sluice-anonymity-report/1'
  /** every criterion holds for every class of the output, checked anew on the classes */
  readonly passed: boolean
  /** names of the criteria that do not hold */
  readonly failed: readonly string[]
  readonly method: AnonymizeConfig['method']
  readonly model: AnonymizeConfig['model']
  readonly suppression: number
  /** what was least; null for a method that optimizes none */
  readonly measure: AnonymizeConfig['measure'] | null
  readonly columns: readonly {
    readonly name: string
    readonly role: Role
    /** the level it was generalized to, of so many above the values; null where it was not, or in ranges */
    readonly level: number | null
    readonly levels: number | null
  }[]
  readonly input: { readonly fingerprint: string | null; readonly rows: number }
  readonly output: { readonly fingerprint: string | null; readonly rows: number; readonly suppressed: number }
  readonly classes: { readonly before: ClassSummary; readonly after: ClassSummary }
  readonly risk: { readonly before: Risk | null; readonly after: Risk | null }
  /** null where the population's size is not given */
  readonly populationUniqueness: {
    readonly population: number
    readonly before: PopulationUniqueness
    readonly after: PopulationUniqueness
  } | null
  readonly utility: Utility
  readonly search: Anonymized['search']
}

export interface ClassSummary {
  readonly count: number
  readonly smallest: number
  readonly largest: number
  readonly average: number
  /** classes and their rows, by size */
  readonly sizes: readonly {
    readonly from: number
    readonly to: number | null
    readonly classes: number
    readonly rows: number
  }[]
}

/** @param fingerprints SHA-256 of input and output, hexadecimal */
export function anonymityReport(
  records: Records,
  config: AnonymizeConfig,
  result: Anonymized,
  fingerprints: { readonly input: string | null; readonly output: string | null },
): AnonymityReport {
  const failed = failedCriteria(records, config.model, result)
  const { populationRows } = config
  return {
    format: 'sluice-anonymity-report/1',
    passed: failed.length === 0,
    failed,
    method: config.method,
    model: config.model,
    suppression: config.suppression,
    measure: config.method === 'optimal' ? config.measure : null,
    columns: Object.entries(config.columns).map(([name, { role }]) => {
      const index = records.quasi.findIndex(column => column.name === name)
      const levels = index < 0 || result.levels === null ? null : heightOf(records.quasi[index]!.hierarchy)
      return { name, role, level: levels === null ? null : result.levels![index]!, levels }
    }),
    input: { fingerprint: fingerprints.input, rows: result.rows },
    output: {
      fingerprint: fingerprints.output,
      rows: result.rows - result.suppressed,
      suppressed: result.suppressed,
    },
    classes: { before: summaryOf(result.before.sizes), after: summaryOf(result.sizes) },
    risk: {
      before: riskOf(result.before.sizes, result.before.population),
      after: riskOf(result.sizes, result.population),
    },
    populationUniqueness:
      populationRows === null || populationRows <= result.rows
        ? null
        : {
            population: populationRows,
            before: populationUniqueness(result.before.sizes, populationRows),
            after: populationUniqueness(result.sizes, populationRows),
          },
    utility: result.utility,
    search: result.search,
  }
}

const EDGES = [1, 2, 3, 5, 10, 20, 50, 100, 1000, 10_000]

/** Classes without rows are not counted. */
export function summaryOf(sizes: ArrayLike<number>): ClassSummary {
  const bins = EDGES.map((from, at) => ({
    from,
    to: at + 1 < EDGES.length ? EDGES[at + 1]! - 1 : null,
    classes: 0,
    rows: 0,
  }))
  let [count, rows, smallest, largest] = [0, 0, Number.POSITIVE_INFINITY, 0]
  for (let index = 0; index < sizes.length; index++) {
    const size = sizes[index]!
    if (size === 0) continue
    count++
    rows += size
    smallest = Math.min(smallest, size)
    largest = Math.max(largest, size)
    let bin = bins.length - 1
    while (bins[bin]!.from > size) bin--
    bins[bin]!.classes++
    bins[bin]!.rows += size
  }
  return {
    count,
    smallest: count === 0 ? 0 : smallest,
    largest,
    average: count === 0 ? 0 : rows / count,
    sizes: bins,
  }
}

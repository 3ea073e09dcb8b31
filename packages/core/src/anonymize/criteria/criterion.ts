/** A class as a criterion sees it. */
export interface ClassView {
  /** rows */
  readonly size: number
  /** people of the population; NaN where it is not known */
  readonly population: number
  /** the sensitive values of the class, by the sensitive column's index */
  distribution(column: number): Distribution
}

/** How often each sensitive value occurs in a class. Valid until the next class is looked at. */
export interface Distribution {
  readonly size: number
  /** by code; 0 for those that do not occur */
  readonly counts: Float64Array
  /** the codes that occur */
  readonly codes: readonly number[]
}

export interface Criterion {
  /** as reports and errors name it */
  readonly name: string
  /**
   * What follows for larger classes. `superset`: a class that satisfies it does so with any rows added, so that rows
   * that have to be left out only become fewer up the lattice, whatever may be suppressed. `union`: two classes that
   * satisfy it do so together, but one of them together with one that does not may fail; up the lattice it stays true
   * only where nothing is suppressed.
   */
  readonly monotone: 'superset' | 'union'
  /** sensitive column that it looks at, if any */
  readonly column: number | null
  /** rows from which on it holds, where it asks for nothing else */
  readonly leastSize?: number
  satisfied(view: ClassView): boolean
}

/** A margin for sums of logarithms and of shares: a class that meets the bound exactly does meet it. */
export const MARGIN = 1e-9

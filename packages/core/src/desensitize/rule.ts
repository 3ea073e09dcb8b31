import { SluiceError } from '../errors.js'
import type { ScalarType } from '../plan/types.js'
import type { Column } from './column.js'

/**
 * What one kind of rule is, and how it is applied. Every kind has a file of its own in `rules/`, which exports the form
 * of its description (plain data, as a policy carries it: a strict zod object with `kind`) and this, and two lines in
 * `rules/registry.ts`.
 */
export interface RuleDefinition<R extends { readonly kind: string }> {
  /** does it need a secret key: such a rule is applied by the provider's own command, never by a scan */
  readonly keyed: boolean
  /** `chunk`: any run of rows by itself; `column`: all rows at once, so that memory grows with the column */
  readonly scope: 'chunk' | 'column'
  /** the column that says whose value it is, where the rule needs one */
  entityColumn?(rule: R): string
  /**
   * The type of the new column; null where the column is dropped.
   *
   * @throws SluiceError RULE_INVALID where the rule does not go with a column of that type (use `wrongType`)
   */
  resultType(rule: R, type: ScalarType): ScalarType | null
  /** Derives what is the same for all chunks (keys, tables), once. A library that weighs is imported in here. */
  bind(rule: R, binding: Binding): Applier | Promise<Applier>
}

/** What a rule may use beside the values. Nothing in here is read from files: who calls has done that. */
export interface Binding {
  readonly dataset: string
  readonly column: string
  readonly type: ScalarType
  /**
   * The secret of that name. Only keyed rules ask.
   *
   * @throws SluiceError KEY_INVALID where there is none of that name
   */
  key(name: string): Uint8Array
  /**
   * A two-or-more-column table of that name, first column to the others: hierarchies and dictionaries from files.
   *
   * @throws SluiceError FILE_MISSING where there is none of that name
   */
  table(name: string): ReadonlyMap<string, readonly string[]>
  /** random bytes; production's are the system's */
  random(size: number): Uint8Array
}

/** Applies a bound rule to a run of rows. It keeps nothing of them. */
export type Applier = (chunk: Column, position: ChunkPosition) => Applied

export interface ChunkPosition {
  /** the run's first row in the whole file, from 0; below 2^53 */
  readonly row: number
  /** the values of `entityColumn` for these rows, untouched by any rule; null where the rule names none */
  readonly entity: Column | null
}

/** The new column, as long as the old one, and what became of the values that were not null. */
export interface Applied {
  readonly column: Column
  readonly changed: number
  /** did not fit the rule, and became null */
  readonly hidden: number
  /** came out as they went in: what a generalization, a rounding or a permutation leaves as it was */
  readonly fixedPoints: number
}

/** What a rule did to a column: `rows = nulls + changed + hidden + fixedPoints`. */
export interface RuleCounts {
  readonly rows: number
  readonly nulls: number
  readonly changed: number
  readonly hidden: number
  readonly fixedPoints: number
}

/** The refusal of a rule on a column whose type it does not know. */
export function wrongType(kind: string, type: ScalarType, wanted: string): SluiceError {
  return new SluiceError('RULE_INVALID', `the rule ${kind} does not go with a column of type ${type.kind}`, {
    rule: `rule.${kind}.type`,
    remedy: `Put it on a column of ${wanted}.`,
  })
}

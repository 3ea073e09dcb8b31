import { AGGREGATES } from './translate/aggregate-table.js'
import { SCALAR_FUNCTIONS } from './translate/functions/table.js'

/** A function or operator of the dialect, as the documentation shows it. */
export interface FunctionReference {
  /** lower-case SQL name, or the operator as the parser calls it */
  readonly name: string
  readonly kind: 'scalar' | 'aggregate'
  readonly signature: string
  readonly meaning: string
}

/** Every function and operator that a query may use. */
export const SQL_FUNCTIONS: readonly FunctionReference[] = [
  ...[...SCALAR_FUNCTIONS].map(([name, { signature, meaning }]) => ({
    name,
    kind: 'scalar' as const,
    signature,
    meaning,
  })),
  ...[...AGGREGATES].map(([name, { signature, meaning }]) => ({
    name,
    kind: 'aggregate' as const,
    signature,
    meaning,
  })),
]

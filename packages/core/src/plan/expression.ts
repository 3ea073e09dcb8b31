import type { FunctionName } from './functions.js'
import type { ScalarType } from './types.js'

/** Names a column of a plan node's output. Unique in the whole plan, so that no scope has to be searched. */
export type ColumnId = number

/** The closed union of scalar expressions. Every expression carries its type; none holds text of a query. */
export type Expression = Literal | Parameter | ColumnReference | Call | Case | Cast | InList

export interface Literal {
  readonly kind: 'literal'
  readonly type: ScalarType
  /**
   * Booleans as themselves; numbers as decimal text (`-12`, `0.50`, `1.5e3`); dates, times and timestamps as ISO
   * 8601 (`2001-02-03`, `10:20:30.5`, `2001-02-03T10:20:30`); text as itself; null for a typed null.
   */
  readonly value: string | boolean | null
}

export interface Parameter {
  readonly kind: 'parameter'
  readonly type: ScalarType
  readonly name: string
}

export interface ColumnReference {
  readonly kind: 'column'
  readonly type: ScalarType
  readonly id: ColumnId
}

export interface Call {
  readonly kind: 'call'
  readonly type: ScalarType
  readonly function: FunctionName
  readonly arguments: readonly Expression[]
}

export interface Case {
  readonly kind: 'case'
  readonly type: ScalarType
  readonly branches: readonly { readonly when: Expression; readonly then: Expression }[]
  readonly otherwise: Expression
}

export interface Cast {
  readonly kind: 'cast'
  readonly type: ScalarType
  readonly argument: Expression
}

export interface InList {
  readonly kind: 'in'
  readonly type: ScalarType
  readonly argument: Expression
  /** literals and parameters only */
  readonly list: readonly Expression[]
}

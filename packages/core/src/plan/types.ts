/**
 * The type of a column or an expression. These are the types that every engine agrees on; a column of any other
 * type cannot be registered.
 */
export type ScalarType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly bits: 8 | 16 | 32 | 64 | 128; readonly signed: boolean }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'float'; readonly bits: 32 | 64 }
  | { readonly kind: 'text' }
  | { readonly kind: 'date' }
  | { readonly kind: 'time' }
  /** without time zone, in microseconds */
  | { readonly kind: 'timestamp' }

/** A column's name and type as a dataset's registration fixed them. */
export interface ColumnSchema {
  readonly name: string
  readonly type: ScalarType
}

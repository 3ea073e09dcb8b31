/** The engine whose semantics `duckdb/1` names. Another version is refused: its SELECT may mean something else. */
export const DUCKDB_VERSION = 'v1.5.6'

/** A value that is bound to a statement's `$name`, never text of it. As in the plan's `Literal`. */
export interface Binding {
  readonly name: string
  readonly value: string | boolean | null
}

/** What the parent tells the child. One at a time; each has one answer. */
export type Instruction =
  /** first: settings, the files that may be opened, then the lock */
  | {
      readonly kind: 'open'
      readonly threads: number
      readonly memoryBytes: number
      readonly temporary: { readonly directory: string; readonly bytes: number }
      readonly files: readonly string[]
      /** statements that make the views over the files */
      readonly statements: readonly string[]
    }
  | { readonly kind: 'execute'; readonly statements: readonly Statement[] }
  | {
      readonly kind: 'query'
      readonly statement: Statement
      readonly maximumRows: number
      readonly maximumBytes: number
    }
  /** begins a result that is read part by part, with `next`; another statement ends it */
  | { readonly kind: 'stream'; readonly statement: Statement }
  /** the next rows of the stream: no more begin after `rows` or `bytes`, and none is the end */
  | { readonly kind: 'next'; readonly rows: number; readonly bytes: number }
  /** makes a temporary table of one column of 32-bit unsigned integers, whose bytes follow as one frame */
  | { readonly kind: 'numbers'; readonly table: string; readonly count: number }
  /** makes a temporary table of an Arrow IPC file or stream */
  | { readonly kind: 'arrow'; readonly file: string; readonly table: string }

export interface Statement {
  readonly sql: string
  readonly bindings: readonly Binding[]
}

export type Answer =
  | { readonly kind: 'ready'; readonly version: string }
  | { readonly kind: 'done' }
  /** the columns' buffers follow as frames: of each column those that `ColumnForm` names, in that order */
  | { readonly kind: 'columns'; readonly rows: number; readonly columns: readonly ColumnForm[] }
  /** the file's columns; where a name is doubled or a type (by its index) is unsupported, there is no table */
  | { readonly kind: 'arrow'; readonly columns: readonly string[]; readonly unsupported: number | null }
  | { readonly kind: 'failed'; readonly failure: Failure }

/**
 * A column in the layout of Arrow's buffers (Arrow columnar format, "Physical Memory Layout"): a validity bitmap
 * where there are nulls, then values, or for text 32-bit offsets and UTF-8 bytes. Booleans are one byte each here.
 */
export interface ColumnForm {
  readonly name: string
  /** as DuckDB names it, such as `DECIMAL(38,2)` */
  readonly type: string
  readonly nulls: boolean
  /** bytes of each buffer that follows */
  readonly lengths: readonly number[]
}

/**
 * Why a statement failed, without any text of the engine: its messages carry values of the data. `line` is that of
 * a CSV file.
 */
export interface Failure {
  readonly reason: FailureReason
  readonly line: number | null
}

export const FAILURE_REASONS = [
  'memory',
  'disk',
  'conversion',
  'range',
  'input',
  'file',
  'bind',
  'size',
  'interrupt',
  'other',
] as const
export type FailureReason = (typeof FAILURE_REASONS)[number]

import { SluiceError } from '@sluice/core'
import type { Child } from '../isolation/child.js'
import {
  type Answer,
  type ColumnForm,
  DUCKDB_VERSION,
  FAILURE_REASONS,
  type Instruction,
} from './child/protocol.js'

export type { Binding, ColumnForm, Statement } from './child/protocol.js'

/** A result as it came over the pipe, its form checked against what was announced. */
export interface RawColumns {
  readonly rows: number
  readonly columns: readonly RawColumn[]
}

export interface RawColumn {
  readonly name: string
  /** as DuckDB names it */
  readonly type: string
  /** Arrow validity bitmap, null where there are no nulls */
  readonly validity: Uint8Array<ArrayBuffer> | null
  /** values of fixed width, or offsets and bytes of text */
  readonly buffers: readonly Uint8Array<ArrayBuffer>[]
}

export interface SessionSettings {
  readonly threads: number
  /** of the engine; lower than the ceiling from outside, so that it can spill before it dies */
  readonly memoryBytes: number
  readonly temporaryBytes: number
  /** names of files below the staging directory that the engine may open */
  readonly files: readonly string[]
  /** statements that make views over the files */
  readonly statements: readonly string[]
}

/** What a failure is called where nothing better is known; see `Session.fail`. */
export type FailureReason = (typeof FAILURE_REASONS)[number]

/** An engine's failure, before somebody who knows what was done names it. Carries no text of the engine. */
export class EngineFailure extends Error {
  readonly reason: FailureReason
  /** line of a CSV file */
  readonly line: number | null

  constructor(reason: FailureReason, line: number | null) {
    super(`engine failure: ${reason}`)
    this.reason = reason
    this.line = line
  }
}

/** Talks to one child. Everything that comes back is treated as written by an enemy: parsed once, here. */
export class Session {
  readonly #child: Child

  private constructor(child: Child) {
    this.#child = child
  }

  /** @throws SluiceError ENGINE_VERSION where the child loaded another DuckDB */
  static async open(child: Child, settings: SessionSettings): Promise<Session> {
    const session = new Session(child)
    const ready = await session.#answer()
    if (ready.kind !== 'ready') throw malformed()
    if (ready.version !== DUCKDB_VERSION) {
      throw new SluiceError('ENGINE_VERSION', `the engine is not DuckDB ${DUCKDB_VERSION}`, {
        remedy: 'Install the version of @duckdb/node-api that the lock file names.',
      })
    }
    await session.#done({
      kind: 'open',
      threads: settings.threads,
      memoryBytes: settings.memoryBytes,
      temporary: { directory: child.inside.tmp, bytes: settings.temporaryBytes },
      files: settings.files,
      statements: settings.statements,
    })
    return session
  }

  async execute(...statements: Extract<Instruction, { kind: 'execute' }>['statements']): Promise<void> {
    await this.#done({ kind: 'execute', statements })
  }

  /** Makes the temporary table `table` with one column `value`. */
  async numbers(table: string, numbers: Uint32Array): Promise<void> {
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
    await this.#done({ kind: 'numbers', table, count: numbers.length }, numbers.length === 0 ? [] : [bytes])
  }

  async query(
    statement: Extract<Instruction, { kind: 'query' }>['statement'],
    limits: { readonly maximumRows: number; readonly maximumBytes: number },
  ): Promise<RawColumns> {
    await this.#child.send({ kind: 'query', statement, ...limits })
    return this.#columns(limits.maximumRows)
  }

  /** Begins a result that is read part by part, with `next`. */
  async stream(statement: Extract<Instruction, { kind: 'stream' }>['statement']): Promise<void> {
    await this.#done({ kind: 'stream', statement })
  }

  /** The next rows of the stream, about so many at most; no rows are the end. */
  async next(rows: number, bytes: number): Promise<RawColumns> {
    await this.#child.send({ kind: 'next', rows, bytes })
    return this.#columns(rows + CHUNK_ROWS)
  }

  async #columns(maximumRows: number): Promise<RawColumns> {
    const answer = await this.#answer()
    if (answer.kind !== 'columns' || answer.rows > maximumRows) throw malformed()
    const columns: RawColumn[] = []
    for (const form of answer.columns) columns.push(await this.#column(form, answer.rows))
    return { rows: answer.rows, columns }
  }

  /**
   * Makes the temporary table `table` of an Arrow IPC file; answers its columns as the file has them, and which of
   * them has a type without counterpart: then there is no table.
   */
  async loadArrow(
    file: string,
    table: string,
  ): Promise<{ readonly columns: readonly string[]; readonly unsupported: number | null }> {
    await this.#child.send({ kind: 'arrow', file, table })
    const answer = await this.#answer()
    if (answer.kind !== 'arrow') throw malformed()
    return answer
  }

  async #column(form: ColumnForm, rows: number): Promise<RawColumn> {
    const buffers: Uint8Array<ArrayBuffer>[] = []
    for (const length of form.lengths)
      buffers.push(length === 0 ? new Uint8Array(0) : await this.#bytes(length))
    const validity = form.nulls ? (buffers.shift() ?? null) : null
    if (form.nulls && validity?.length !== Math.ceil(rows / 8)) throw malformed()
    return { name: form.name, type: form.type, validity, buffers }
  }

  async #bytes(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const frame = await this.#child.receive()
    if (frame.kind !== 'bytes' || frame.value.length !== length) throw malformed()
    return frame.value
  }

  async #done(instruction: Instruction, buffers: readonly Uint8Array[] = []): Promise<void> {
    await this.#child.send(instruction, buffers)
    if ((await this.#answer()).kind !== 'done') throw malformed()
  }

  async #answer(): Promise<Exclude<Answer, { kind: 'failed' }>> {
    const frame = await this.#child.receive()
    if (frame.kind !== 'json') throw malformed()
    const answer = parseAnswer(frame.value)
    if (answer.kind === 'failed') throw new EngineFailure(answer.failure.reason, answer.failure.line)
    return answer
  }
}

/** The codes of failures that mean the same whatever was done. */
export function failureError(failure: EngineFailure): SluiceError {
  switch (failure.reason) {
    case 'memory':
      return new SluiceError('MEMORY_EXCEEDED', 'the run needed more memory than it may use', {
        rule: 'memory',
        remedy: 'Group more coarsely, filter first, or have the operator raise the limit.',
      })
    case 'disk':
      return new SluiceError('DISK_FULL', 'the engine ran out of disk space for its temporary files', {
        remedy: 'Free disk space below the zone, or have the operator raise the limit.',
      })
    case 'size':
      return new SluiceError('RESULT_TOO_LARGE', 'the result has more rows or bytes than a result may have', {
        rule: 'output-size',
        remedy: 'Group more coarsely or filter first.',
      })
    case 'conversion':
    case 'range':
      return new SluiceError('ENGINE_FAILED', 'a value could not be computed: a conversion or an overflow', {
        rule: `engine.${failure.reason}`,
        remedy: 'Use a wider type, or a CASE that leaves out values that cannot be converted.',
      })
    default:
      return new SluiceError('ENGINE_FAILED', 'the engine could not run the plan', {
        rule: `engine.${failure.reason}`,
        remedy: 'Run sluice doctor; the data set may have to be registered again.',
      })
  }
}

const MAXIMUM_COLUMNS = 4096
/** rows of the engine's chunks, the last of which goes past what was asked for */
const CHUNK_ROWS = 2048
const MAXIMUM_LENGTH = 2 ** 32

function parseAnswer(value: unknown): Answer {
  const answer = record(value)
  switch (answer['kind']) {
    case 'ready':
      return { kind: 'ready', version: text(answer['version'], 64) }
    case 'done':
      return { kind: 'done' }
    case 'columns':
      return {
        kind: 'columns',
        rows: count(answer['rows'], MAXIMUM_LENGTH),
        columns: list(answer['columns'], MAXIMUM_COLUMNS).map(parseColumn),
      }
    case 'arrow':
      return {
        kind: 'arrow',
        columns: list(answer['columns'], MAXIMUM_COLUMNS).map(name => text(name, 4096)),
        unsupported: answer['unsupported'] === null ? null : count(answer['unsupported'], MAXIMUM_COLUMNS),
      }
    case 'failed': {
      const failure = record(answer['failure'])
      const reason = FAILURE_REASONS.find(known => known === failure['reason'])
      if (reason === undefined) throw malformed()
      const line = failure['line']
      return { kind: 'failed', failure: { reason, line: line === null ? null : count(line, 2 ** 52) } }
    }
    default:
      throw malformed()
  }
}

function parseColumn(value: unknown): ColumnForm {
  const column = record(value)
  const nulls = column['nulls']
  if (typeof nulls !== 'boolean') throw malformed()
  return {
    name: text(column['name'], 4096),
    type: text(column['type'], 64),
    nulls,
    lengths: list(column['lengths'], 3).map(length => count(length, MAXIMUM_LENGTH)),
  }
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed()
  return value as Record<string, unknown>
}

function list(value: unknown, maximum: number): unknown[] {
  if (!Array.isArray(value) || value.length > maximum) throw malformed()
  return value
}

function text(value: unknown, maximum: number): string {
  if (typeof value !== 'string' || value.length > maximum) throw malformed()
  return value
}

function count(value: unknown, maximum: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > maximum)
    throw malformed()
  return value
}

function malformed(): SluiceError {
  return new SluiceError('ENGINE_FAILED', 'the engine’s process sent what is no answer', {
    rule: 'child-protocol',
  })
}

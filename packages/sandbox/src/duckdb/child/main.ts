import { DuckDBInstance, type DuckDBPreparedStatement, type DuckDBResult } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import { encodeBytes, encodeJson, type Frame, FrameDecoder } from '../../isolation/frames.js'
import { appendNumbers } from './append.js'
import { type Collected, collect, collectSome } from './collect.js'
import { failureOf } from './failure.js'
import type { Answer, Binding, Instruction } from './protocol.js'

/**
 * The child's program: one DuckDB instance that does what the parent says, one instruction at a time, and dies with
 * its parent's end of the pipe. It holds no logic of its own: statements are made in the parent from a plan, so that
 * what runs here is what was reviewed, and nothing here is worth attacking but the engine.
 */
const CONFIGURATION = {
  autoload_known_extensions: 'false',
  autoinstall_known_extensions: 'false',
  allow_community_extensions: 'false',
  enable_object_cache: 'false',
}
const INPUT_BYTES = 8 * 1024 ** 3

const instance = await DuckDBInstance.create(':memory:', CONFIGURATION)
const connection = await instance.connect()
const decoder = new FrameDecoder({ jsonBytes: INPUT_BYTES, totalBytes: INPUT_BYTES })
const waiting: Frame[] = []
let wake: (() => void) | null = null
let streamed: DuckDBResult | null = null
// the parent is gone, or has what it wanted: nothing that still runs here matters
process.stdin.on('end', () => process.exit())
process.stdin.on('data', (chunk: Buffer) => {
  waiting.push(...decoder.push(chunk))
  wake?.()
})

send({ kind: 'ready', version: duckdb.library_version() })
for (;;) {
  const frame = await receive()
  if (frame.kind !== 'json') process.exit(1)
  try {
    await perform(frame.value as Instruction)
  } catch (error) {
    send({ kind: 'failed', failure: failureOf(error) })
  }
}

async function perform(instruction: Instruction): Promise<void> {
  switch (instruction.kind) {
    case 'open':
      await open(instruction)
      return send({ kind: 'done' })
    case 'execute':
      for (const { sql, bindings } of instruction.statements) await (await prepare(sql, bindings)).run()
      return send({ kind: 'done' })
    case 'query': {
      const { sql, bindings } = instruction.statement
      const result = await (await prepare(sql, bindings)).stream()
      return sendColumns(await collect(result, instruction.maximumRows, instruction.maximumBytes))
    }
    case 'stream': {
      const { sql, bindings } = instruction.statement
      streamed = await (await prepare(sql, bindings)).stream()
      return send({ kind: 'done' })
    }
    case 'next':
      if (streamed === null) throw new Error('there is no stream')
      return sendColumns(await collectSome(streamed, instruction.rows, instruction.bytes))
    case 'numbers': {
      const numbers = new Uint32Array((await receiveBytes()).buffer, 0, instruction.count)
      await appendNumbers(connection, instruction.table, numbers)
      return send({ kind: 'done' })
    }
    case 'arrow': {
      // Arrow is loaded for Arrow files only: it would cost every other child a tenth of a second
      const { loadArrow } = await import('./arrow.js')
      return send({ kind: 'arrow', ...(await loadArrow(connection, instruction)) })
    }
  }
}

/** The lock comes last; the views' files are opened before, so that a damaged one is told from a missing one. */
async function open(settings: Extract<Instruction, { kind: 'open' }>): Promise<void> {
  const values = { memory: mebibytes(settings.memoryBytes), spill: mebibytes(settings.temporary.bytes) }
  await connection.run(`SET threads = ${Math.floor(settings.threads)}`)
  await connection.run(`SET memory_limit = '${values.memory}'`)
  await connection.run(`SET temp_directory = ${text(settings.temporary.directory)}`)
  await connection.run(`SET max_temp_directory_size = '${values.spill}'`)
  await connection.run(`SET allowed_paths = [${settings.files.map(text).join(', ')}]`)
  await connection.run('SET enable_external_access = false')
  for (const sql of settings.statements) await connection.run(sql)
  await connection.run('SET lock_configuration = true')
}

function mebibytes(bytes: number): string {
  return `${Math.max(1, Math.floor(bytes / 2 ** 20))}MiB`
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/**
 * Binds those parameters that the statement has, each as text: the statement casts it to its type. A value's own
 * text is never part of a statement.
 */
async function prepare(sql: string, bindings: readonly Binding[]): Promise<DuckDBPreparedStatement> {
  const statement = await connection.prepare(sql)
  for (let index = 1; index <= statement.parameterCount; index++) {
    const binding = bindings.find(({ name }) => name === statement.parameterName(index))
    if (binding === undefined) throw new Error('a parameter without a value')
    if (binding.value === null) statement.bindNull(index)
    else if (typeof binding.value === 'boolean') statement.bindBoolean(index, binding.value)
    else statement.bindVarchar(index, binding.value)
  }
  return statement
}

async function receive(): Promise<Frame> {
  for (;;) {
    const frame = waiting.shift()
    if (frame) return frame
    await new Promise<void>(resolve => {
      wake = resolve
    })
  }
}

async function receiveBytes(): Promise<Uint8Array<ArrayBuffer>> {
  const frame = await receive()
  if (frame.kind !== 'bytes') process.exit(1)
  return frame.value
}

function sendColumns({ rows, columns, buffers }: Collected): void {
  send({ kind: 'columns', rows, columns })
  write(buffers.filter(buffer => buffer.length > 0).flatMap(encodeBytes))
}

function send(answer: Answer): void {
  write(encodeJson(answer))
}

/** Writes to a pipe are synchronous on Linux: the parent's pace is the child's. */
function write(parts: readonly Uint8Array[]): void {
  for (const part of parts) process.stdout.write(part)
}

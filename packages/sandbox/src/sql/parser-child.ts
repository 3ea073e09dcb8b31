import { type DuckDBConnection, DuckDBInstance, type DuckDBPreparedStatement } from '@duckdb/node-api'
import { encodeJson, FrameDecoder } from '../isolation/frames.js'
import type { Request, Response } from './parser/protocol.js'

/**
 * The gate's child process. It holds no data and opens no file: one empty DuckDB instance that parses, and a few
 * that have the tables' schemas and no rows. It can be killed at any moment.
 */
const CONFIGURATION = {
  enable_external_access: 'false',
  autoload_known_extensions: 'false',
  autoinstall_known_extensions: 'false',
  allow_community_extensions: 'false',
  memory_limit: '256MB',
  threads: '1',
}
const LOCK = ["SET disabled_filesystems = 'LocalFileSystem'", 'SET lock_configuration = true']
const CATALOGUES_KEPT = 4
const REQUEST_BYTES = 256 * 1024 * 1024

/** The only functions that a text from outside, or one that we emitted, ever reaches; it reaches them as a value. */
const SERIALIZE = 'SELECT system.main.json_serialize_sql($1::VARCHAR)'
const BIND =
  'SELECT system.main.json_serialize_plan($1::VARCHAR, skip_null := true, skip_empty := true, skip_default := true)'

interface Engine {
  readonly instance: DuckDBInstance
  readonly connection: DuckDBConnection
  readonly statement: DuckDBPreparedStatement
}

const catalogues = new Map<string, Engine>()

const parser = await open(SERIALIZE)
const decoder = new FrameDecoder({ jsonBytes: REQUEST_BYTES, totalBytes: Number.POSITIVE_INFINITY })
process.stdin.on('end', () => process.exit())
process.stdin.on('data', (chunk: Buffer) => {
  // the parent sends the next request when it has the answer to the last
  for (const { value } of decoder.push(chunk)) {
    answer(value as Request).then(send, (error: unknown) =>
      send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
    )
  }
})
const version = await parser.connection.runAndReadAll('SELECT system.main.version()')
send({ kind: 'ready', version: String(version.getRows()[0]?.[0]) })

async function answer(request: Request): Promise<Response> {
  if (request.kind === 'serialize') return { kind: 'json', json: await call(parser, request.text) }
  const engine = catalogues.get(request.catalogue) ?? (await build(request.catalogue, request.schema))
  if (engine === null) return { kind: 'unknown-catalogue' }
  // The one used last comes last, so that the first is the one to drop.
  catalogues.delete(request.catalogue)
  catalogues.set(request.catalogue, engine)
  return { kind: 'json', json: await call(engine, request.text) }
}

async function build(name: string, schema: readonly string[] | undefined): Promise<Engine | null> {
  if (schema === undefined) return null
  const engine = await open(BIND, schema)
  catalogues.set(name, engine)
  for (const [oldest, { instance, connection, statement }] of catalogues) {
    if (catalogues.size <= CATALOGUES_KEPT) break
    statement.destroySync()
    connection.closeSync()
    instance.closeSync()
    catalogues.delete(oldest)
  }
  return engine
}

/** A fresh instance with these tables and nothing else, locked. */
async function open(query: string, statements: readonly string[] = []): Promise<Engine> {
  const instance = await DuckDBInstance.create(':memory:', CONFIGURATION)
  const connection = await instance.connect()
  for (const statement of [...statements, ...LOCK]) await connection.run(statement)
  return { instance, connection, statement: await connection.prepare(query) }
}

async function call({ statement }: Engine, text: string): Promise<string> {
  statement.bindVarchar(1, text)
  const reader = await statement.runAndReadAll()
  return String(reader.getRows()[0]?.[0])
}

function send(response: Response): void {
  for (const part of encodeJson(response)) process.stdout.write(part)
}

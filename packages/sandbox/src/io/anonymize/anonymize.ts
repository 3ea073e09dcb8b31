import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, link, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SluiceError } from '@sluice/core'
import {
  type AnonymityReport,
  type AnonymizeConfig,
  type Anonymized,
  anonymityReport,
  anonymizeRecords,
  checkColumns,
  type HierarchyTable,
} from '@sluice/core/anonymize'
import type { Progress } from '@sluice/core/plan'
import { tableFromArrays, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import { createEnginePool } from '../../duckdb/pool.js'
import { EngineFailure, failureError, Session } from '../../duckdb/session.js'
import type { Child } from '../../isolation/child.js'
import { type Encoding, transcode } from '../encoding.js'
import { detectFormat, type FileFormat } from '../format.js'
import { makeScratch } from '../scratch.js'
import { requireFile, seal } from '../seal.js'
import { openSource, type Source } from '../source.js'
import { sourceError } from '../source-error.js'
import { readBatches } from '../table-reader.js'
import { writeTable } from '../table-writer.js'
import { readRecords, type Table } from './records.js'
import { outputStatements } from './statements.js'

export interface AnonymizeFileOptions {
  /** the table: Parquet, Arrow IPC or CSV, told by its content */
  readonly from: string
  readonly to: string
  readonly format: FileFormat
  /** of text files; UTF-8 where absent */
  readonly encoding?: Encoding
  /** replace `to` where it exists */
  readonly force?: boolean
  readonly config: AnonymizeConfig
  /** by column, where the configuration names a file */
  readonly hierarchies: ReadonlyMap<string, HierarchyTable>
  /** where the configuration names one */
  readonly population: string | null
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** of the engine */
  readonly memoryBytes?: number
  /** wall-clock limit */
  readonly milliseconds?: number
}

const SOURCE = 'source'
const POPULATION = 'population'
const CLASSES = 'classes.arrow'
const BYTES = 64 * 2 ** 30
const HOUR = 3_600_000

/**
 * Anonymizes a file into another. The engine reads, counts and writes in a child of its own, in bounded memory; this
 * process holds the distinct tuples of the named columns as numbers, not the rows. The output is written whole or not
 * at all, of mode 600, its rows in the order of their own contents, so that their place tells nothing.
 *
 * @throws SluiceError EXISTS, CONFIG_INVALID, NAME_UNKNOWN, HIERARCHY_INVALID, ANONYMITY_UNREACHABLE, FILE_MISSING,
 *   FILE_FORMAT, FILE_TOO_LARGE, SCHEMA_INVALID, MEMORY_EXCEEDED, DISK_FULL, TIME_EXCEEDED, INTERRUPTED
 */
export async function anonymizeFile(options: AnonymizeFileOptions): Promise<AnonymityReport> {
  const { from, to, force = false, population, signal, memoryBytes, milliseconds = HOUR } = options
  await requireDirectory(to)
  if (!force) await requireAbsent(to)
  for (const file of population === null ? [from] : [from, population]) await requireFile(file, BYTES)
  // beside the output, so that what is written gets its place by a rename
  const stagingRoot = await makeScratch(dirname(to))
  // the file's owner runs this over a file of their own
  const pool = createEnginePool({
    stagingRoot,
    minimum: 'process',
    warm: 0,
    ...(memoryBytes !== undefined && { memoryBytes }),
  })
  try {
    return await pool.run({ grade: '1', milliseconds, signal }, async child => {
      try {
        return await anonymizeIn(child, pool, options)
      } catch (error) {
        throw error instanceof EngineFailure ? failureError(error) : error
      }
    })
  } finally {
    await pool.close()
    await rm(stagingRoot, { recursive: true, force: true })
  }
}

async function anonymizeIn(
  child: Child,
  pool: { readonly threads: number; readonly engineMemoryBytes: number },
  options: AnonymizeFileOptions,
): Promise<AnonymityReport> {
  const { config, population, signal, onProgress, format } = options
  const progress = (stage: string) => onProgress?.({ stage })
  const inside = (name: string) => `${child.inside.in}/${name}`
  const staged = (name: string) => join(child.staging.path, 'in', name)
  const output = `${child.inside.out}/${OUTPUT}`
  progress('copy')
  const { encoding = 'utf-8' } = options
  const stage = (path: string, name: string) =>
    encoding === 'utf-8' ? child.staging.copy(path, name) : transcode(path, staged(name), encoding, signal)
  await stage(options.from, SOURCE)
  if (population !== null) await stage(population, POPULATION)
  const session = await Session.open(child, {
    threads: pool.threads,
    memoryBytes: pool.engineMemoryBytes,
    temporaryBytes: 4 * BYTES,
    files: [...[SOURCE, POPULATION, CLASSES].map(inside), output],
    statements: [],
  })
  progress('read')
  const [input, table] = await Promise.all([
    fingerprint(staged(SOURCE)),
    openTable(session, config, inside(SOURCE), staged(SOURCE)),
  ])
  const people = population === null ? null : () => openFile(session, inside(POPULATION), staged(POPULATION))
  progress('encode')
  const records = await readRecords(session, table, people, options)
  const result = await anonymizeRecords(records, config, { signal, onProgress })
  progress('write')
  await session.numbers('assigned', result.of)
  await writeFile(staged(CLASSES), classesFile(result), { mode: 0o600 })
  await session.loadArrow(inside(CLASSES), 'classes')
  for (const sql of outputStatements(table, config, result, output, format)) {
    await session.execute({ sql, bindings: [] })
  }
  const made = join(child.staging.path, 'out', OUTPUT)
  const whole = format === 'arrow' ? await arrowOf(session, output, made, signal) : made
  await child.stop()
  signal?.throwIfAborted()
  const written = await place(whole, dirname(child.staging.path), options)
  return anonymityReport(records, config, result, { input, output: written })
}

const OUTPUT = 'anonymized'

/** The Parquet file that the engine wrote, again as an Arrow IPC stream; answers its path. */
async function arrowOf(
  session: Session,
  inside: string,
  outside: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const path = `${outside}.arrow`
  const { from, columns } = await openSource(session, 'parquet', inside, outside)
  await writeTable(path, async (_, begin) => {
    const writer = await begin({ format: 'arrow', columns, ...(signal && { signal }) })
    for await (const batch of readBatches(session, from, columns)) await writer.write(batch)
    await writer.finish()
  })
  return path
}

/** The table with its columns as the configuration names them. */
async function openTable(
  session: Session,
  config: AnonymizeConfig,
  inside: string,
  outside: string,
): Promise<Table> {
  const { from, columns } = await openFile(session, inside, outside)
  checkColumns(
    config,
    columns.map(({ name }) => name),
  )
  return { from, columns: columns.map(column => ({ ...column, role: config.columns[column.name]!.role })) }
}

/** A file that cannot be read is at fault itself. */
async function openFile(session: Session, inside: string, outside: string): Promise<Source> {
  const format = await detectFormat(outside)
  try {
    return await openSource(session, format, inside, outside)
  } catch (error) {
    throw error instanceof EngineFailure ? sourceError(error, format) : error
  }
}

/** What is written for each class; a column a quasi-identifier. */
function classesFile({ labels, sizes }: Anonymized): Uint8Array {
  const columns = labels.map((own, index) => [`l${index}`, vectorFromArray(own, new Utf8())] as const)
  const numbers = Uint32Array.from(sizes, (_, index) => index)
  return tableToIPC(tableFromArrays({ class: numbers, ...Object.fromEntries(columns) }), 'stream')
}

/** Puts the file where it was wanted; answers its SHA-256. */
async function place(
  written: string,
  scratch: string,
  { to, force = false }: AnonymizeFileOptions,
): Promise<string> {
  const sealed = await seal(written, scratch, 'sealed', BYTES)
  try {
    if (force) await rename(sealed.path, to)
    else await link(sealed.path, to)
    return sealed.fingerprint
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? exists(to) : error
  } finally {
    await rm(sealed.path, { force: true })
  }
}

/** Staging would make it otherwise. */
async function requireDirectory(file: string): Promise<void> {
  await access(dirname(file)).catch((cause: unknown) => {
    throw new SluiceError('FILE_MISSING', `${file} cannot be written: its directory is not there`, {
      remedy: 'Check that its directory exists and that you may write there.',
      cause,
    })
  })
}

async function requireAbsent(path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  )
  if (there) throw exists(path)
}

function exists(path: string): SluiceError {
  return new SluiceError('EXISTS', `${path} exists already`, {
    remedy: 'Choose another path, or add --force to replace it.',
  })
}

async function fingerprint(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) digest.update(chunk as Buffer)
  return digest.digest('hex')
}

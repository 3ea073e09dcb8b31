import { constants } from 'node:fs'
import { access, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSluiceError, SluiceError } from '@sluice/core'
import type { PsiStoredItems } from '@sluice/mpc'
import type { PsiItems, PsiJob } from '@sluice/mpc/psi'
import type { TableFile } from '@sluice/sandbox/table'
import type { Context } from '../context.js'
import { writeError } from '../output/file.js'
import type { HeldTable } from './held-table.js'

/** What a party brings: its file, and which of its columns the job’s are. */
export interface PsiInput {
  readonly file: string
  /** in the job’s order */
  readonly key: readonly string[]
  /** the column that is totalled, where it is this party’s; the job’s name where it is not said */
  readonly sum?: string
  /** which file it was when it was read first: another one of its name is not read on */
  readonly first: { version?: string }
}

/** The input as options name it; undefined for a helper and for the owner of a prepared set. @throws SluiceError USAGE */
export function inputOf(
  job: PsiJob,
  party: string,
  options: { readonly input?: string; readonly key?: readonly string[]; readonly sum?: string },
): PsiInput | undefined {
  const { input: file, key = [] } = options
  if (options.sum !== undefined && job.sum?.owner !== party) {
    throw new SluiceError('USAGE', 'no column of this party is totalled', {
      remedy: 'Leave --sum away.',
    })
  }
  if (party === job.helper || party === job.prepared?.owner) {
    if (file === undefined) return undefined
    const message =
      party === job.helper
        ? 'the helper brings no set'
        : 'the owner of a prepared set answers with its key alone'
    throw new SluiceError('USAGE', message, { remedy: 'Leave --input away.' })
  }
  if (file !== undefined && key.length === job.key.length) {
    const sum = job.sum?.owner === party ? (options.sum ?? job.sum.column) : undefined
    return { file, key, ...(sum !== undefined && { sum }), first: {} }
  }
  throw new SluiceError('USAGE', `this party brings a set; number of columns in its key: ${job.key.length}`, {
    remedy:
      'Name its file with --input FILE, and each column of the key with --key COLUMN, in the job’s order.',
  })
}

/** Reads the keys of a Parquet, CSV or Arrow file, batch by batch. Of a CSV file, they are the text that stands there. */
export function readItems(context: Context, job: PsiJob, input: PsiInput): Promise<PsiItems> {
  return withInput(context, input, async (table, unchanged) => {
    const items = await itemsOf(context, job, input, table)
    await unchanged()
    return items
  })
}

/** The same of a table that is open. */
export async function itemsOf(
  context: Context,
  job: PsiJob,
  input: PsiInput,
  table: TableFile,
): Promise<PsiItems> {
  const { readPsiItems } = await import('@sluice/mpc/psi')
  const { file, key, sum } = input
  const select = selected(input)
  requireColumns(table, file, select)
  const columns = { key, ...(sum !== undefined && { sum }) }
  return readPsiItems(job, table.batches(select, asText(table, select)), columns, context.signal)
}

function selected({ key, sum }: PsiInput): string[] {
  return [...new Set([...key, ...(sum === undefined ? [] : [sum])])]
}

/** Where what is kept of a large set lies, and whose it is. */
export interface KeptBy {
  readonly party: string
  /** the party’s ledger: the key of what is kept lies in its directory */
  readonly ledger: string
  readonly scratch: string | undefined
  /** the input, where it is open already */
  readonly held?: HeldTable | undefined
}

/**
 * A party’s set for as long as it is used: in memory or, for a job that goes in buckets, on disk. What was read onto disk is
 * kept where the same command is to go on.
 */
export async function withItems<T>(
  context: Context,
  job: PsiJob,
  input: PsiInput | undefined,
  by: KeptBy,
  use: (items: PsiItems | PsiStoredItems | undefined) => Promise<T>,
): Promise<T> {
  const { goesInBuckets } = await import('@sluice/mpc/psi')
  if (input === undefined) return use(undefined)
  if (!goesInBuckets(job)) return use(await readItems(context, job, input))
  const items = await storeItems(context, job, input, by)
  try {
    const used = await use(items)
    await items.remove()
    return used
  } catch (error) {
    await (brokenOff(error, context.signal) ? items.close() : items.remove())
    throw error
  }
}

/** Ends after which the same command goes on. */
export function brokenOff(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (isSluiceError(error) && BROKEN_OFF.has(error.code))
}

const BROKEN_OFF = new Set([
  'PEER_AWAY',
  'PEER_LOST',
  'PEER_STOPPED',
  'TIME_EXCEEDED',
  'INTERRUPTED',
  'DISK_FULL',
])

/** A folder for temporary files. @throws SluiceError FILE_MISSING where nobody may write to it */
export async function folderFor(context: Context, named: string): Promise<string> {
  const folder = context.path(named)
  await access(folder, constants.W_OK).catch(cause => {
    throw writeError(folder, cause)
  })
  return folder
}

async function storeItems(
  context: Context,
  job: PsiJob,
  input: PsiInput,
  { party, ledger, scratch, held }: KeptBy,
): Promise<PsiStoredItems> {
  const [{ PsiStoredItems }, { contentDigest }, { makeNamedDirectory }] = await Promise.all([
    import('@sluice/mpc'),
    import('@sluice/sandbox/table'),
    import('@sluice/ledger/files'),
  ])
  const folder = await folderFor(context, scratch ?? dirname(input.file))
  await makeNamedDirectory(ledger, 0o700)
  const keys = join(ledger, 'kept')
  const store = async (table: TableFile, unchanged: () => Promise<void>) => {
    const { key, sum } = input
    const select = selected(input)
    requireColumns(table, input.file, select)
    const text = asText(table, select)
    return PsiStoredItems.resume(job, from => table.batches(select, text, undefined, from), key, {
      ...{ party, keys, scratch: folder, unchanged, signal: context.signal },
      ...(sum !== undefined && { sum }),
      input: await contentDigest(context.path(input.file), context.signal),
      onProgress: rows =>
        context.progress.report({ stage: 'read', fraction: rows / Math.max(1, table.rows) }),
    })
  }
  return held === undefined ? withInput(context, input, store) : withHeld(input, held, store)
}

/**
 * The input’s table. All readings of one command are of one file: rows are told by their number, which in another file of
 * the same name are others.
 *
 * @param use gets, beside it, what refuses a file that was changed since; to be called when its rows are read
 * @throws SluiceError FINGERPRINT_MISMATCH where the file was changed or exchanged since it was first read
 */
export async function withInput<T>(
  context: Context,
  { file, first }: PsiInput,
  use: (table: TableFile, unchanged: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const { fileVersion, requireVersion } = await import('@sluice/sandbox/table')
  const path = context.path(file)
  first.version ??= await fileVersion(path)
  const unchanged = () => requireVersion(path, first.version!)
  await unchanged()
  return withTable(context, file, table => use(table, unchanged))
}

/** The same of one that is open, and stays so, at rest. */
export async function withHeld<T>(
  { first }: PsiInput,
  { opened }: HeldTable,
  use: (table: TableFile, unchanged: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const table = await opened
  // what is read elsewhere in the same command is of the file that is held
  first.version = table.version
  const used = await use(table, () => table.unchanged())
  await table.rest()
  return used
}

export async function withTable<T>(
  context: Context,
  file: string,
  use: (table: TableFile) => Promise<T>,
  onStart?: () => void,
): Promise<T> {
  const [{ readTable }, { scratchPath }] = await Promise.all([
    import('@sluice/sandbox/table'),
    import('@sluice/sandbox/scratch'),
  ])
  const path = context.path(file)
  // what a killed process leaves there goes with the next one
  const staging = await scratchPath(dirname(path))
  try {
    const options = { staging, signal: context.signal, ...(onStart && { onStart }) }
    return await readTable(path, options, use)
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

export function requireColumns(table: TableFile, file: string, names: readonly string[]): void {
  const there = new Set(table.columns.map(({ name }) => name))
  for (const wanted of names) {
    if (there.has(wanted)) continue
    throw new SluiceError('NAME_UNKNOWN', `${file} has no column "${wanted}"`, {
      rule: 'psi.key',
      remedy: `Name one of ${[...there].map(name => `"${name}"`).join(', ')}.`,
    })
  }
}

/** Types of a CSV file are guessed: a number with leading zeros is a text, and stays one. */
export function asText(table: TableFile, names: readonly string[]): ReadonlySet<string> {
  return new Set(table.format === 'csv' ? names : [])
}

import { createCipheriv, createHash, hash, hkdfSync } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, open, rename } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { isSluiceError, SluiceError } from '@sluice/core'
import { nodeFiles } from '@sluice/ledger/files'
import type { Table } from 'apache-arrow'
import { distinct } from '../../psi/hash-index.js'
import { ITEM_BYTES, type ItemHashes, itemHashes } from '../../psi/item-hash.js'
import { keyColumns, keysOf } from '../../psi/keys.js'
import { evaluateItems, type PreparedKey, publicHalf } from '../../psi/prepared.js'
import {
  bucketAt,
  bucketBits,
  decodeHead,
  encodeHead,
  indexOf,
  MAXIMUM_PREPARED,
  type PreparedColumns,
  preparedDigest,
  VALUE_BYTES,
} from '../../psi/prepared-layout.js'
import { loadRistretto } from '../../psi/ristretto.js'
import { withFileErrors } from '../file-errors.js'
import { Evaluators, stopped } from './evaluators.js'
import { byPart, Work } from './work.js'

type Batches = AsyncIterable<Table> | Iterable<Table>

export interface PrepareOptions {
  readonly key: PreparedKey
  /** RFC 3339, UTC: when the key is to be rotated */
  readonly expires: string
  /** the columns of an item, by the names that jobs use, and how each is brought to one form */
  readonly columns: PreparedColumns
  /** the input's names of these columns, in their order */
  readonly names: readonly string[]
  /** digest of the input: a preparation goes on with this one alone */
  readonly input: string
  /**
   * opens the input, says how many rows it has and hands them over, batch by batch; not called where a preparation goes
   * on that has read all of it
   */
  readonly read: (use: (rows: number, batches: Batches) => Promise<number>) => Promise<number>
  /** the file that is made; working files lie in a folder of its name and `.work` until it is */
  readonly out: string
  /** replace a file that exists */
  readonly force?: boolean
  /** the number of values is padded to a multiple of this; default 1 */
  readonly step?: number
  /** default: all cores */
  readonly threads?: number
  readonly signal?: AbortSignal
  /** called when all is ready, before the file appears: to record it */
  readonly onReady?: (prepared: Prepared) => Promise<void>
  readonly onProgress?: (stage: 'read' | 'evaluate' | 'write', fraction: number) => void
}

export interface Prepared {
  /** names the file, 64 hexadecimal digits */
  readonly digest: string
  /** values, those that only pad included */
  readonly count: number
  /** different keys of the input */
  readonly items: number
  /** the public half of the key */
  readonly key: string
}

/**
 * Prepares a large set once, so that small ones can be tested against it in as much time as they need themselves:
 * reads it into encrypted parts on disk, evaluates part by part on threads, and writes the values, ordered, into one
 * file, which anybody may have. A process that is killed, however, goes on with the next call for the same input and
 * key and loses the parts it was at. Memory is 12 bytes an item and some megabytes a thread.
 *
 * One input, key and step make the same file each time: what pads is derived from the key.
 *
 * @throws SluiceError SCHEMA_INVALID, NAME_UNKNOWN, PARAMETER_INVALID (no key at all, or too many), EXISTS, LOCKED,
 *   DISK_FULL, FILE_MISSING, FINGERPRINT_MISMATCH (a working file was changed), ENGINE_KILLED, INTERRUPTED
 */
export async function prepareSet(options: PrepareOptions): Promise<Prepared> {
  const { key, expires, columns, out, signal, onProgress } = options
  const half = publicHalf(key, await loadRistretto())
  const work = await Work.open(`${out}.work`, key)
  let isRead = false
  try {
    const plan = { set: key.set, key: half, columns, names: options.names, input: options.input }
    const parts = (await work.partsOf(plan)) ?? (await readInto(work, plan, options))
    isRead = true
    await evaluate(work, parts, options)
    onProgress?.('write', 0)
    const { values, ends, items } = await ordered(work, parts, options)
    const index = indexOf(values, ends)
    const line = encodeHead({
      set: key.set,
      key: half,
      epoch: key.epoch,
      expires,
      columns,
      count: values.length / VALUE_BYTES,
      bits: bucketBits(values.length / VALUE_BYTES),
      index: hash('sha256', index, 'hex'),
    })
    stopIfAborted(signal)
    const { head } = decodeHead(line)
    const prepared = { digest: preparedDigest(head), count: head.count, items, key: half }
    await options.onReady?.(prepared)
    await place(work.file('whole'), [line, index, values], options)
    await work.remove()
    return prepared
  } catch (error) {
    // where it was not read to its end, or is of no use, there is nothing to go on with
    if (!isRead || (isSluiceError(error) && error.code === 'PARAMETER_INVALID')) await work.remove()
    throw error
  } finally {
    await work.release()
  }
}

/** SHA-256 of a file, 64 hexadecimal digits. @throws SluiceError FILE_MISSING, INTERRUPTED */
export async function fingerprintFile(path: string, signal?: AbortSignal): Promise<string> {
  const digest = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      stopIfAborted(signal)
      digest.update(chunk as Uint8Array)
    }
  } catch (cause) {
    if (isSluiceError(cause)) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new SluiceError('FILE_MISSING', `${path} cannot be read (${code})`, {
      remedy: 'Check the path.',
      cause,
    })
  }
  return digest.digest('hex')
}

/** How long the evaluation of so many items takes here, in seconds: measured on some, in milliseconds, and multiplied. */
export async function estimatePreparation(items: number, threads = availableParallelism()): Promise<number> {
  const group = await loadRistretto()
  const [scalar, sample] = [group.randomScalar(), new Uint8Array(SAMPLE * ITEM_BYTES)]
  evaluateItems(scalar, sample, group)
  const start = performance.now()
  evaluateItems(scalar, sample, group)
  return (((performance.now() - start) / 1000 / SAMPLE) * items) / threads
}

const SAMPLE = 100
/** a part takes a thread some seconds, and is what a process that is killed loses */
const PART_ITEMS = 16_384
const MAXIMUM_PARTS = 1024

function partsFor(rows: number): number {
  return Math.min(MAXIMUM_PARTS, Math.max(1, Math.ceil(rows / PART_ITEMS)))
}

async function readInto(work: Work, plan: object, options: PrepareOptions): Promise<number> {
  const { key, columns, names, signal, onProgress } = options
  const parts = await options.read(async (rows, batches) => {
    const writers = Array.from({ length: partsFor(rows) }, (_, part) => work.itemsWriter(part))
    let read = 0
    for await (const batch of batches) {
      stopIfAborted(signal)
      const { messages } = keysOf(keyColumns(batch, columns, names))
      const pieces = byPart(itemHashes(messages, key.set), writers.length)
      for (const [part, piece] of pieces.entries()) if (piece.length > 0) await writers[part]!.add(piece)
      read += batch.numRows
      onProgress?.('read', read / Math.max(1, rows))
    }
    for (const writer of writers) await writer.end()
    return writers.length
  })
  await requireSize(work, parts, options)
  await work.begin(plan, parts)
  return parts
}

/** Before hours of evaluation, and before there is anything to go on with. */
async function requireSize(work: Work, parts: number, { step }: PrepareOptions): Promise<void> {
  let items = 0
  for (let part = 0; part < parts; part++)
    items += distinct(await work.items(part)).hashes.length / ITEM_BYTES
  paddedCount(items, step)
}

/** @throws SluiceError PARAMETER_INVALID where a set of so many items cannot be prepared */
function paddedCount(items: number, step = 1): number {
  const count = Math.ceil(items / step) * step
  if (items === 0 || count > MAXIMUM_PREPARED) throw wrongSize(items)
  return count
}

async function evaluate(work: Work, parts: number, { key, threads, signal, onProgress }: PrepareOptions) {
  const left: number[] = []
  for (let part = 0; part < parts; part++) if (!(await work.isDone(part))) left.push(part)
  let done = parts - left.length
  if (left.length === 0) return
  async function* pieces(): AsyncGenerator<{ readonly part: number; readonly hashes: ItemHashes }, void> {
    for (const part of left) yield { part, hashes: distinct(await work.items(part)).hashes }
  }
  onProgress?.('evaluate', done / parts)
  const evaluators = new Evaluators(key.scalar, Math.min(left.length, threads ?? availableParallelism()))
  try {
    const finish = async ({ part }: { readonly part: number }, values: Uint8Array): Promise<void> => {
      await work.finish(part, values)
      onProgress?.('evaluate', ++done / parts)
    }
    await evaluators.each(pieces(), finish, signal)
  } finally {
    await evaluators.close()
  }
}

/** All values by bucket, and in each ascending: nothing of the input's order is left. */
async function ordered(work: Work, parts: number, options: PrepareOptions) {
  const { key, step, signal, onProgress } = options
  let items = 0
  for (let part = 0; part < parts; part++) items += (await work.values(part)).length / VALUE_BYTES
  const count = paddedCount(items, step)
  const bits = bucketBits(count)
  const ends = new Uint32Array(2 ** bits)
  const padding = paddingOf(key, count - items)
  async function* chunks() {
    for (let part = 0; part < parts; part++) yield await work.values(part)
    yield padding
  }
  for await (const chunk of chunks()) {
    for (let at = 0; at < chunk.length; at += VALUE_BYTES) ends[bucketAt(chunk, at, bits)]!++
  }
  for (let bucket = 1; bucket < ends.length; bucket++) ends[bucket]! += ends[bucket - 1]!
  const values = new Uint8Array(count * VALUE_BYTES)
  const next = Uint32Array.from(ends, (_, bucket) => (bucket === 0 ? 0 : ends[bucket - 1]!))
  for await (const chunk of chunks()) {
    for (let at = 0; at < chunk.length; at += VALUE_BYTES) {
      const place = next[bucketAt(chunk, at, bits)]!++
      for (let i = 0; i < VALUE_BYTES; i++) values[place * VALUE_BYTES + i] = chunk[at + i]!
    }
  }
  for (let bucket = 0; bucket < ends.length; bucket++) {
    if (bucket % 256 === 0) {
      stopIfAborted(signal)
      onProgress?.('write', bucket / ends.length)
      await new Promise(setImmediate)
    }
    const start = bucket === 0 ? 0 : ends[bucket - 1]!
    sort(values.subarray(start * VALUE_BYTES, ends[bucket]! * VALUE_BYTES))
  }
  return { values, ends, items }
}

function sort(values: Uint8Array): void {
  const count = values.length / VALUE_BYTES
  const view = new DataView(values.buffer, values.byteOffset, values.length)
  const words = new Uint32Array(count * 3)
  for (let i = 0; i < words.length; i++) words[i] = view.getUint32(i * 4)
  const order = Uint32Array.from({ length: count }, (_, i) => i * 3)
  order.sort(
    (a, b) => words[a]! - words[b]! || words[a + 1]! - words[b + 1]! || words[a + 2]! - words[b + 2]!,
  )
  order.forEach((from, to) => {
    for (let i = 0; i < 3; i++) view.setUint32((to * 3 + i) * 4, words[from + i]!)
  })
}

/**
 * Values that are those of no item, as random as the others to whoever has not the key: AES-256 in counter mode. The same
 * under one key each time: of two files of nearly one set, what is in both would else be true items alone, and whoever
 * has both could count them.
 */
function paddingOf({ set, scalar }: PreparedKey, count: number): Uint8Array {
  const salt = Buffer.from(set, 'hex')
  const secret = new Uint8Array(hkdfSync('sha256', scalar, salt, 'sluice-psi-set/1 padding', 32))
  return createCipheriv('aes-256-ctr', secret, Buffer.alloc(16)).update(new Uint8Array(count * VALUE_BYTES))
}

/** The whole file under its name, or none. */
async function place(
  path: string,
  pieces: readonly Uint8Array[],
  { out, force }: PrepareOptions,
): Promise<void> {
  await withFileErrors(out, async () => {
    const file = await open(path, 'w', 0o600)
    try {
      for (const piece of pieces) await file.writeFile(piece)
      await file.sync()
    } finally {
      await file.close()
    }
    if (force) await rename(path, out)
    else await appear(path, out)
    await nodeFiles.syncDirectory(dirname(out))
  })
}

/** A link is made only where nothing has the name; not every file system has links. */
async function appear(path: string, out: string): Promise<void> {
  try {
    await link(path, out)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return rename(path, out)
    throw new SluiceError('EXISTS', `${out} exists already`, {
      remedy: 'Choose another path, or add --force to replace it.',
    })
  }
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw stopped()
}

function wrongSize(items: number): SluiceError {
  return new SluiceError(
    'PARAMETER_INVALID',
    items === 0
      ? 'the input has no key at all'
      : `the input has more than ${MAXIMUM_PREPARED} different keys, as padded`,
    {
      rule: 'psi.size',
      remedy: items === 0 ? 'Check the file and its key column.' : 'Prepare it as several sets.',
    },
  )
}

import { readdir, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { PredicateKind } from '../entries/predicates.js'
import { cosigners, type ReadCheckpoint, readCheckpoint, verifyLog } from './checkpoint.js'
import { Entries } from './entries.js'
import { checkOtherTiles, checkUpperTiles } from './files.js'
import { type Pool, startPool } from './pool.js'
import type { Principal } from './principals.js'
import type { ScannedBundle } from './scan.js'
import { rootOf } from './tree.js'
import { type Trust, type TrustedKeys, trustedKeys } from './trust.js'

export interface VerifyOptions {
  readonly trust: Trust
  /** the text of the last checkpoint that was seen, kept outside of the zone */
  readonly since?: string
  /** `tree`: hashes and checkpoints, no signatures of entries, no rules; default `full` */
  readonly depth?: 'tree' | 'full'
  /** threads; default as many as the machine has cores, and none for a small ledger */
  readonly threads?: number
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  readonly signal?: AbortSignal
}

export interface Witnessed {
  readonly size: number
  /** names of trusted witnesses, and when they say they saw it (ISO 8601) */
  readonly by: readonly { readonly name: string; readonly time: string }[]
}

/** What holds of a ledger that verifies. */
export interface LedgerReport {
  readonly origin: string
  readonly size: number
  /** base64 */
  readonly root: string
  /** when the log says that it signed the checkpoint, ISO 8601 */
  readonly time: string
  /** keep it: the next verification takes it as `since` */
  readonly checkpoint: string
  /** checkpoints that a trusted witness has cosigned, ascending */
  readonly witnessed: readonly Witnessed[]
  /** trusted witnesses of the newest checkpoint */
  readonly witnessedBy: readonly string[]
  /** entries that no trusted witness has seen; null: none */
  readonly unwitnessed: { readonly from: number; readonly to: number } | null
  /** empty where only the tree was verified */
  readonly entriesByKind: Readonly<Partial<Record<PredicateKind, number>>>
  readonly principals: readonly Principal[]
  readonly depth: 'tree' | 'full'
  /** files of a larger tree, which no checkpoint covers yet */
  readonly filesBeyond: number
}

/**
 * Verifies a ledger's directory, or a copy of one, against keys that come from outside of it. Shares no code with what
 * wrote it. What lies in the journal is not part of the record.
 *
 * @throws SluiceError LEDGER_CORRUPT, SIGNATURE_INVALID, KEY_UNKNOWN (`facts.entry` is the first bad entry, where it is
 *   one), CHECKPOINT_INVALID, LEDGER_ROLLED_BACK, LEDGER_FORKED, FILE_MISSING, FILE_FORMAT (trust), INTERRUPTED
 */
export async function verifyLedger(directory: string, options: VerifyOptions): Promise<LedgerReport> {
  const { depth = 'full', since, signal } = options
  const trust = trustedKeys(options.trust)
  const checkpoint = readCheckpoint(await readText(join(directory, 'checkpoint')))
  const time = verifyLog(checkpoint, trust.log)
  const seen = since === undefined ? undefined : readCheckpoint(since)
  if (seen !== undefined) {
    verifyLog(seen, trust.log)
    refuseOlder(seen.size, checkpoint)
  }
  const witnessed = await readWitnessed(directory, checkpoint, trust)
  const sizes = [checkpoint, ...witnessed, ...(seen ? [seen] : [])].map(({ size }) => size)

  const entries = new Entries(trust)
  const bundleRoots: Uint8Array[] = []
  const partial = new Map<number, Uint8Array>()
  const times = new Map(witnessed.map(each => [each.size, each.time]))
  times.set(checkpoint.size, time)
  const total = checkpoint.size
  for await (const [bundle, scanned] of scanAll(directory, checkpoint.size, depth, entries, options)) {
    if (signal?.aborted) throw new SluiceError('INTERRUPTED', 'the verification was interrupted')
    bundleRoots.push(scanned.root)
    for (const size of sizes) {
      if (Math.floor(size / 256) === bundle) partial.set(size, scanned.leaves.slice(0, (size % 256) * 32))
    }
    if (depth === 'full') entries.take(bundle * 256, scanned.entries, times)
    options.onProgress?.({ done: Math.min((bundle + 1) * 256, total), total })
  }

  await checkUpperTiles(directory, checkpoint.size, bundleRoots)
  const rootAt = (size: number) => {
    const leaves = partial.get(size) ?? new Uint8Array()
    const rest = Array.from({ length: leaves.length / 32 }, (_, i) => leaves.subarray(i * 32, i * 32 + 32))
    return treeRoot(bundleRoots.slice(0, Math.floor(size / 256)), rest)
  }
  if (!rootAt(checkpoint.size).equals(checkpoint.root)) {
    throw new SluiceError('LEDGER_CORRUPT', 'the entries do not lead to the root that the checkpoint signs', {
      rule: 'ledger.root',
      remedy: 'Restore the ledger from a copy that verifies, and find out what wrote to it.',
    })
  }
  for (const other of [...witnessed, ...(seen ? [seen] : [])]) refuseFork(other, rootAt(other.size))
  const filesBeyond = await checkOtherTiles(directory, checkpoint.size)
  const keys = depth === 'full' ? entries.keys : trust.founders
  return {
    origin: checkpoint.origin,
    size: checkpoint.size,
    root: checkpoint.root.toString('base64'),
    time: iso(time),
    checkpoint: checkpoint.note,
    ...witnesses([...witnessed, { ...checkpoint, time }], trust, [...keys], checkpoint.size, depth),
    entriesByKind: entries.counts,
    principals: entries.principals,
    depth,
    filesBeyond,
  }
}

const BUNDLES_AT_ONCE = 16
/** below this, starting threads takes longer than they save */
const SMALL = 2048

/** Bundles in their order, scanned ahead on as many threads as there are. */
async function* scanAll(
  directory: string,
  size: number,
  depth: 'tree' | 'full',
  entries: Entries,
  options: VerifyOptions,
): AsyncGenerator<[bundle: number, scanned: ScannedBundle]> {
  const threads = options.threads ?? (size < SMALL ? 0 : availableParallelism())
  const bundles = Math.ceil(size / 256)
  const pool: Pool = startPool(threads)
  const ahead: Promise<ScannedBundle[]>[] = []
  try {
    let next = 0
    const more = () => {
      if (next >= bundles) return
      const count = Math.min(BUNDLES_AT_ONCE, bundles - next)
      const keys = [...entries.keys].map(key => key.text)
      const scanning = pool.scan({ directory, size, firstBundle: next, bundles: count, keys, depth })
      // whoever comes to it in order gets the error; until then nobody listens
      scanning.catch(() => undefined)
      ahead.push(scanning)
      next += count
    }
    for (let i = 0; i < pool.width * 2; i++) more()
    for (let bundle = 0; bundle < bundles; ) {
      const scanned = await ahead.shift()!
      more()
      for (const each of scanned) yield [bundle++, each]
    }
  } finally {
    await pool.close()
  }
}

interface TimedCheckpoint extends ReadCheckpoint {
  readonly time: number
}

async function readWitnessed(
  directory: string,
  newest: ReadCheckpoint,
  trust: TrustedKeys,
): Promise<TimedCheckpoint[]> {
  const names = await readdir(join(directory, 'witnessed')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const found: TimedCheckpoint[] = []
  for (const name of names) {
    const checkpoint = readCheckpoint(await readText(join(directory, 'witnessed', name)))
    if (String(checkpoint.size) !== name) {
      throw new SluiceError('CHECKPOINT_INVALID', `witnessed/${name} is over another number of entries`)
    }
    const time = verifyLog(checkpoint, trust.log)
    refuseOlder(checkpoint.size, newest)
    found.push({ ...checkpoint, time })
  }
  return found.sort((a, b) => a.size - b.size)
}

/** Every line has to be somebody's: one that nobody can check would be a place to hide things in. */
function witnesses(
  checkpoints: readonly TimedCheckpoint[],
  trust: TrustedKeys,
  enrolled: readonly { readonly text: string }[],
  size: number,
  depth: 'tree' | 'full',
): Pick<LedgerReport, 'witnessed' | 'witnessedBy' | 'unwitnessed'> {
  const trusted = new Set(trust.witnesses.map(key => key.raw.toString('hex') + key.name))
  const keys = new Map(
    [...trust.witnesses, ...(enrolled as typeof trust.witnesses)].map(key => [key.text, key]),
  )
  const bySize = new Map<number, Map<string, string>>()
  for (const checkpoint of checkpoints) {
    const { by, strangers } = cosigners(checkpoint, trust.log, keys.values())
    if (strangers > 0 && depth === 'full') {
      throw new SluiceError(
        'CHECKPOINT_INVALID',
        'a checkpoint has a signature line by nobody who is known',
        {
          rule: 'checkpoint.stranger',
          remedy: 'The line was changed, or its key is neither enrolled nor trusted.',
          facts: { size: checkpoint.size },
        },
      )
    }
    const names = bySize.get(checkpoint.size) ?? new Map<string, string>()
    for (const { key, time } of by) {
      if (trusted.has(key.raw.toString('hex') + key.name)) names.set(key.name, iso(time))
    }
    if (names.size > 0) bySize.set(checkpoint.size, names)
  }
  const witnessed = [...bySize].map(([at, names]) => ({
    size: at,
    by: [...names].map(([name, time]) => ({ name, time })),
  }))
  const last = witnessed.at(-1)?.size ?? 0
  return {
    witnessed,
    witnessedBy: last === size ? witnessed.at(-1)!.by.map(({ name }) => name) : [],
    unwitnessed: last === size ? null : { from: last, to: size },
  }
}

function refuseOlder(size: number, newest: ReadCheckpoint): void {
  if (size <= newest.size) return
  throw new SluiceError(
    'LEDGER_ROLLED_BACK',
    `a checkpoint over ${size} entries was signed, and this ledger has ${newest.size}`,
    {
      rule: 'ledger.rollback',
      remedy: 'Entries were taken away, or this is an old copy: ask the operator for the newer one.',
      facts: { size: newest.size, seen: size },
    },
  )
}

function refuseFork(other: ReadCheckpoint, root: Buffer): void {
  if (root.equals(other.root)) return
  throw new SluiceError(
    'LEDGER_FORKED',
    `the log has signed another history of its first ${other.size} entries`,
    {
      rule: 'ledger.fork',
      remedy: 'Keep both checkpoints: together they prove that the record was rewritten.',
      facts: { size: other.size },
    },
  )
}

/** The root over full bundles (each the root of 256 leaves) and the leaves of the last one. */
function treeRoot(bundles: readonly Uint8Array[], leaves: readonly Uint8Array[]): Buffer {
  return rootOf(leaves.length === 0 ? bundles : [...bundles, rootOf(leaves)])
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new SluiceError('FILE_MISSING', `there is no ${path}`, {
      remedy: 'Check the directory: a ledger has a file "checkpoint" in it.',
    })
  })
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new SluiceError('CHECKPOINT_INVALID', 'a checkpoint is not UTF-8')
  }
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { Predicate } from '../entries/predicates.js'
import { readEntry } from './entry.js'
import { isSignature, type Key, readKey } from './keys.js'
import { leafHash, pathOfTile, rootOf } from './tree.js'

/** Work on consecutive bundles of entries, which needs nothing but their files: many of these run at once. */
export interface ScanTask {
  readonly directory: string
  /** size of the tree */
  readonly size: number
  readonly firstBundle: number
  readonly bundles: number
  /** verifier keys that may have signed; a signature by another key is handed back */
  readonly keys: readonly string[]
  /** `tree`: entries are hashed and not opened */
  readonly depth: 'tree' | 'full'
}

export interface ScannedBundle {
  /** hashes of the leaves, 32 bytes each */
  readonly leaves: Uint8Array
  readonly root: Uint8Array
  readonly entries: readonly ScannedEntry[]
}

export interface ScannedEntry {
  /** without what only its own checks need: plans, schemas, policies but for their demands */
  readonly predicate: Predicate
  readonly signatures: readonly ScannedSignature[]
}

export interface ScannedSignature {
  readonly keyId: string
  readonly verdict: 'right' | 'wrong' | 'unknown'
  /** for `unknown`: what is needed to verify it once the key is known */
  readonly message?: Uint8Array
  readonly signature?: Uint8Array
}

/** @throws SluiceError LEDGER_CORRUPT naming the first entry or file that is not what it should be */
export async function scan(task: ScanTask): Promise<ScannedBundle[]> {
  const keys = new Map(task.keys.map(text => readKey(text)).map(key => [key.id, key]))
  const scanned: ScannedBundle[] = []
  for (let bundle = task.firstBundle; bundle < task.firstBundle + task.bundles; bundle++) {
    scanned.push(await scanBundle(task, bundle, keys))
  }
  return scanned
}

async function scanBundle(
  { directory, size, depth }: ScanTask,
  bundle: number,
  keys: ReadonlyMap<string, Key>,
): Promise<ScannedBundle> {
  const width = Math.min(256, size - bundle * 256)
  const [file, tile] = await Promise.all([
    readTile(directory, 'entries', bundle, width),
    readTile(directory, 0, bundle, width),
  ])
  if (tile.bytes.length !== (tile.full ? 256 : width) * 32)
    throw damaged(tile.path, 'it has the wrong length')
  const entries: ScannedEntry[] = []
  const leaves: Buffer[] = []
  let at = 0
  for (let i = 0; i < width; i++) {
    const index = bundle * 256 + i
    const end = at + 2 + (at + 2 <= file.bytes.length ? file.bytes.readUInt16BE(at) : 0)
    const bytes = file.bytes.subarray(at + 2, end)
    const leaf = leafHash(bytes)
    if (
      at + 2 > file.bytes.length ||
      end > file.bytes.length ||
      leaf.compare(tile.bytes, i * 32, i * 32 + 32) !== 0
    ) {
      throw changedEntry(index, file.path, tile.path)
    }
    leaves.push(leaf)
    if (depth === 'full') entries.push(scanEntry(bytes, index, keys))
    at = end
  }
  const begins = file.full && width < 256
  if (!begins && at !== file.bytes.length) throw damaged(file.path, 'there is more in it than its entries')
  return { leaves: Buffer.concat(leaves), root: rootOf(leaves), entries }
}

function scanEntry(bytes: Uint8Array, index: number, keys: ReadonlyMap<string, Key>): ScannedEntry {
  const { predicate, message, signatures } = readEntry(bytes, index)
  return {
    predicate: withoutWeight(predicate),
    signatures: signatures.map(({ keyId, signature }) => {
      const key = keys.get(keyId)
      if (key === undefined) return { keyId, verdict: 'unknown', message, signature }
      return { keyId, verdict: isSignature(key, message, signature) ? 'right' : 'wrong' }
    }),
  }
}

/** Its digests were compared already; what is left crosses from one thread to another. */
function withoutWeight(predicate: Predicate): Predicate {
  switch (predicate.kind) {
    case 'registration':
      return { ...predicate, schema: null, policy: demandsAlone(predicate.policy) }
    case 'policy-change':
      return { ...predicate, policy: demandsAlone(predicate.policy) }
    case 'request':
      return { ...predicate, request: null }
    default:
      return predicate
  }
}

function demandsAlone(policy: unknown): unknown {
  const {
    approvals = null,
    sample = null,
    consumers = null,
    expires = null,
  } = (policy ?? {}) as Record<string, unknown>
  // whom stand-ins are for is looked at only where there are any
  return sample === null ? { approvals } : { approvals, sample, consumers, expires }
}

export interface ReadTile {
  readonly path: string
  readonly bytes: Buffer
  /** the full tile, read in place of a partial one that was removed when this was there (C2SP tlog-tiles) */
  readonly full: boolean
}

export async function readTile(
  directory: string,
  level: number | 'entries',
  index: number,
  width: number,
): Promise<ReadTile> {
  const path = pathOfTile(level, index, width)
  const whole = pathOfTile(level, index, 256)
  const bytes = await readIfThere(join(directory, path))
  if (bytes !== null) return { path, bytes, full: width === 256 }
  const full = await readIfThere(join(directory, whole))
  if (full === null) throw damaged(path, 'it is missing')
  return { path: whole, bytes: full, full: true }
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export function damaged(file: string, reason: string): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', `the ledger’s ${file} is damaged: ${reason}`, {
    rule: 'ledger.file',
    remedy: 'Restore the ledger from a copy that verifies, and find out what wrote to it.',
    facts: { file },
  })
}

function changedEntry(entry: number, file: string, tile: string): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', `entry ${entry} is not the one that the tree was made of`, {
    rule: 'ledger.entry',
    remedy: 'Restore the ledger from a copy that verifies, and find out what wrote to it.',
    facts: { entry, file, tile },
  })
}

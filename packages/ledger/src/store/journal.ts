import { hash } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import { ENTRY_BYTES } from '../entries/envelope.js'
import { leafHash } from '../tree/hashes.js'

/**
 * The journal holds every entry that is not yet under a published checkpoint, and some that are. An entry is
 * acknowledged when its batch is synced here.
 *
 *     header   magic 8 | base 8 | checksum 16        base: index of the first entry
 *     frame    magic 4 | length 4 | index 8 | acknowledged 8 | checksum 16 | entry
 *
 * `acknowledged` counts the entries that were synced before this frame's batch was written: a batch is written only
 * after the one before it is synced. That is how a torn tail is told from damage. A batch that was never synced can
 * lose any of its blocks, so a frame that does not check is a tear if nothing written after it counts it as
 * acknowledged, and damage otherwise.
 */
export interface Journal {
  readonly base: number
  readonly entries: readonly JournalEntry[]
  /** where the next frame goes; what stands after it is a torn tail */
  readonly end: number
}

export interface JournalEntry {
  readonly bytes: Uint8Array
  readonly leaf: Uint8Array
}

const HEADER_MAGIC = Buffer.from('SLUICEJ1')
const HEADER_BYTES = 32
const FRAME_MAGIC = Buffer.from('\x9dSJ1', 'latin1')
const FRAME_BYTES = 40

export function journalHeader(base: number): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES)
  HEADER_MAGIC.copy(header)
  header.writeBigUInt64BE(BigInt(base), 8)
  checksum(header.subarray(0, 16)).copy(header, 16)
  return header
}

/** Frames for one batch, which is to be written by one call and then synced. */
export function journalFrames(first: number, entries: readonly JournalEntry[]): Uint8Array {
  const total = entries.reduce((sum, entry) => sum + FRAME_BYTES + entry.bytes.length, 0)
  const bytes = Buffer.allocUnsafe(total)
  let at = 0
  entries.forEach((entry, i) => {
    FRAME_MAGIC.copy(bytes, at)
    bytes.writeUInt32BE(entry.bytes.length, at + 4)
    bytes.writeBigUInt64BE(BigInt(first + i), at + 8)
    bytes.writeBigUInt64BE(BigInt(first), at + 16)
    checksum(bytes.subarray(at, at + 24), entry.leaf).copy(bytes, at + 24)
    bytes.set(entry.bytes, at + FRAME_BYTES)
    at += FRAME_BYTES + entry.bytes.length
  })
  return bytes
}

/** @throws SluiceError LEDGER_CORRUPT where an entry is damaged that had been acknowledged */
export function parseJournal(file: Uint8Array): Journal {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  // the header is in place before the journal is: it is never torn
  const base = bytes.length >= HEADER_BYTES ? Number(bytes.readBigUInt64BE(8)) : -1
  if (
    !Number.isSafeInteger(base) ||
    !bytes.subarray(0, HEADER_BYTES).equals(journalHeader(Math.max(base, 0)))
  ) {
    throw corruptJournal('its header is damaged')
  }
  const entries: JournalEntry[] = []
  let end = HEADER_BYTES
  for (;;) {
    const frame = readFrame(bytes, end)
    if (frame === null || frame.index !== base + entries.length) break
    entries.push({ bytes: frame.bytes, leaf: frame.leaf })
    end += FRAME_BYTES + frame.bytes.length
  }
  const missing = base + entries.length
  for (let at = bytes.indexOf(FRAME_MAGIC, end); at >= 0; at = bytes.indexOf(FRAME_MAGIC, at + 1)) {
    const frame = readFrame(bytes, at)
    if (frame !== null && frame.acknowledged > missing) {
      throw corruptJournal(`entry ${missing} is damaged, and had been acknowledged`, missing)
    }
  }
  return { base, entries, end }
}

/** @param entry the first one that is affected */
export function corruptJournal(reason: string, entry?: number): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', `the ledger’s journal cannot be used: ${reason}`, {
    rule: 'ledger.journal',
    remedy:
      'Nothing was changed; restore the ledger from a copy that verifies, and find out what wrote to it.',
    ...(entry !== undefined && { facts: { entry } }),
  })
}

function readFrame(
  bytes: Buffer,
  at: number,
): (JournalEntry & { readonly index: number; readonly acknowledged: number }) | null {
  if (at + FRAME_BYTES > bytes.length || !bytes.subarray(at, at + 4).equals(FRAME_MAGIC)) return null
  const length = bytes.readUInt32BE(at + 4)
  const end = at + FRAME_BYTES + length
  if (length > ENTRY_BYTES || end > bytes.length) return null
  const entry = bytes.subarray(at + FRAME_BYTES, end)
  const leaf = leafHash(entry)
  if (!checksum(bytes.subarray(at, at + 24), leaf).equals(bytes.subarray(at + 24, at + FRAME_BYTES)))
    return null
  return {
    bytes: entry,
    leaf,
    index: Number(bytes.readBigUInt64BE(at + 8)),
    acknowledged: Number(bytes.readBigUInt64BE(at + 16)),
  }
}

function checksum(...parts: Uint8Array[]): Buffer {
  return hash('sha256', Buffer.concat(parts), 'buffer').subarray(0, 16)
}

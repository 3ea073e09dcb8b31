import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { canonicalBytes, SluiceError } from '@sluice/core'
import type { Signer } from '../keys/signer.js'
import { parseVerifierKey, verifySignature } from '../keys/verifier-key.js'
import { acquire } from '../store/lock.js'
import { nodeFiles } from '../store/node-files.js'
import type { ExclusiveOptions } from '../store/types.js'

/** What somebody is about to open, and why. */
export interface Reveal {
  readonly what: 'tokens' | 'cells'
  /** the join domain of tokens, or the dataset of cells */
  readonly scope: string
  readonly column: string
  /** SHA-256 of the file that holds them, 64 hexadecimal digits */
  readonly input: string
  /** identifier of the secret */
  readonly secret: string
  readonly reason: string
}

export interface RevealRecord extends Reveal {
  readonly version: 1
  /** RFC 3339, UTC */
  readonly time: string
  /** the verifier key of who opened it */
  readonly by: string
  /** SHA-256 of the record before, zeros for the first */
  readonly previous: string
}

const REASON = /^(?=.*\S)[^\p{Cc}]{1,1000}$/u
const FIRST = '0'.repeat(64)
const NEWLINE = 0x0a

/**
 * Records that something is about to be opened, durably, in a file of mode 600: one line a record, signed by whoever
 * opens (Ed25519 over RFC 8785 JSON) and holding the digest of the line before. Only when this returned may it be opened.
 *
 * The file is the provider's own. It proves who opened what, as long as somebody else holds a later line or its digest:
 * whoever alone holds the file can cut it.
 *
 * @returns the digest of the new line, to be kept elsewhere
 * @throws SluiceError PARAMETER_INVALID (no reason), LEDGER_CORRUPT (the record before does not hold), LOCKED, DISK_FULL,
 * FILE_MISSING, INTERRUPTED
 */
export async function recordReveal(
  path: string,
  reveal: Reveal,
  signer: Signer,
  options: ExclusiveOptions & { readonly now: () => Date },
): Promise<{ readonly record: RevealRecord; readonly digest: string }> {
  if (!REASON.test(reveal.reason)) {
    throw new SluiceError(
      'PARAMETER_INVALID',
      'opening needs a reason, of 1 to 1,000 characters in one line',
      {
        rule: 'reveal.reason',
        remedy: 'Say who asked for it and what for; it is recorded.',
      },
    )
  }
  // made here, so that its mode is ours
  const made = await open(path, 'a', 0o600).catch((cause: unknown) => {
    throw unwritable(cause)
  })
  await made.close()
  const lock = await acquire(nodeFiles, path, options)
  try {
    const { whole, last } = parse(await readFile(path))
    const record: RevealRecord = {
      version: 1,
      time: options.now().toISOString(),
      by: signer.publicKey,
      ...reveal,
      previous: last,
    }
    const signature = Buffer.from(await signer.sign(signedBytes(record))).toString('base64')
    const line = canonicalBytes({ ...record, signature })
    await append(path, whole, line)
    return { record, digest: digestOf(line) }
  } finally {
    await lock.release()
  }
}

/**
 * Every record of the file, its chain and signatures checked. A last line that was cut short was never acknowledged, and
 * is left out.
 *
 * @throws SluiceError FILE_MISSING, LEDGER_CORRUPT
 */
export async function readReveals(
  path: string,
): Promise<{ readonly records: readonly RevealRecord[]; readonly digest: string }> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new SluiceError('FILE_MISSING', `the record cannot be read (${cause.code})`, { cause })
  })
  const { records, last } = parse(bytes)
  return { records, digest: last }
}

interface Parsed {
  readonly records: readonly RevealRecord[]
  /** bytes up to the end of the last whole line */
  readonly whole: number
  readonly last: string
}

function parse(bytes: Uint8Array): Parsed {
  const records: RevealRecord[] = []
  let last = FIRST
  let whole = 0
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, whole)) {
    const line = bytes.subarray(whole, end)
    const record = parseLine(line)
    if (record === null || record.previous !== last) throw corrupt(records.length + 1)
    records.push(record)
    last = digestOf(line)
    whole = end + 1
  }
  return { records, whole, last }
}

function parseLine(line: Uint8Array): RevealRecord | null {
  try {
    const { signature, ...record } = JSON.parse(Buffer.from(line).toString('utf8')) as RevealRecord & {
      signature: string
    }
    const canonical = Buffer.from(canonicalBytes({ ...record, signature })).equals(line)
    const signed = verifySignature(
      parseVerifierKey(record.by),
      signedBytes(record),
      Buffer.from(signature, 'base64'),
    )
    return canonical && signed && record.version === 1 ? record : null
  } catch {
    return null
  }
}

function signedBytes(record: RevealRecord): Uint8Array {
  return Buffer.concat([Buffer.from('sluice/reveal/1\n'), canonicalBytes(record)])
}

function digestOf(line: Uint8Array): string {
  return createHash('sha256').update(line).digest('hex')
}

async function append(path: string, whole: number, line: Uint8Array): Promise<void> {
  try {
    const file = await nodeFiles.open(path)
    try {
      await file.truncate(whole)
      await file.write(Buffer.concat([line, Buffer.of(NEWLINE)]), whole)
      await file.sync()
    } finally {
      await file.close()
    }
    await nodeFiles.syncDirectory(dirname(path))
  } catch (cause) {
    throw unwritable(cause)
  }
}

function unwritable(cause: unknown): SluiceError {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SluiceError('DISK_FULL', 'the disk is full; nothing was opened', { cause })
  }
  return new SluiceError('FILE_MISSING', `the record cannot be written (${code}); nothing was opened`, {
    remedy: 'Check that its directory exists and that you may write there.',
    cause,
  })
}

function corrupt(line: number): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', `record ${line} of what was opened does not hold`, {
    rule: 'reveal.chain',
    remedy: 'Keep the file as it is and find out who changed it; begin a new one with --log.',
    facts: { line },
  })
}

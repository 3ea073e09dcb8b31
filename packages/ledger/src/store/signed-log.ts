import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { canonicalBytes, type SluiceError } from '@sluice/core'
import type { Signer } from '../keys/signer.js'
import { parseVerifierKey, verifySignature } from '../keys/verifier-key.js'
import { acquire } from './lock.js'
import { nodeFiles } from './node-files.js'
import type { ExclusiveOptions } from './types.js'

/** What every record has beside what it records. */
export interface Signed {
  readonly version: 1
  /** RFC 3339, UTC */
  readonly time: string
  /** the verifier key of who signed it */
  readonly by: string
  /** SHA-256 of the record before, zeros for the first */
  readonly previous: string
}

/** What makes one kind of log: what is signed begins with `domain`, and how its failures are told. */
export interface SignedLogForm {
  readonly domain: string
  corrupt(line: number): SluiceError
  unwritable(cause: unknown): SluiceError
}

export interface SignedRecords<T> {
  readonly records: readonly (T & Signed)[]
  /** of the last line */
  readonly digest: string
}

const FIRST = '0'.repeat(64)
const NEWLINE = 0x0a

/**
 * Adds a record, durably, to a file of mode 600: one line a record, signed (Ed25519 over RFC 8785 JSON) and holding
 * the digest of the line before. The file is whoever keeps it's own: who alone holds it can cut it.
 *
 * @param decide what to record, given all that was recorded before; what it throws is thrown, and nothing recorded
 * @throws SluiceError LOCKED, INTERRUPTED, and what the form has for a log that does not hold or cannot be written
 */
export async function appendSigned<T extends object>(
  path: string,
  form: SignedLogForm,
  decide: (before: readonly (T & Signed)[]) => T,
  signer: Signer,
  options: ExclusiveOptions & { readonly now: () => Date },
): Promise<{ readonly record: T & Signed; readonly digest: string }> {
  // made here, so that its mode is ours
  const made = await open(path, 'a', 0o600).catch((cause: unknown) => {
    throw form.unwritable(cause)
  })
  await made.close()
  const lock = await acquire(nodeFiles, path, options)
  try {
    const { records, whole, last } = parse<T>(await readFile(path), form)
    const record = {
      version: 1 as const,
      time: options.now().toISOString(),
      by: signer.publicKey,
      ...decide(records),
      previous: last,
    }
    const signature = Buffer.from(await signer.sign(signedBytes(form, record))).toString('base64')
    const line = canonicalBytes({ ...record, signature })
    await append(path, whole, line).catch((cause: unknown) => {
      throw form.unwritable(cause)
    })
    return { record, digest: digestOf(line) }
  } finally {
    await lock.release()
  }
}

/** Every record, chain and signatures checked. A last line that was cut short was never acknowledged, and is left out. */
export function parseSigned<T>(bytes: Uint8Array, form: SignedLogForm): SignedRecords<T> {
  const { records, last } = parse<T>(bytes, form)
  return { records, digest: last }
}

function parse<T>(bytes: Uint8Array, form: SignedLogForm) {
  const records: (T & Signed)[] = []
  let last = FIRST
  let whole = 0
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, whole)) {
    const line = bytes.subarray(whole, end)
    const record = parseLine<T>(line, form)
    if (record === null || record.previous !== last) throw form.corrupt(records.length + 1)
    records.push(record)
    last = digestOf(line)
    whole = end + 1
  }
  return { records, whole, last }
}

function parseLine<T>(line: Uint8Array, form: SignedLogForm): (T & Signed) | null {
  try {
    const { signature, ...record } = JSON.parse(Buffer.from(line).toString('utf8')) as T &
      Signed & { signature: string }
    const canonical = Buffer.from(canonicalBytes({ ...record, signature })).equals(line)
    const key = parseVerifierKey(record.by)
    const signed = verifySignature(key, signedBytes(form, record), Buffer.from(signature, 'base64'))
    return canonical && signed && record.version === 1 ? (record as unknown as T & Signed) : null
  } catch {
    return null
  }
}

function signedBytes({ domain }: SignedLogForm, record: object): Uint8Array {
  return Buffer.concat([Buffer.from(`${domain}\n`), canonicalBytes(record)])
}

function digestOf(line: Uint8Array): string {
  return createHash('sha256').update(line).digest('hex')
}

async function append(path: string, whole: number, line: Uint8Array): Promise<void> {
  const file = await nodeFiles.open(path)
  try {
    await file.truncate(whole)
    await file.write(Buffer.concat([line, Buffer.of(NEWLINE)]), whole)
    await file.sync()
  } finally {
    await file.close()
  }
  await nodeFiles.syncDirectory(dirname(path))
}

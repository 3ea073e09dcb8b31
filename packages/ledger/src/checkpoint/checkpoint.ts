import { SluiceError } from '@sluice/core'
import type { Signer } from '../keys/signer.js'
import {
  cosignatureKey,
  isKeyName,
  NOTE_KEY,
  parseVerifierKey,
  type VerifierKey,
  verifySignature,
} from '../keys/verifier-key.js'
import { formatNote, invalidNote, type NoteSignature, parseNote } from './note.js'

/** C2SP tlog-checkpoint, without extension lines, as a signed note. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  /** root of the tree, RFC 6962 */
  readonly root: Uint8Array
  /** the three lines that are signed */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
  /** the whole signed note; what is stored and handed out */
  readonly note: string
}

/**
 * The log's own checkpoint: its signature, and its own cosignature, which says when. (A checkpoint itself has no time;
 * an extension line would, but nobody else's tools look at those.)
 *
 * @param time seconds since the epoch
 */
export async function signCheckpoint(
  tree: { readonly origin: string; readonly size: number; readonly root: Uint8Array },
  log: Signer,
  time: number,
): Promise<Checkpoint> {
  const text = `${tree.origin}\n${tree.size}\n${Buffer.from(tree.root).toString('base64')}\n`
  const { name, hash } = parseVerifierKey(log.publicKey)
  const signature = { name, hash, signature: await log.sign(Buffer.from(text)) }
  return parseCheckpoint(
    formatNote({ text, signatures: [signature, await timestampedSignature(text, log, time)] }),
  )
}

/**
 * Somebody else's cosignature (C2SP tlog-cosignature, v1): "at this time, this was the largest tree of this log that I
 * had seen, and it was consistent with those before". Whoever signs must have checked that.
 *
 * @param time seconds since the epoch
 * @returns the checkpoint with one line more
 */
export async function cosignCheckpoint(
  checkpoint: Checkpoint,
  signer: Signer,
  time: number,
): Promise<Checkpoint> {
  const added = await timestampedSignature(checkpoint.text, signer, time)
  return withSignatures(checkpoint, [...checkpoint.signatures, added])
}

/**
 * The lines of both; where a key signed twice, the later one.
 *
 * @throws SluiceError CHECKPOINT_INVALID where they are not of the same tree
 */
export function mergeCosignatures(first: Checkpoint, second: Checkpoint): Checkpoint {
  if (first.text !== second.text) throw invalidNote('the two are of different trees')
  const lines = new Map<string, NoteSignature>()
  for (const line of [...first.signatures, ...second.signatures]) {
    const id = `${line.name}+${line.hash}`
    const known = lines.get(id)
    if (known === undefined || timeOf(line) > timeOf(known)) lines.set(id, line)
  }
  return withSignatures(first, [...lines.values()])
}

/** Without the lines of other keys: as note signatures and as cosignatures. */
export function keepSignatures(checkpoint: Checkpoint, keys: readonly VerifierKey[]): Checkpoint {
  const kept = keys.flatMap(key => [...linesOf(checkpoint, key), ...linesOf(checkpoint, cosignatureKey(key))])
  return withSignatures(checkpoint, kept)
}

/** @throws SluiceError CHECKPOINT_INVALID unless it is exactly what `signCheckpoint` and `cosignCheckpoint` write */
export function parseCheckpoint(note: string): Checkpoint {
  const { text, signatures } = parseNote(note)
  const [origin, size, root, ...rest] = text.split('\n')
  if (origin === undefined || size === undefined || root === undefined || rest.join() !== '') {
    throw invalidNote('it does not have three lines')
  }
  const bytes = Buffer.from(root, 'base64')
  if (
    rest.length !== 1 ||
    !isKeyName(origin) ||
    !/^(0|[1-9]\d{0,15})$/.test(size) ||
    !Number.isSafeInteger(Number(size)) ||
    bytes.length !== 32 ||
    bytes.toString('base64') !== root
  ) {
    throw invalidNote('its origin, size or root is malformed')
  }
  return Object.freeze({
    origin,
    size: Number(size),
    root: new Uint8Array(bytes),
    text,
    signatures,
    note,
  })
}

/**
 * The log's signature, which must be there and right.
 *
 * @returns when it was made, in seconds since the epoch, by the log's own cosignature; null where it has none
 * @throws SluiceError CHECKPOINT_INVALID, KEY_INVALID
 */
export function verifyCheckpoint(checkpoint: Checkpoint, logKey: string | VerifierKey): number | null {
  const key = typeof logKey === 'string' ? parseVerifierKey(logKey) : logKey
  const lines = linesOf(checkpoint, key)
  if (key.name !== checkpoint.origin || key.type !== NOTE_KEY || lines.length !== 1) {
    throw invalidNote('the log’s key has not signed it')
  }
  if (!verifySignature(key, Buffer.from(checkpoint.text), lines[0]!.signature)) {
    throw new SluiceError('CHECKPOINT_INVALID', 'the log’s signature on the checkpoint is wrong')
  }
  return verifyCosignature(checkpoint, key)
}

/**
 * @param key the cosigner's key, of either type
 * @returns when it was made, in seconds since the epoch; null where this key has not cosigned
 * @throws SluiceError CHECKPOINT_INVALID where it has, and the signature is wrong
 */
export function verifyCosignature(checkpoint: Checkpoint, key: string | VerifierKey): number | null {
  const cosigner = cosignatureKey(typeof key === 'string' ? parseVerifierKey(key) : key)
  const [line, ...others] = linesOf(checkpoint, cosigner)
  if (line === undefined) return null
  const time = timeOf(line)
  const message = cosignedMessage(checkpoint.text, time)
  if (others.length > 0 || time < 0 || !verifySignature(cosigner, message, line.signature.subarray(8))) {
    throw new SluiceError('CHECKPOINT_INVALID', `the cosignature of ${cosigner.name} is wrong`)
  }
  return time
}

async function timestampedSignature(text: string, signer: Signer, time: number): Promise<NoteSignature> {
  const { name, hash } = cosignatureKey(parseVerifierKey(signer.publicKey))
  const timestamp = Buffer.alloc(8)
  timestamp.writeBigUInt64BE(BigInt(time))
  const signature = await signer.sign(cosignedMessage(text, time))
  return { name, hash, signature: new Uint8Array(Buffer.concat([timestamp, signature])) }
}

function cosignedMessage(text: string, time: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`)
}

/** Seconds since the epoch; -1 where the line is not a timestamped signature. */
function timeOf({ signature }: NoteSignature): number {
  if (signature.length !== 72) return -1
  const time = Number(Buffer.from(signature).readBigUInt64BE())
  return Number.isSafeInteger(time) ? time : -1
}

function linesOf(checkpoint: Checkpoint, { name, hash }: VerifierKey): NoteSignature[] {
  return checkpoint.signatures.filter(line => line.name === name && line.hash === hash)
}

function withSignatures(checkpoint: Checkpoint, signatures: readonly NoteSignature[]): Checkpoint {
  return parseCheckpoint(formatNote({ text: checkpoint.text, signatures }))
}

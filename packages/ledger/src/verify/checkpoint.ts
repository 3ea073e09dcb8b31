import { SluiceError } from '@sluice/core'
import { cosignatureHash, isName, isSignature, type Key } from './keys.js'

/** A checkpoint (C2SP tlog-checkpoint) as read; `verifyLog` says whether the log signed it. */
export interface ReadCheckpoint {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
  readonly text: string
  readonly lines: readonly { readonly name: string; readonly hash: string; readonly signature: Buffer }[]
  readonly note: string
}

const FORM = /^([^\n]{1,200})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/
const LINE = /^— ([^\n ]{1,200}) ([A-Za-z0-9+/]+={0,2})$/

/** @throws SluiceError CHECKPOINT_INVALID */
export function readCheckpoint(note: string): ReadCheckpoint {
  const cut = note.length <= 65_536 ? note.indexOf('\n\n') : -1
  const text = note.slice(0, cut + 1)
  const [, origin, size, root] = FORM.exec(text) ?? []
  if (cut < 0 || origin === undefined || size === undefined || root === undefined || !isName(origin)) {
    throw invalid('it is not origin, size and root, and signatures')
  }
  const bytes = Buffer.from(root, 'base64')
  if (!Number.isSafeInteger(Number(size)) || bytes.toString('base64') !== root)
    throw invalid('its size or root is odd')
  const rest = note.slice(cut + 2)
  if (!rest.endsWith('\n')) throw invalid('its last line does not end')
  const lines = rest
    .slice(0, -1)
    .split('\n')
    .map(line => {
      const [, name, encoded] = LINE.exec(line) ?? []
      const signed = Buffer.from(encoded ?? '', 'base64')
      if (name === undefined || !isName(name) || signed.length < 5 || signed.toString('base64') !== encoded) {
        throw invalid('a signature line is malformed')
      }
      return { name, hash: signed.subarray(0, 4).toString('hex'), signature: signed.subarray(4) }
    })
  if (lines.length > 100) throw invalid('it has too many signatures')
  return { origin, size: Number(size), root: bytes, text, lines, note }
}

/**
 * The log's signature, and its cosignature, which says when.
 *
 * @returns seconds since the epoch
 * @throws SluiceError CHECKPOINT_INVALID
 */
export function verifyLog(checkpoint: ReadCheckpoint, log: Key): number {
  const signed = checkpoint.lines.filter(line => line.name === log.name && line.hash === log.hash)
  const [line] = signed
  if (checkpoint.origin !== log.name || line === undefined || signed.length !== 1) {
    throw invalid('the trusted log key has not signed it')
  }
  if (!isSignature(log, Buffer.from(checkpoint.text), line.signature))
    throw invalid('the log’s signature is wrong')
  const time = cosignedAt(checkpoint, log)
  if (time === null) throw invalid('the log does not say when it was made')
  return time
}

/**
 * C2SP tlog-cosignature, v1.
 *
 * @returns seconds since the epoch; null where this key has not cosigned
 * @throws SluiceError CHECKPOINT_INVALID where it has, wrongly
 */
export function cosignedAt(checkpoint: ReadCheckpoint, key: Key): number | null {
  const hash = cosignatureHash(key)
  const [line, ...more] = checkpoint.lines.filter(each => each.name === key.name && each.hash === hash)
  if (line === undefined) return null
  const time = line.signature.length === 72 ? Number(line.signature.readBigUInt64BE()) : Number.NaN
  const message = Buffer.from(`cosignature/v1\ntime ${time}\n${checkpoint.text}`)
  if (
    more.length > 0 ||
    !Number.isSafeInteger(time) ||
    !isSignature(key, message, line.signature.subarray(8))
  ) {
    throw invalid(`the cosignature of ${key.name} is wrong`)
  }
  return time
}

/** Who cosigned, of these; and the lines that are by none of them. */
export function cosigners(
  checkpoint: ReadCheckpoint,
  log: Key,
  keys: Iterable<Key>,
): { readonly by: { readonly key: Key; readonly time: number }[]; readonly strangers: number } {
  const by: { key: Key; time: number }[] = []
  const known = new Set([`${log.name} ${log.hash}`, `${log.name} ${cosignatureHash(log)}`])
  for (const key of keys) {
    const id = `${key.name} ${cosignatureHash(key)}`
    if (known.has(id)) continue
    known.add(id)
    const time = cosignedAt(checkpoint, key)
    if (time !== null) by.push({ key, time })
  }
  const strangers = checkpoint.lines.filter(line => !known.has(`${line.name} ${line.hash}`)).length
  return { by, strangers }
}

function invalid(reason: string): SluiceError {
  return new SluiceError('CHECKPOINT_INVALID', `the checkpoint does not verify: ${reason}`, {
    rule: 'checkpoint',
    remedy:
      'Compare the trusted keys with those who gave them to you; if they are right, the checkpoint was forged.',
  })
}

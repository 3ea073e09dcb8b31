import { SluiceError } from '@sluice/core'
import { isKeyName } from '../keys/verifier-key.js'

/** C2SP signed-note: a text and lines of signatures under it. */
export interface Note {
  /** ends with a newline */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export interface NoteSignature {
  readonly name: string
  /** the key's hash, 8 hexadecimal digits */
  readonly hash: string
  readonly signature: Uint8Array
}

const NOTE_BYTES = 65_536
const SIGNATURES = 100

export function formatNote({ text, signatures }: Note): string {
  const lines = signatures.map(({ name, hash, signature }) => {
    const bytes = Buffer.concat([Buffer.from(hash, 'hex'), signature])
    return `— ${name} ${bytes.toString('base64')}\n`
  })
  return `${text}\n${lines.join('')}`
}

/** @throws SluiceError CHECKPOINT_INVALID unless the note is exactly what `formatNote` writes */
export function parseNote(note: string): Note {
  if (Buffer.byteLength(note) > NOTE_BYTES || !note.isWellFormed() || /[\x00-\x09\x0b-\x1f]/.test(note)) {
    throw invalidNote('it is too large, or holds control characters')
  }
  const end = note.lastIndexOf('\n\n')
  const lines = note.slice(end + 2).split('\n')
  if (end < 1 || lines.pop() !== '' || lines.length === 0 || lines.length > SIGNATURES) {
    throw invalidNote('it has no signatures, or too many')
  }
  const signatures = lines.map(line => {
    const [dash, name, encoded, ...rest] = line.split(' ')
    const bytes = Buffer.from(encoded ?? '', 'base64')
    if (dash !== '—' || name === undefined || !isKeyName(name) || rest.length > 0 || bytes.length < 5) {
      throw invalidNote('a signature line is malformed')
    }
    return {
      name,
      hash: bytes.subarray(0, 4).toString('hex'),
      signature: new Uint8Array(bytes.subarray(4)),
    }
  })
  const parsed = { text: note.slice(0, end + 1), signatures }
  if (formatNote(parsed) !== note) throw invalidNote('it is not in the canonical form')
  return parsed
}

export function invalidNote(reason: string): SluiceError {
  return new SluiceError('CHECKPOINT_INVALID', `this is not a checkpoint: ${reason}`, {
    remedy: 'Take the checkpoint as it was handed out, unchanged, with its signature lines.',
  })
}

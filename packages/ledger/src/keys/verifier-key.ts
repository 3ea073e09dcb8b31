import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { SluiceError } from '@sluice/core'

/**
 * A public key as C2SP signed-note writes it: `name+hash8+base64(type || key)`. Type 0x01 signs notes and entries,
 * type 0x04 (C2SP tlog-cosignature) signs timestamped checkpoints; the same Ed25519 key may be written as either.
 */
export interface VerifierKey {
  readonly name: string
  readonly type: typeof NOTE_KEY | typeof COSIGNATURE_KEY
  /** the four bytes that tell keys apart in a note, as 8 lower-case hexadecimal digits */
  readonly hash: string
  /** `name+hash8`: what a signature in an entry's envelope is labelled with */
  readonly keyId: string
  /** 32 bytes, RFC 8032 */
  readonly publicKey: Uint8Array
  /** the text that it was parsed from */
  readonly text: string
}

export const NOTE_KEY = 0x01
export const COSIGNATURE_KEY = 0x04

const NAME_BYTES = 200
const KEY_BYTES = 32
/** RFC 8410, section 4: what stands before the 32 bytes in an Ed25519 SubjectPublicKeyInfo */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** @throws SluiceError KEY_INVALID unless the text is exactly what `formatVerifierKey` writes */
export function parseVerifierKey(text: string): VerifierKey {
  const parts = text.length <= 512 ? text.split('+') : []
  const [name, hash8] = parts
  // base64 may contain plus signs; the name and the hash cannot
  const encoded = parts.slice(2).join('+')
  if (name === undefined || hash8 === undefined || encoded === '') throw invalidKey('it is not name+hash+key')
  const bytes = Buffer.from(encoded, 'base64')
  const type = bytes[0]
  if (bytes.length !== KEY_BYTES + 1) throw invalidKey('it does not hold 32 bytes of key')
  if (type !== NOTE_KEY && type !== COSIGNATURE_KEY) throw invalidKey('its signature type is not known')
  const key = verifierKey(name, bytes.subarray(1), type)
  if (key.text !== text) throw invalidKey('its hash does not match, or it is not in the canonical form')
  return key
}

/**
 * @param type what the key signs; by default notes and entries
 * @throws SluiceError KEY_INVALID where the name or the key cannot stand in a verifier key
 */
export function verifierKey(
  name: string,
  publicKey: Uint8Array,
  type: VerifierKey['type'] = NOTE_KEY,
): VerifierKey {
  if (!isKeyName(name)) {
    throw invalidKey('a name has 1 to 200 bytes, no spaces, plus signs, control or bidirectional characters')
  }
  if (publicKey.length !== KEY_BYTES) throw invalidKey('it does not hold 32 bytes of key')
  if (SMALL_ORDER.has(Buffer.from(publicKey).toString('hex'))) {
    throw invalidKey('it is a point of small order, under which anybody can sign')
  }
  const typed = Buffer.concat([Buffer.of(type), publicKey])
  const hash8 = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed])).slice(0, 8)
  return Object.freeze({
    name,
    type,
    hash: hash8,
    keyId: `${name}+${hash8}`,
    publicKey: new Uint8Array(publicKey),
    text: `${name}+${hash8}+${typed.toString('base64')}`,
  })
}

/** The same key as its holder cosigns checkpoints with (C2SP tlog-cosignature, type 0x04). */
export function cosignatureKey(key: VerifierKey): VerifierKey {
  return verifierKey(key.name, key.publicKey, COSIGNATURE_KEY)
}

/** Ed25519 (RFC 8032) over the bytes, whatever the key's type. */
export function verifySignature(key: VerifierKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, bytes, keyObject(key), signature)
}

/** May this be a key's, a principal's or an origin's name (C2SP signed-note; no characters that mislead a reader). */
export function isKeyName(name: string): boolean {
  return (
    name !== '' &&
    name.isWellFormed() &&
    Buffer.byteLength(name) <= NAME_BYTES &&
    !/[\s+\p{Cc}\p{Bidi_Control}\u200b-\u200d\ufeff]/u.test(name)
  )
}

const keyObjects = new WeakMap<VerifierKey, KeyObject>()

function keyObject(key: VerifierKey): KeyObject {
  let object = keyObjects.get(key)
  if (object === undefined) {
    const der = Buffer.concat([SPKI_PREFIX, key.publicKey])
    object = createPublicKey({ key: der, format: 'der', type: 'spki' })
    keyObjects.set(key, object)
  }
  return object
}

/**
 * The eight points whose order divides the cofactor, and their non-canonical encodings (Chalkias, Garillot and
 * Nikolaenko, "Taming the many EdDSAs", 2020, table 1): a signature under such a key verifies for any message.
 */
const SMALL_ORDER = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0000000000000000000000000000000000000000000000000000000000000000',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
])

function invalidKey(reason: string): SluiceError {
  return new SluiceError('KEY_INVALID', `this is not a verifier key: ${reason}`, {
    remedy: 'A verifier key is one line, name+hash+base64, as "sluice key new" prints it.',
  })
}

import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { SluiceError } from '@sluice/core'

// Everything under verify/ repeats what the writer has, in its own words and on purpose: a verifier that shared the
// writer's parsers would share their mistakes.

/** A key as C2SP signed-note writes it: `name+hash8+base64(type || key)`. */
export interface Key {
  readonly text: string
  readonly name: string
  /** `name+hash8`, as envelopes label signatures */
  readonly id: string
  readonly hash: string
  readonly raw: Buffer
}

/** Signs notes and entries. */
export const NOTE = 0x01
/** Signs timestamped checkpoints (C2SP tlog-cosignature). */
export const COSIGNATURE = 0x04

/** @throws SluiceError KEY_INVALID */
export function readKey(text: unknown, types: readonly number[] = [NOTE]): Key {
  const match =
    typeof text === 'string' ? /^([^+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text) : null
  const [, name, hash8, encoded] = match ?? []
  if (name === undefined || hash8 === undefined || encoded === undefined || !isName(name)) throw invalid()
  const bytes = Buffer.from(encoded, 'base64')
  const type = bytes[0]!
  const raw = bytes.subarray(1)
  if (bytes.toString('base64') !== encoded || bytes.length !== 33 || !types.includes(type)) throw invalid()
  if (keyHash(name, type, raw) !== hash8 || isWeak(raw)) throw invalid()
  return { text: text as string, name, id: `${name}+${hash8}`, hash: hash8, raw }
}

/** The hash under which the same key cosigns checkpoints. */
export function cosignatureHash(key: Key): string {
  return keyHash(key.name, COSIGNATURE, key.raw)
}

/** Ed25519, RFC 8032. */
export function isSignature(key: Key, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, message, objectOf(key), signature)
}

export function isName(name: string): boolean {
  const forbidden = /[\s+\p{Cc}\p{Bidi_Control}\u200b-\u200d\ufeff]/u
  return name.length > 0 && name.isWellFormed() && Buffer.byteLength(name) <= 200 && !forbidden.test(name)
}

function keyHash(name: string, type: number, raw: Uint8Array): string {
  const message = Buffer.concat([Buffer.from(name), Buffer.of(0x0a, type), raw])
  return hash('sha256', message, 'hex').slice(0, 8)
}

const objects = new Map<string, KeyObject>()

function objectOf(key: Key): KeyObject {
  const id = key.raw.toString('base64url')
  let object = objects.get(id)
  if (object === undefined) {
    object = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: id }, format: 'jwk' })
    objects.set(id, object)
  }
  return object
}

/** y coordinates of the points of order 1, 2, 4 and 8, and what reduces to them; the sign bit does not matter. */
const WEAK = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]

function isWeak(raw: Buffer): boolean {
  const y = Buffer.from(raw)
  y[31]! &= 0x7f
  return WEAK.includes(y.toString('hex'))
}

function invalid(): SluiceError {
  return new SluiceError('KEY_INVALID', 'this is not a verifier key', {
    remedy: 'A verifier key is one line, name+hash+base64.',
  })
}

import { SluiceError } from '@sluice/core'
import type { Signer } from '../keys/signer.js'
import { parseVerifierKey, type VerifierKey, verifySignature } from '../keys/verifier-key.js'
import type { Predicate } from './predicates.js'
import { parsePredicate } from './schemas.js'
import { statementBytes } from './statement.js'

/** One entry of the ledger holds no more: C2SP tlog-tiles writes an entry's length in 16 bits. */
export const ENTRY_BYTES = 65_535
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

const SIGNATURES = 64
const CONSTRUCTOR = Symbol('made by sign and openEnvelope')

export interface EnvelopeSignature {
  /** `name+hash8` of the signer's verifier key */
  readonly keyId: string
  /** 64 bytes, Ed25519 over the DSSE pre-authentication encoding */
  readonly signature: Uint8Array
}

/**
 * A DSSE v1 envelope around one Statement, well formed: made by `sign`, `cosign`, `merge` and `openEnvelope` alone.
 * Whether its signatures are right, `verifyEnvelope` says.
 */
export class Envelope {
  readonly #brand = true
  readonly predicate: Predicate
  /** in ascending order of key ids, no key id twice */
  readonly signatures: readonly EnvelopeSignature[]
  /** canonical JSON; what the ledger holds */
  readonly bytes: Uint8Array
  /** canonical bytes of the Statement */
  readonly payload: Uint8Array

  constructor(
    key: typeof CONSTRUCTOR,
    predicate: Predicate,
    payload: Uint8Array,
    signatures: readonly EnvelopeSignature[],
  ) {
    if (key !== CONSTRUCTOR)
      throw new SluiceError('BRAND_INVALID', 'an Envelope is made by sign or openEnvelope')
    this.predicate = predicate
    this.payload = payload
    this.signatures = signatures
    this.bytes = serialize(payload, signatures)
    if (this.bytes.length > ENTRY_BYTES) throw tooLarge(this.bytes.length)
    Object.freeze(this)
  }

  /** @throws SluiceError BRAND_INVALID where the value is a copy, a cast or a spread */
  static check(value: unknown): Envelope {
    if (typeof value !== 'object' || value === null || !(#brand in value)) {
      throw new SluiceError('BRAND_INVALID', 'this is not an Envelope')
    }
    return value as Envelope
  }
}

/**
 * @throws SluiceError SCHEMA_INVALID (predicate), ENTRY_TOO_LARGE
 */
export async function sign(predicate: Predicate, signer: Signer, ...others: Signer[]): Promise<Envelope> {
  const parsed = freeze(parsePredicate(predicate))
  const payload = statementBytes(parsed)
  const signatures = await Promise.all([signer, ...others].map(each => signPayload(payload, each)))
  return new Envelope(CONSTRUCTOR, parsed, payload, ordered(signatures))
}

/**
 * Adds a signature to what others signed; whoever signs should have read `envelope.predicate`.
 *
 * @throws SluiceError EXISTS where this key has signed already, ENTRY_TOO_LARGE
 */
export async function cosign(envelope: Envelope, signer: Signer): Promise<Envelope> {
  const { predicate, payload, signatures } = Envelope.check(envelope)
  const added = await signPayload(payload, signer)
  return new Envelope(CONSTRUCTOR, predicate, payload, ordered([...signatures, added]))
}

/**
 * One envelope with the signatures of both, which must be over the same Statement.
 *
 * @throws SluiceError SIGNATURE_INVALID where they are not, or where they hold two signatures of one key
 */
export function merge(first: Envelope, second: Envelope): Envelope {
  const { predicate, payload, signatures } = Envelope.check(first)
  if (!Buffer.from(payload).equals(Envelope.check(second).payload)) {
    throw new SluiceError('SIGNATURE_INVALID', 'the two envelopes do not sign the same statement')
  }
  const known = new Map(signatures.map(each => [each.keyId, each]))
  const added = second.signatures.filter(({ keyId, signature }) => {
    const same = known.get(keyId)
    return same === undefined || !Buffer.from(same.signature).equals(signature)
  })
  return new Envelope(CONSTRUCTOR, predicate, payload, ordered([...signatures, ...added]))
}

/**
 * The strict way in: what does not come out byte for byte as it went in is refused.
 *
 * @throws SluiceError ENTRY_TOO_LARGE, SCHEMA_INVALID
 */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > ENTRY_BYTES) throw tooLarge(bytes.length)
  const outer = parseJson(bytes)
  if (!isEnvelopeForm(outer)) throw malformed('it is not a DSSE envelope of this kind')
  const payload = new Uint8Array(Buffer.from(outer.payload, 'base64'))
  const signatures = outer.signatures.map(({ keyid, sig }) => ({
    keyId: keyid,
    signature: new Uint8Array(Buffer.from(sig, 'base64')),
  }))
  if (signatures.some(({ signature }) => signature.length !== 64)) {
    throw malformed('a signature does not have 64 bytes')
  }
  const inner = parseJson(payload) as { predicate?: unknown } | null
  const predicate = freeze(parsePredicate(inner?.predicate))
  if (!Buffer.from(statementBytes(predicate)).equals(payload)) {
    throw malformed('its payload is not the canonical Statement about its predicate')
  }
  const envelope = new Envelope(CONSTRUCTOR, predicate, payload, ordered(signatures))
  if (!Buffer.from(envelope.bytes).equals(bytes)) throw malformed('it is not in the canonical form')
  return envelope
}

/**
 * Every signature must be by one of the keys, and right.
 *
 * @param keys verifier keys (type 0x01), parsed or as text
 * @returns the keys that signed
 * @throws SluiceError KEY_UNKNOWN, SIGNATURE_INVALID
 */
export function verifyEnvelope(
  envelope: Envelope,
  keys: Iterable<string | VerifierKey>,
): readonly VerifierKey[] {
  const { payload, signatures } = Envelope.check(envelope)
  const known = new Map<string, VerifierKey>()
  for (const key of keys) {
    const parsed = typeof key === 'string' ? parseVerifierKey(key) : key
    known.set(parsed.keyId, parsed)
  }
  const message = preAuthenticationEncoding(payload)
  return signatures.map(({ keyId, signature }) => {
    const key = known.get(keyId)
    if (key === undefined) {
      throw new SluiceError('KEY_UNKNOWN', `${keyId} signed, and that key is not enrolled`, {
        facts: { keyId },
      })
    }
    if (!verifySignature(key, message, signature)) {
      throw new SluiceError('SIGNATURE_INVALID', `the signature that names ${keyId} is not by that key`, {
        facts: { keyId },
      })
    }
    return key
  })
}

/** DSSE v1, "PAE": what is actually signed. */
function preAuthenticationEncoding(payload: Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `),
    payload,
  ])
}

async function signPayload(payload: Uint8Array, signer: Signer): Promise<EnvelopeSignature> {
  return { keyId: signer.keyId, signature: await signer.sign(preAuthenticationEncoding(payload)) }
}

/** By code units of the key ids, as RFC 8785 orders keys; so equal sets of signatures have equal bytes. */
function ordered(signatures: readonly EnvelopeSignature[]): readonly EnvelopeSignature[] {
  const sorted = [...signatures].sort((a, b) => (a.keyId < b.keyId ? -1 : 1))
  if (sorted.length === 0 || sorted.length > SIGNATURES) throw malformed('it has no signature, or too many')
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.keyId === sorted[i - 1]!.keyId) {
      throw new SluiceError('EXISTS', `${sorted[i]!.keyId} has signed this already`)
    }
  }
  return Object.freeze(sorted.map(each => Object.freeze(each)))
}

/** Canonical JSON (RFC 8785), spelled out: the names stand in their order and only key ids need escaping. */
function serialize(payload: Uint8Array, signatures: readonly EnvelopeSignature[]): Uint8Array {
  const list = signatures.map(({ keyId, signature }) => {
    return `{"keyid":${JSON.stringify(keyId)},"sig":"${base64(signature)}"}`
  })
  return Buffer.from(
    `{"payload":"${base64(payload)}","payloadType":"${PAYLOAD_TYPE}","signatures":[${list.join(',')}]}`,
  )
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch {
    // no cause: a parser's message quotes what it read
    throw malformed('it is not JSON')
  }
}

interface EnvelopeForm {
  readonly payload: string
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[]
}

/** Enough to read it; the comparison of bytes does the rest. */
function isEnvelopeForm(value: unknown): value is EnvelopeForm {
  const form = value as EnvelopeForm | null
  return (
    typeof form?.payload === 'string' &&
    Array.isArray(form.signatures) &&
    form.signatures.length <= SIGNATURES &&
    form.signatures.every(each => typeof each?.keyid === 'string' && typeof each.sig === 'string')
  )
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const item of Object.values(value)) freeze(item)
  }
  return value
}

function malformed(reason: string): SluiceError {
  return new SluiceError('SCHEMA_INVALID', `this is not an entry: ${reason}`, {
    rule: 'entry.envelope',
    remedy: 'Import the file as it was exported, unchanged.',
  })
}

function tooLarge(bytes: number): SluiceError {
  return new SluiceError('ENTRY_TOO_LARGE', `an entry of ${bytes} bytes does not fit into the ledger`, {
    remedy: `An entry has at most ${ENTRY_BYTES} bytes: shorten the texts, or split what it says.`,
    facts: { bytes, limit: ENTRY_BYTES },
  })
}

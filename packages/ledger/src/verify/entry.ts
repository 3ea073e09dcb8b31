import { canonicalBytes, canonicalDigest, type Json, SluiceError } from '@sluice/core'
import type { Predicate } from '../entries/predicates.js'
import { isPredicate } from './forms.js'

/** A DSSE envelope around an in-toto Statement, read strictly; its signatures are not verified yet. */
export interface ReadEntry {
  readonly predicate: Predicate
  /** what the signatures are over: DSSE v1, "PAE" */
  readonly message: Uint8Array
  readonly signatures: readonly { readonly keyId: string; readonly signature: Uint8Array }[]
}

const PAYLOAD_TYPE = 'application/vnd.in-toto+json'
const START = '{"payload":"'
const MIDDLE = `","payloadType":"${PAYLOAD_TYPE}","signatures":[`
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * @param index where the entry stands, for the error
 * @throws SluiceError LEDGER_CORRUPT unless the bytes are exactly what a writer that follows the format writes
 */
export function readEntry(bytes: Uint8Array, index: number): ReadEntry {
  try {
    return read(bytes)
  } catch (cause) {
    if (cause instanceof Malformed) throw malformed(index, cause.message)
    throw malformed(index, 'it cannot be read')
  }
}

class Malformed extends Error {}

function read(bytes: Uint8Array): ReadEntry {
  if (bytes.length > 65_535) throw new Malformed('it is too large')
  const text = decoder.decode(bytes)
  const outer: unknown = JSON.parse(text)
  const { payload, signatures } = (outer ?? {}) as {
    payload?: unknown
    signatures?: { keyid: unknown; sig: unknown }[]
  }
  if (
    typeof payload !== 'string' ||
    !Array.isArray(signatures) ||
    signatures.length < 1 ||
    signatures.length > 64
  ) {
    throw new Malformed('it is not an envelope')
  }
  let expected = START + payload + MIDDLE
  const read = signatures.map((each, i) => {
    const { keyid, sig } = each ?? {}
    if (typeof keyid !== 'string' || typeof sig !== 'string') throw new Malformed('a signature is malformed')
    const signature = Buffer.from(sig, 'base64')
    if (signature.length !== 64 || signature.toString('base64') !== sig)
      throw new Malformed('a signature is malformed')
    const before = signatures[i - 1]?.keyid
    if (typeof before === 'string' && before >= keyid) throw new Malformed('its signatures are not in order')
    expected += `${i === 0 ? '' : ','}{"keyid":${JSON.stringify(keyid)},"sig":"${sig}"}`
    return { keyId: keyid, signature }
  })
  if (`${expected}]}` !== text) throw new Malformed('it is not in the canonical form')
  const inner = Buffer.from(payload, 'base64')
  if (inner.toString('base64') !== payload) throw new Malformed('its payload is not base64')
  const message = Buffer.concat([
    Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${inner.length} `),
    inner,
  ])
  return { predicate: readStatement(inner), message, signatures: read }
}

/** in-toto Attestation Framework v1, Statement. */
function readStatement(bytes: Buffer): Predicate {
  const text = decoder.decode(bytes)
  const value = JSON.parse(text) as { predicate?: unknown } | null
  const predicate = value?.predicate
  if (!isPredicate(predicate)) throw new Malformed('its predicate is not one of the known forms')
  const [name, sha256] = subjectOf(predicate)
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    predicate,
    predicateType: `urn:sluice:predicate:${predicate.kind}:v1`,
    subject: [{ digest: { sha256 }, name }],
  }
  if (!isPlainlyCanonical(statement, text) && !bytes.equals(canonicalBytes(statement)))
    throw new Malformed('its Statement is not about its predicate')
  checkDigests(predicate)
  return predicate
}

/**
 * The text is the canonical form (RFC 8785) of the value, seen without writing that form: JSON.stringify writes numbers
 * and texts as the standard does (section 3.2.2), so that only the order of names is left to look at. Half surrogates,
 * which have no canonical form, come as escapes. False says nothing.
 */
function isPlainlyCanonical(value: unknown, text: string): boolean {
  return JSON.stringify(value) === text && !text.includes('\\ud') && isOrdered(value)
}

/** The names of every object ascend by UTF-16 code units, as `<` compares texts. */
function isOrdered(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isOrdered)
  let last: string | undefined
  for (const [name, item] of Object.entries(value)) {
    if (last !== undefined && !(last < name)) return false
    last = name
    if (!isOrdered(item)) return false
  }
  return true
}

function subjectOf(predicate: Predicate): [string, string] {
  switch (predicate.kind) {
    case 'founding':
      return [`zone:${predicate.zone}`, canonicalDigest(predicate)]
    case 'party-founding':
      return [`party:${predicate.party.name}`, canonicalDigest(predicate)]
    case 'joint-start':
    case 'joint-end':
    case 'joint-break':
    case 'psi-start':
    case 'psi-end':
    case 'psi-break':
      return ['job', predicate.jobDigest]
    case 'psi-set':
    case 'psi-rotation':
      return [`prepared-set:${predicate.set}`, canonicalDigest(predicate)]
    case 'key-change':
      return [`principal:${predicate.principal.name}`, canonicalDigest(predicate)]
    case 'registration':
    case 'policy-change':
      return [`policy:${predicate.dataset}`, predicate.policyDigest]
    case 'retirement':
    case 'sample-consent':
    case 'sample':
      return [`dataset:${predicate.dataset}`, canonicalDigest(predicate)]
    default:
      return predicate.requestDigest === null
        ? ['refusal', canonicalDigest(predicate)]
        : ['request', predicate.requestDigest]
  }
}

/** What an entry says a digest is of must have that digest. */
function checkDigests(predicate: Predicate): void {
  if (
    predicate.kind === 'request' &&
    canonicalDigest(predicate.request as Json) !== predicate.requestDigest
  ) {
    throw new Malformed('its digest is not that of the request')
  }
  if (predicate.kind === 'registration' || predicate.kind === 'policy-change') {
    if (canonicalDigest(predicate.policy as Json) !== predicate.policyDigest) {
      throw new Malformed('its digest is not that of the policy')
    }
  }
}

function malformed(index: number, reason: string): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', `entry ${index} is malformed: ${reason}`, {
    rule: 'entry.form',
    remedy: 'Restore the ledger from a copy that verifies.',
    facts: { entry: index },
  })
}

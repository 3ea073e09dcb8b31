import { createHash } from 'node:crypto'
import serialize from 'canonicalize'
import { SluiceError } from './errors.js'

/** A value that JSON can hold. Numbers are safe integers or short decimals; 64-bit integers travel as text. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/**
 * The canonical bytes of a value (RFC 8785, JSON Canonicalization Scheme), in UTF-8. Two values that are equal as
 * JSON have the same bytes; signatures and digests are over these.
 *
 * @throws SluiceError INTERNAL where the value is not JSON (a NaN, an unpaired surrogate, a function)
 */
export function canonicalBytes(value: Json | object): Uint8Array {
  let text: string | undefined
  try {
    text = serialize(value)
  } catch (cause) {
    throw new SluiceError('INTERNAL', 'a value has no canonical JSON form', { cause })
  }
  if (text === undefined || !text.isWellFormed()) {
    throw new SluiceError('INTERNAL', 'a value has no canonical JSON form')
  }
  return new TextEncoder().encode(text)
}

/** SHA-256 (FIPS 180-4) of the canonical bytes, as 64 lower-case hexadecimal digits. */
export function canonicalDigest(value: Json | object): string {
  return createHash('sha256').update(canonicalBytes(value)).digest('hex')
}

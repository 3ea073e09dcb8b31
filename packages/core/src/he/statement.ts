import { hash } from 'node:crypto'
import { z } from 'zod'
import { canonicalBytes, type Json } from '../canonical.js'
import { SluiceError } from '../errors.js'
import type { Party } from './aggregation.js'

/** Somebody who can sign: a key file of `@sluice/ledger`, or whatever else holds an Ed25519 key. */
export interface Signer {
  readonly name: string
  readonly publicKey: string
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** Checks an Ed25519 signature under a public key as a `Party` writes it; false, never an error. */
export type VerifySignature = (key: string, bytes: Uint8Array, signature: Uint8Array) => boolean

/** A contributor's: these ciphertexts are mine, for this aggregation. */
export interface ContributionStatement {
  readonly form: 'sluice-he-contribution/1'
  readonly aggregation: string
  readonly contributor: string
  readonly parameters: string
  /** SHA-256 over the SHA-256 digests of the ciphertexts, in order */
  readonly ciphertexts: string
}

/** The adder's: this is the sum of these contributions and of no others. */
export interface SumStatement {
  readonly form: 'sluice-he-sum/1'
  readonly aggregation: string
  readonly adder: string
  readonly parameters: string
  readonly ciphertexts: string
  /** in the aggregation's order of contributors, with the digest of each one's signed statement */
  readonly contributions: readonly { readonly contributor: string; readonly statement: string }[]
}

/** The auditor's: recomputed from the signed contributions, the sum is the same byte for byte. */
export interface AuditStatement {
  readonly form: 'sluice-he-audit/1'
  readonly aggregation: string
  readonly auditor: string
  /** digest of the sum's signed statement */
  readonly sum: string
}

export type Statement = ContributionStatement | SumStatement | AuditStatement

/** A statement as it travels: canonical JSON and 64 bytes of signature. */
export interface Signed<S extends Statement> {
  readonly statement: S
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
  /** SHA-256 of statement and signature, hexadecimal */
  readonly digest: string
}

export const SIGNATURE_BYTES = 64
export const STATEMENT_BYTES = 32 * 2 ** 20

export async function signStatement<S extends Statement>(statement: S, signer: Signer): Promise<Signed<S>> {
  const bytes = statementBytes(statement)
  return signed(statement, bytes, await signer.sign(message(bytes)))
}

export function statementBytes(statement: Statement): Uint8Array {
  return canonicalBytes(statement as unknown as Json)
}

/**
 * Parses a statement of the wanted form and checks its signature under the party's key.
 *
 * @throws SluiceError FILE_FORMAT, SIGNATURE_INVALID
 */
export function readStatement<F extends Statement['form']>(
  form: F,
  bytes: Uint8Array,
  signature: Uint8Array,
): Signed<Extract<Statement, { form: F }>> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw malformed(form)
  }
  const parsed = SCHEMAS[form].safeParse(json)
  if (!parsed.success) throw malformed(form)
  const statement = parsed.data as Extract<Statement, { form: F }>
  if (Buffer.compare(statementBytes(statement), bytes) !== 0) throw malformed(form)
  return signed(statement, bytes, signature)
}

export function assertSigned(
  { bytes, signature }: Signed<Statement>,
  by: Party,
  verify: VerifySignature,
): void {
  if (verify(by.key, message(bytes), signature)) return
  throw new SluiceError('SIGNATURE_INVALID', `the signature is not that of "${by.name}" over this file`, {
    rule: 'he.signature',
    remedy: 'Use the file as its signer wrote it, and the key that the aggregation names.',
  })
}

export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}

function signed<S extends Statement>(statement: S, bytes: Uint8Array, signature: Uint8Array): Signed<S> {
  return { statement, bytes, signature, digest: sha256Hex(Buffer.concat([bytes, signature])) }
}

/** What is signed says what kind of thing it is: no signature for another purpose is ever one of these. */
function message(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([CONTEXT, bytes])
}

const CONTEXT = Buffer.from('sluice homomorphic aggregation v1\n')

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const name = z.string().min(1).max(200)

const SCHEMAS = {
  'sluice-he-contribution/1': z.strictObject({
    form: z.literal('sluice-he-contribution/1'),
    aggregation: digest,
    contributor: name,
    parameters: name,
    ciphertexts: digest,
  }),
  'sluice-he-sum/1': z.strictObject({
    form: z.literal('sluice-he-sum/1'),
    aggregation: digest,
    adder: name,
    parameters: name,
    ciphertexts: digest,
    contributions: z.array(z.strictObject({ contributor: name, statement: digest })).max(200_000),
  }),
  'sluice-he-audit/1': z.strictObject({
    form: z.literal('sluice-he-audit/1'),
    aggregation: digest,
    auditor: name,
    sum: digest,
  }),
} as const

function malformed(form: string): SluiceError {
  return new SluiceError('FILE_FORMAT', `this is not a statement of form ${form}`, {
    rule: 'he.statement',
    remedy: 'Use the file as it was written: it was changed, cut, or is another kind of file.',
  })
}

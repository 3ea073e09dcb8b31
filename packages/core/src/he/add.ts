import { SluiceError } from '../errors.js'
import { type Aggregation, aggregationDigest, type Party, shapeOf } from './aggregation.js'
import { combine, openContributions } from './combine.js'
import { type ByteSink, type ByteSource, ContainerWriter } from './container.js'
import type { WorkOptions } from './contribute.js'
import {
  type Signed,
  type Signer,
  type SumStatement,
  signStatement,
  statementBytes,
  type VerifySignature,
} from './statement.js'

export interface AddInput {
  readonly contributions: readonly ByteSource[]
  readonly signer: Signer
  readonly verify: VerifySignature
}

/**
 * The adder's part: checks every contribution, adds them, signs the list of those that went in. It holds no key that
 * could open anything.
 *
 * @throws SluiceError whatever `openContributions` refuses; ROLE_DENIED (the signer is not the adder); FILE_FORMAT
 * `he.ciphertext`, FINGERPRINT_MISMATCH, naming the contributor; ENGINE_KILLED; INTERRUPTED
 */
export async function add(
  aggregation: Aggregation,
  { contributions: sources, signer, verify }: AddInput,
  sink: ByteSink,
  options: WorkOptions = {},
): Promise<Signed<SumStatement>> {
  assertRole(aggregation.adder, signer, 'adder')
  const contributions = await openContributions(aggregation, sources, verify)
  const statement = (ciphertexts: string): SumStatement => ({
    form: 'sluice-he-sum/1',
    aggregation: aggregationDigest(aggregation),
    adder: aggregation.adder.name,
    parameters: aggregation.parameters,
    ciphertexts,
    contributions: contributions.map(({ contributor, opened }) => ({
      contributor: contributor.name,
      statement: opened.signed.digest,
    })),
  })
  const writer = new ContainerWriter(
    sink,
    shapeOf(aggregation),
    statementBytes(statement('0'.repeat(64))).length,
  )
  const take = (place: number, sum: { bytes: Uint8Array; digests: Uint8Array }) =>
    writer.put(place, sum.bytes, sum.digests)
  await combine(aggregation, contributions, take, 'add', options)
  const signed = await signStatement(statement(writer.ciphertexts), signer)
  await writer.finish(signed)
  return signed
}

/** @throws SluiceError ROLE_DENIED */
export function assertRole(party: Party | null, signer: Signer, role: string): void {
  if (party !== null && party.key === signer.publicKey) return
  throw new SluiceError(
    'ROLE_DENIED',
    `the key of "${signer.name}" is not that of the aggregation’s ${role}`,
    {
      rule: 'he.role',
      remedy:
        party === null ? `Use an aggregation that names an ${role}.` : `Use the key of "${party.name}".`,
    },
  )
}

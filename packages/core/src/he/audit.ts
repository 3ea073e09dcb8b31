import { SluiceError } from '../errors.js'
import { assertRole } from './add.js'
import { type Aggregation, aggregationDigest, shapeOf } from './aggregation.js'
import { combine, openContributions } from './combine.js'
import { type ByteSource, type Opened, openContainer } from './container.js'
import type { WorkOptions } from './contribute.js'
import { DIGEST_BYTES } from './lane.js'
import {
  type AuditStatement,
  assertSigned,
  readStatement,
  SIGNATURE_BYTES,
  type Signed,
  type Signer,
  type SumStatement,
  signStatement,
  type VerifySignature,
} from './statement.js'

export interface AuditInput {
  readonly sum: ByteSource
  /** those that the sum's list names, no more and no fewer */
  readonly contributions: readonly ByteSource[]
  readonly signer: Signer
  readonly verify: VerifySignature
}

/**
 * An auditor's part, without any key to the data: adds the signed contributions again and signs that the adder's sum
 * is the same byte for byte.
 *
 * @returns the audit's file: statement and signature
 * @throws SluiceError PROOF_INVALID `he.audit` (the sum is not that of its list); whatever `openContributions` refuses;
 * ROLE_DENIED
 */
export async function audit(
  aggregation: Aggregation,
  { sum: source, contributions: sources, signer, verify }: AuditInput,
  options: WorkOptions = {},
): Promise<Uint8Array> {
  assertRole(aggregation.auditor, signer, 'auditor')
  const sum = await openSum(aggregation, source, verify)
  const contributions = await openContributions(aggregation, sources, verify)
  const listed = sum.signed.statement.contributions
  const same =
    listed.length === contributions.length &&
    contributions.every(
      ({ contributor, opened }, index) =>
        listed[index]!.contributor === contributor.name && listed[index]!.statement === opened.signed.digest,
    )
  if (!same) throw notTheSum('the contributions are not those that the sum lists')
  const compare = async (place: number, { digests }: { digests: Uint8Array }) => {
    const said = sum.digests.subarray(place * DIGEST_BYTES).subarray(0, digests.length)
    if (Buffer.compare(digests, said) !== 0) throw notTheSum('the sum is not that of its contributions')
  }
  await combine(aggregation, contributions, compare, 'audit', options)
  const statement: AuditStatement = {
    form: 'sluice-he-audit/1',
    aggregation: aggregationDigest(aggregation),
    auditor: signer.name,
    sum: sum.signed.digest,
  }
  const { bytes, signature } = await signStatement(statement, signer)
  return new Uint8Array(Buffer.concat([signature, bytes]))
}

/** Reads a sum and checks the adder's signature. */
export async function openSum(
  aggregation: Aggregation,
  source: ByteSource,
  verify: VerifySignature,
): Promise<Opened<SumStatement>> {
  const sum = await openContainer(
    'sluice-he-sum/1',
    source,
    { digest: aggregationDigest(aggregation), parameters: aggregation.parameters },
    shapeOf(aggregation),
  )
  assertSigned(sum.signed, aggregation.adder, verify)
  return sum
}

/** @throws SluiceError NOT_APPROVED `he.audit` where there is none, SIGNATURE_INVALID, PROOF_INVALID for another sum */
export function assertAudited(
  aggregation: Aggregation,
  sum: Signed<SumStatement>,
  file: Uint8Array | null,
  verify: VerifySignature,
): void {
  if (aggregation.auditor === null) return
  if (file === null) {
    throw new SluiceError('NOT_APPROVED', 'the sum was not audited', {
      rule: 'he.audit',
      remedy: `Give the file that "${aggregation.auditor.name}" wrote with \`sluice he audit\`.`,
    })
  }
  const signed = readStatement(
    'sluice-he-audit/1',
    file.subarray(SIGNATURE_BYTES),
    file.subarray(0, SIGNATURE_BYTES),
  ) satisfies Signed<AuditStatement>
  assertSigned(signed, aggregation.auditor, verify)
  if (signed.statement.sum === sum.digest && signed.statement.aggregation === sum.statement.aggregation)
    return
  throw notTheSum('the audit is of another sum')
}

function notTheSum(message: string): SluiceError {
  return new SluiceError('PROOF_INVALID', message, {
    rule: 'he.audit',
    remedy: 'Use the sum, its contributions and its audit as they belong together; else ask the adder.',
  })
}

import { SluiceError } from '@sluice/core'
import { isKeyName } from '@sluice/ledger/keys'
import { z } from 'zod'
import { type PreparedKey, publicHalf } from '../prepared.js'
import { MAXIMUM_PREPARED, type PreparedHead, preparedDigest } from '../prepared-layout.js'
import type { Ristretto } from '../ristretto.js'
import type { PsiJob } from './job.js'

const hex64 = z.string().regex(/^[0-9a-f]{64}$/)

/** What a job says of a prepared set: whose it is, which file it is, and under which key. */
export const preparedInJob = z.strictObject({
  /** the party that has the key, and answers */
  owner: z.string().refine(isKeyName, 'no name'),
  /** digest of the file: the other party tests against this one alone */
  file: hex64,
  set: hex64,
  key: hex64,
  epoch: z.int().min(1),
  /** RFC 3339, UTC: from then on the key answers no more */
  expires: z.iso.datetime(),
  /** items, as padded */
  count: z.int().min(1).max(MAXIMUM_PREPARED),
})

export type PreparedInJob = z.infer<typeof preparedInJob>

/** What a job gets of a prepared set: `prepared`, and the columns of its key. */
export function preparedOf(head: PreparedHead, owner: string): Pick<PsiJob, 'prepared' | 'key'> {
  const { set, key, epoch, expires, count, columns } = head
  return { prepared: { owner, file: preparedDigest(head), set, key, epoch, expires, count }, key: columns }
}

/** @throws what `invalid` makes of a place and a reason */
export function checkPrepared(
  { protocol, prepared, parties, receivers }: PsiJob,
  invalid: (at: string, reason: string) => SluiceError,
): void {
  if (protocol !== 'oprf') {
    if (prepared === undefined) return
    throw invalid('prepared', 'the protocol "oprf" has a prepared set, and no other has')
  }
  if (prepared === undefined)
    throw invalid('prepared', 'the protocol "oprf" has a prepared set, and no other has')
  if (parties.length !== 2)
    throw invalid('parties', 'two parties take part, of which one has prepared its set')
  if (!parties.some(({ name }) => name === prepared.owner)) throw invalid('prepared.owner', 'it is no party')
  const [{ name, learns }] = receivers as [PsiJob['receivers'][number]]
  if (receivers.length > 1 || name === prepared.owner || learns !== 'which')
    throw invalid(
      'receivers',
      'of a prepared set, the other party learns which of its keys are in it, and nobody else',
    )
}

/** Of one party what it needs beside the job: of the owner its key, of the other the head of the file that it has. */
export type PreparedSide = { readonly key: PreparedKey } | { readonly head: PreparedHead }

/**
 * Are these the key and the file that the job names, and is it in force?
 *
 * @throws SluiceError JOB_MISMATCH (another file, or a key that was rotated), APPROVAL_EXPIRED, USAGE (not given)
 */
export function checkPreparedSide(
  job: PsiJob,
  party: string,
  side: PreparedSide | undefined,
  group: Ristretto,
  now: Date,
): void {
  const { prepared } = job
  if (prepared === undefined) return
  const expires = expiryOf(prepared, side)
  if (now.getTime() >= Date.parse(expires)) {
    throw new SluiceError('APPROVAL_EXPIRED', `the prepared set was to be rotated on ${expires}`, {
      rule: 'psi.rotation',
      remedy: 'Have its owner rotate the key and prepare the set again, and agree on a job with the new one.',
    })
  }
  const owns = party === prepared.owner
  if (side === undefined || owns !== 'key' in side) {
    throw new SluiceError(
      'USAGE',
      owns
        ? 'this party answers with the key of its prepared set'
        : 'this party tests against a prepared set',
      { remedy: owns ? 'Name its file with --oprf-key FILE.' : 'Name its file with --prepared FILE.' },
    )
  }
  if ('head' in side) {
    if (preparedDigest(side.head) === prepared.file) return
    throw new SluiceError('JOB_MISMATCH', 'this is another prepared set than the job’s', {
      rule: 'psi.prepared',
      remedy: 'Ask its owner for the file that the job names, or agree on a job with this one.',
    })
  }
  const { key } = side
  if (key.set === prepared.set && key.epoch === prepared.epoch && publicHalf(key, group) === prepared.key)
    return
  throw new SluiceError(
    'JOB_MISMATCH',
    'the key is another than the one that the job’s set was prepared under',
    {
      rule: 'psi.rotation',
      remedy: 'After a rotation, prepare the set again and agree on a job with the new file.',
    },
  )
}

/** The earlier of the job's date and that of the owner's key: whoever writes a job does not put off a rotation. */
function expiryOf({ expires }: PreparedInJob, side: PreparedSide | undefined): string {
  const own = side !== undefined && 'key' in side ? side.key.expires : undefined
  return own !== undefined && Date.parse(own) < Date.parse(expires) ? own : expires
}

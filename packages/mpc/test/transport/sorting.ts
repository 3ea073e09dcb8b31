import { approveJob, type Endpoint, type LinkLimits, meet, type Protocol, Session } from '@sluice/mpc'
import { establish, type Index, inputOf, open, sortBy } from '@sluice/mpc/replicated'
import { job, people } from '../session/parties.js'

const VALUES = BigUint64Array.from({ length: 400 }, (_, i) => BigInt((i * 37) % 64))
export const SORTED = VALUES.toSorted()

/** A sort by six bits, opened to all: some sixty rounds among three parties over TLS. */
export async function sortTogether(
  participants: readonly Endpoint[],
  self: number,
  {
    limits,
    seconds = 60,
    listen,
  }: { limits?: LinkLimits; seconds?: number; listen?: Endpoint['address'] } = {},
): Promise<BigUint64Array> {
  const signer = people[self]!
  const streams = await meet({ participants, self, signer, wait: 30, ...(listen && { listen }) })
  const approval = await approveJob(job.digest, signer)
  const session = await Session.open({ job, self, approval, streams, seconds, ...(limits && { limits }) })
  const sorted = await session.run(sorting(self as Index, session.id))
  await session.end()
  return sorted
}

function* sorting(self: Index, session: string): Protocol<BigUint64Array> {
  const party = yield* establish(self, session)
  const values = yield* inputOf(party, 1, self === 1 ? VALUES : VALUES.length)
  const [sorted] = yield* sortBy(party, [{ values, bits: 6 }], [values])
  return (yield* open(party, sorted!, [0, 1, 2]))!
}

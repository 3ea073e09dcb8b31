import { isSluiceError, SluiceError } from '../errors.js'
import { type Aggregation, aggregationDigest, type Party, type Shape, shapeOf } from './aggregation.js'
import { type ByteSource, type Opened, openContainer } from './container.js'
import type { WorkOptions } from './contribute.js'
import { InFlight } from './in-flight.js'
import { type Answer, DIGEST_BYTES } from './lane.js'
import { assertSigned, type ContributionStatement, type VerifySignature } from './statement.js'
import { type Lanes, openLanes } from './threads.js'

export interface Contribution {
  readonly contributor: Party
  readonly opened: Opened<ContributionStatement>
}

/**
 * Opens every contribution and checks all that can be checked without a key: form and size, that it is for this
 * aggregation, the contributor's signature, that it comes from a named contributor and only once.
 *
 * @returns them in the aggregation's order of contributors, however they were given
 * @throws SluiceError KEY_UNKNOWN (a stranger), APPROVAL_DUPLICATE (a second one), SIGNATURE_INVALID, FILE_FORMAT,
 * FINGERPRINT_MISMATCH, APPROVAL_MISMATCH, each naming the file; DISCLOSURE_REFUSED `he.minimum-contributors`
 */
export async function openContributions(
  aggregation: Aggregation,
  sources: readonly ByteSource[],
  verify: VerifySignature,
): Promise<Contribution[]> {
  const shape = shapeOf(aggregation)
  // once: it is over all contributors
  const named = { digest: aggregationDigest(aggregation), parameters: aggregation.parameters }
  const places = new Map(aggregation.contributors.map((party, place) => [party.name, place]))
  const found: Contribution[] = new Array(aggregation.contributors.length)
  for (const source of sources) {
    const opened = await openContainer('sluice-he-contribution/1', source, named, shape).catch(error => {
      throw about(source.name, error)
    })
    const { contributor: name } = opened.signed.statement
    const place = places.get(name)
    if (place === undefined) {
      throw new SluiceError('KEY_UNKNOWN', `${source.name} is from "${name}", who is no contributor`, {
        rule: 'he.contributor',
        remedy: 'Use contributions of those whom the aggregation names.',
        facts: { contributor: name },
      })
    }
    const contributor = aggregation.contributors[place]!
    assertSigned(opened.signed, contributor, verify)
    if (found[place] !== undefined) {
      throw new SluiceError('APPROVAL_DUPLICATE', `"${name}" is there twice`, {
        rule: 'he.double',
        remedy: 'Give one contribution of each contributor; ask which one counts.',
        facts: { contributor: name },
      })
    }
    found[place] = { contributor, opened }
  }
  const contributions = found.filter(contribution => contribution !== undefined)
  assertEnough(aggregation, contributions.length)
  return contributions
}

export function assertEnough({ minimumContributors }: Aggregation, count: number): void {
  if (count >= minimumContributors) return
  throw new SluiceError('DISCLOSURE_REFUSED', 'too few contributors: their sum would tell of one of them', {
    rule: 'he.minimum-contributors',
    remedy: `Have at least ${minimumContributors} contributions.`,
    facts: { contributions: count, minimum: minimumContributors },
  })
}

/**
 * Adds the contributions, one place of the body after the other. Addition is deterministic: whoever has the
 * same contributions gets the same bytes.
 *
 * @param take what to do with the sum at this place
 */
export async function combine(
  aggregation: Aggregation,
  contributions: readonly Contribution[],
  take: (place: number, sum: Answer) => Promise<void>,
  stage: string,
  options: WorkOptions,
): Promise<void> {
  const shape = shapeOf(aggregation)
  const { ciphertexts, ciphertextBytes } = shape
  const run = Math.max(1, Math.floor(MESSAGE_BYTES / (contributions.length * ciphertextBytes)))
  const lanes = await openLanes({ set: aggregation.parameters }, Math.ceil(ciphertexts / run), options)
  try {
    const work = new InFlight(2 * lanes.width)
    let done = 0
    for (let place = 0; place < ciphertexts; place += run) {
      const count = Math.min(run, ciphertexts - place)
      await work.add(async () => {
        await take(place, await sumAt({ place, count }, contributions, shape, lanes))
        done += count
        options.onProgress?.({ stage, fraction: done / ciphertexts })
      })
    }
    await work.end()
  } finally {
    await lanes.close()
  }
}

/** What one message to a thread carries, about, however many contributors there are. */
const MESSAGE_BYTES = 4 * 2 ** 20

/** Ciphertexts that follow each other in the body. */
interface Run {
  readonly place: number
  readonly count: number
}

async function sumAt(
  { place, count }: Run,
  contributions: readonly Contribution[],
  { set, ciphertextBytes }: Shape,
  lanes: Lanes,
): Promise<Answer> {
  const residue = place % set.plainPrimes.length
  const most = Math.max(2, Math.floor(MESSAGE_BYTES / (count * ciphertextBytes)))
  let carried: Answer | undefined
  for (let from = 0; from < contributions.length; from += most) {
    const batch = contributions.slice(from, from + most)
    const carry = carried === undefined ? [] : [carried]
    const parts = [
      ...carry.map(({ bytes }) => bytes),
      ...(await Promise.all(batch.map(({ opened }) => opened.ciphertexts(place, count)))),
    ]
    const digests = [
      ...carry.map(sum => sum.digests),
      ...batch.map(({ opened }) =>
        opened.digests.slice(place * DIGEST_BYTES, (place + count) * DIGEST_BYTES),
      ),
    ]
    try {
      carried = await lanes.run({ kind: 'add', residue, parts, digests })
    } catch (error) {
      const part = isSluiceError(error) ? error.facts?.['part'] : undefined
      const whose = typeof part === 'number' ? batch[part - carry.length] : undefined
      throw whose === undefined ? error : about(`the contribution of "${whose.contributor.name}"`, error)
    }
  }
  return carried!
}

/** The same error, said of this file or contribution. */
function about(whose: string, error: unknown): unknown {
  if (!isSluiceError(error)) return error
  const { code, message, rule, remedy } = error
  return new SluiceError(code, message.startsWith(whose) ? message : `${whose}: ${message}`, {
    ...(rule && { rule }),
    ...(remedy && { remedy }),
  })
}

import { withContributors } from '../disclosure/contributors.js'
import { type RawResult, sealRawResult } from '../disclosure/results.js'
import { SluiceError } from '../errors.js'
import { ApprovedPlan } from '../plan/approved.js'
import { encodePlan } from '../plan/encode.js'
import type { ExecuteOptions, Executor } from '../plan/executor.js'
import { type Aggregation, aggregationDigest, componentBounds, HE_ENGINE, shapeOf } from './aggregation.js'
import { assertAudited, openSum } from './audit.js'
import { assertEnough } from './combine.js'
import type { ByteSource, Opened } from './container.js'
import { layoutOf } from './layout.js'
import { OpenedTable, type Totals } from './opened.js'
import { openedRuns } from './opening.js'
import { type SumStatement, sha256Hex, type VerifySignature } from './statement.js'
import { type LaneOptions, openLanes, ReadyThreads } from './threads.js'
import { anyOutside } from './words.js'

/** What the key holder has for one opening. */
export interface HeInputs {
  readonly aggregation: Aggregation
  /**
   * The canonical bytes of the request that was approved: their SHA-256 is the approved digest. They are the
   * aggregation's own bytes, or JSON whose field `aggregation` is its digest.
   */
  readonly request: Uint8Array
  readonly sum: ByteSource
  /** the auditor's file; null only where the aggregation names none */
  readonly audit: Uint8Array | null
  readonly secretKey: Uint8Array
  readonly verify: VerifySignature
  /**
   * Called with the digest of the sum before anything is decrypted; it has to fail where another sum was opened with
   * this key. A key that opens once answers no chosen ciphertexts (ePrint 2024/116, 2024/127).
   */
  claim(sum: string): Promise<void>
}

/**
 * The key holder's opening, and the only thing here that decrypts. What comes out is a `RawResult`, which nobody can
 * read but the disclosure check.
 *
 * @example
 * const raw = await new HeExecutor().execute(approved, inputs)
 * const released = await release(await checkDisclosure(raw), { writer, operator, run, results })
 */
export class HeExecutor implements Executor<HeInputs> {
  readonly engine = HE_ENGINE
  readonly #lanes: Pick<LaneOptions, 'threads' | 'patience'>
  #ready: ReadyThreads | undefined

  constructor(lanes: Pick<LaneOptions, 'threads' | 'patience'> = {}) {
    this.#lanes = lanes
  }

  /**
   * Starts the threads for an opening to come, which takes a fifth of a second, while approvals and the sum are still
   * being read. They have no key, and keep no process alive.
   */
  prepare({ parameters }: Pick<Aggregation, 'parameters'>): void {
    if (this.#lanes.threads !== 0) this.#ready ??= new ReadyThreads(parameters, this.#lanes.threads)
  }

  /** Ends threads that were started and not used. */
  async close(): Promise<void> {
    await this.#ready?.close()
  }

  /**
   * @throws SluiceError APPROVAL_MISMATCH (the aggregation is not the approved one), DISCLOSURE_REFUSED
   * `he.minimum-contributors`, `contributors.minimum` (the policy's), `he.total`; NOT_APPROVED, PROOF_INVALID `he.audit`; SIGNATURE_INVALID, FILE_FORMAT,
   * FINGERPRINT_MISMATCH for the sum; KEY_INVALID; EVIDENCE_UNDEFINED; INTERRUPTED; whatever `claim` throws
   */
  async execute(approved: ApprovedPlan, inputs: HeInputs, options: ExecuteOptions = {}): Promise<RawResult> {
    const started = performance.now()
    const { reviewed, requestDigest } = ApprovedPlan.check(approved)
    const { aggregation } = inputs
    assertBound(aggregation, inputs.request, requestDigest, reviewed.planDigest)
    const layout = layoutOf(reviewed)
    if (Buffer.compare(encodePlan(layout.local), encodePlan(aggregation.local)) !== 0) {
      throw mismatch('what contributors computed is not what the plan and the policies in force ask')
    }
    const shape = shapeOf(aggregation)
    const sum = await openable(inputs)
    const { contributions } = sum.signed.statement
    // what the check would refuse afterwards is not even decrypted
    withContributors(reviewed.obligations, contributions.length)
    await inputs.claim(sum.signed.digest)
    const opened = new OpenedTable(reviewed.plan, layout, aggregation.groups)
    const lanes = await openLanes(
      { set: shape.set.name, secretKey: inputs.secretKey },
      shape.ciphertexts,
      { ...this.#lanes, ...(options.signal && { signal: options.signal }) },
      this.#ready,
    )
    try {
      for await (const { first, totals } of openedRuns(lanes, shape, sum, options)) {
        assertTotals(aggregation, totals, contributions.length)
        opened.add(first, totals)
      }
    } finally {
      await lanes.close()
    }
    const { table, evidence } = opened.finish()
    return sealRawResult({
      approved,
      table,
      keep: null,
      keepDependsOn: [],
      rank: null,
      rankDependsOn: [],
      keyRank: ascending(table.numRows),
      limit: null,
      evidence,
      contributors: contributions.length,
      isolation: 'process',
      milliseconds: performance.now() - started,
    })
  }
}

/**
 * Whether a sum could be opened, as far as that shows without decrypting: its form, the adder's signature, the list of
 * contributors, their least number, the audit.
 *
 * @throws SluiceError DISCLOSURE_REFUSED `he.minimum-contributors`; NOT_APPROVED, PROOF_INVALID `he.audit`;
 * PROOF_INVALID `he.list`; SIGNATURE_INVALID, FILE_FORMAT, FINGERPRINT_MISMATCH, APPROVAL_MISMATCH
 */
export async function assertOpenable(
  inputs: Pick<HeInputs, 'aggregation' | 'sum' | 'audit' | 'verify'>,
): Promise<void> {
  await openable(inputs)
}

async function openable({
  aggregation,
  sum: source,
  audit,
  verify,
}: Pick<HeInputs, 'aggregation' | 'sum' | 'audit' | 'verify'>): Promise<Opened<SumStatement>> {
  const sum = await openSum(aggregation, source, verify)
  const { contributions } = sum.signed.statement
  assertListed(aggregation, contributions)
  assertEnough(aggregation, contributions.length)
  assertAudited(aggregation, sum.signed, audit, verify)
  return sum
}

function ascending(count: number): Uint32Array {
  const ranks = new Uint32Array(count)
  for (let row = 0; row < count; row++) ranks[row] = row
  return ranks
}

function assertBound(
  aggregation: Aggregation,
  request: Uint8Array,
  requestDigest: string,
  planDigest: string,
): void {
  const digest = aggregationDigest(aggregation)
  if (aggregation.planDigest !== planDigest) throw mismatch('the aggregation is for another plan')
  if (sha256Hex(request) !== requestDigest) throw mismatch('the request is not the approved one')
  if (requestDigest !== digest && namedBy(request) !== digest) {
    throw mismatch('the approved request is for another aggregation')
  }
}

function namedBy(request: Uint8Array): unknown {
  try {
    return (JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(request)) as Record<string, unknown>)[
      'aggregation'
    ]
  } catch {
    return undefined
  }
}

/** The list holds contributors of the aggregation, each once. */
function assertListed(aggregation: Aggregation, list: SumStatement['contributions']): void {
  const known = new Set(aggregation.contributors.map(({ name }) => name))
  const listed = new Set(list.map(({ contributor }) => contributor))
  if (listed.size === list.length && [...listed].every(name => known.has(name))) return
  throw new SluiceError('PROOF_INVALID', 'the sum’s list holds a stranger, or somebody twice', {
    rule: 'he.list',
    remedy: 'Use a sum of the aggregation’s contributors, each once.',
  })
}

/** No total of honest contributors is larger: one that is was falsified, and is not released. */
function assertTotals(aggregation: Aggregation, totals: Totals, contributions: number): void {
  const { aggregates } = aggregation.local.root as Extract<
    Aggregation['local']['root'],
    { kind: 'aggregate' }
  >
  for (const [component, bound] of componentBounds(aggregation).entries()) {
    const most = bound * BigInt(contributions)
    const least = aggregates[component]!.function === 'count' ? 0n : -most
    if (!anyOutside(totals[component]!, least, most)) continue
    throw new SluiceError('DISCLOSURE_REFUSED', 'a total lies outside what was declared', {
      rule: 'he.total',
      remedy:
        'A contributor encrypted what it had not declared. Begin a new aggregation, and have a word with them.',
    })
  }
}

function mismatch(message: string): SluiceError {
  return new SluiceError('APPROVAL_MISMATCH', message, {
    rule: 'he.approved',
    remedy: 'Use the aggregation whose digest the approved request names.',
  })
}

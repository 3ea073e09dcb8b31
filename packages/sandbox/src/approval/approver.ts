import { randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import type { Approval, Rejection, Revocation } from '@sluice/ledger'
import { sign } from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import { type ReviewableRequest, readRequestExport } from '../request/export.js'
import { expiryFrom } from './expiry.js'

export interface ApproveOptions {
  /** the digest that the approver reviewed; another one is refused */
  readonly digest: string
  /** a span such as `30d` or `12h`, or a time; at most a year ahead */
  readonly expires?: string | Date
  /** runs that this approval allows; what the request asks for where it is not given */
  readonly maxRuns?: number
  /** `same-schema`: later versions of the dataset too, where its policy allows that */
  readonly datasetVersions?: Approval['datasetVersions']
  /** narrower ranges than the request's, by parameter */
  readonly parameters?: Approval['parameters']
}

export interface ApproverEnvironment {
  readonly now?: () => Date
  readonly random?: (bytes: number) => Uint8Array
}

/**
 * A principal who decides on requests, on their own machine: it needs the exported request and their key, neither
 * the zone nor a database. What it returns is a signature file (a DSSE envelope) that the operator imports.
 *
 * ```ts
 * const owner = new Approver(await KeyFile.open('owner.key', { passphrase }))
 * const request = owner.review(await readFile('request.json'))
 * const signature = await owner.approve(request, { digest: request.digest, expires: '30d', maxRuns: 10 })
 * ```
 */
export class Approver {
  readonly #signer: Signer
  readonly #now: () => Date
  readonly #random: (bytes: number) => Uint8Array

  constructor(signer: Signer, environment: ApproverEnvironment = {}) {
    this.#signer = signer
    this.#now = environment.now ?? (() => new Date())
    this.#random = environment.random ?? randomBytes
  }

  /** Reads an exported request and reviews it here; see `readRequestExport` for what it throws. */
  review(exported: Uint8Array): ReviewableRequest {
    return readRequestExport(exported, this.#now())
  }

  /**
   * @throws SluiceError APPROVAL_MISMATCH where the digest is not this request's; SELF_APPROVAL where the signer is
   *   the consumer; PARAMETER_INVALID for a number of runs or an expiry out of range
   */
  async approve(request: ReviewableRequest | Uint8Array, options: ApproveOptions): Promise<Uint8Array> {
    const reviewable = request instanceof Uint8Array ? this.review(request) : request
    assertReviewed(reviewable, options.digest)
    if (reviewable.document.consumer === this.#signer.name) {
      throw new SluiceError('SELF_APPROVAL', 'nobody approves their own request', {
        rule: 'approval.self',
        remedy: 'Send the exported request to the owner of the data and to a reviewer.',
      })
    }
    const now = this.#now()
    const approval: Approval = {
      kind: 'approval',
      time: now.toISOString(),
      zone: reviewable.document.zone,
      requestDigest: reviewable.digest,
      approver: this.#signer.name,
      expires: expiryFrom(options.expires ?? '30d', now).toISOString(),
      maxRuns: runsFrom(options.maxRuns ?? reviewable.document.maxRuns),
      datasetVersions: options.datasetVersions ?? 'exact',
      parameters: options.parameters ?? {},
      nonce: Buffer.from(this.#random(16)).toString('hex'),
    }
    return (await sign(approval, this.#signer)).bytes
  }

  reject(request: ReviewableRequest, reason: string): Promise<Uint8Array> {
    return this.#decide({
      kind: 'rejection',
      time: this.#now().toISOString(),
      requestDigest: request.digest,
      reason,
    })
  }

  revoke(requestDigest: string, reason: string): Promise<Uint8Array> {
    return this.#decide({ kind: 'revocation', time: this.#now().toISOString(), requestDigest, reason })
  }

  async #decide(predicate: Rejection | Revocation): Promise<Uint8Array> {
    return (await sign(predicate, this.#signer)).bytes
  }
}

function assertReviewed(request: ReviewableRequest, digest: string): void {
  if (request.digest === digest) return
  throw new SluiceError('APPROVAL_MISMATCH', 'the digest given is not the digest of this request', {
    rule: 'approval.digest',
    remedy: `Review the request again; its digest is ${request.digest}.`,
  })
}

function runsFrom(count: number): number {
  if (Number.isSafeInteger(count) && count >= 1 && count <= 1_000_000) return count
  throw new SluiceError('PARAMETER_INVALID', 'the number of runs is a whole number from 1 to 1000000', {
    rule: 'approval.maxRuns',
  })
}

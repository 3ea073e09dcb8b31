import type { Signer } from '@sluice/ledger/keys'
import { findRequest, type RequestSummary, type Requests } from '../request/requests.js'
import type { ZoneContext } from '../zone/context.js'
import { assertAcceptable } from './accept.js'
import { type ApproveOptions, Approver } from './approver.js'

/** Signatures on their way into the zone. */
export class Approvals {
  readonly #zone: ZoneContext
  readonly #requests: Requests

  constructor(zone: ZoneContext, requests: Requests) {
    this.#zone = zone
    this.#requests = requests
  }

  /**
   * Records an approval, a rejection or a revocation that was signed elsewhere.
   *
   * @throws SluiceError SIGNATURE_INVALID, KEY_UNKNOWN; APPROVAL_MISMATCH for another zone's or request's;
   *   APPROVAL_DUPLICATE for one that counted already; APPROVAL_EXPIRED, APPROVAL_REVOKED; SELF_APPROVAL;
   *   ROLE_DENIED; STATE_DENIED
   */
  async import(envelope: Uint8Array): Promise<RequestSummary> {
    const digest = await this.#zone.change(async transaction => {
      const opened = transaction.open(envelope)
      const request = assertAcceptable(transaction.state, opened, this.#zone.now())
      await transaction.import(envelope)
      return request.digest
    })
    return this.#requests.show(digest)
  }

  /** Where the approver's key is at hand: review, sign and import in one. */
  async approve(
    reference: string,
    signer: Signer,
    options: Omit<ApproveOptions, 'digest'> = {},
  ): Promise<RequestSummary> {
    const approver = new Approver(signer, { now: this.#zone.now })
    const request = approver.review(this.#requests.export(reference))
    return this.import(await approver.approve(request, { ...options, digest: request.digest }))
  }

  async reject(reference: string, signer: Signer, reason: string): Promise<RequestSummary> {
    const approver = new Approver(signer, { now: this.#zone.now })
    return this.import(await approver.reject(approver.review(this.#requests.export(reference)), reason))
  }

  /** By an approver: their approval is void. By the auditor or the operator: the request is. From the next run on. */
  async revoke(reference: string, signer: Signer, reason: string): Promise<RequestSummary> {
    const { digest } = findRequest(this.#zone.state(), reference)
    return this.import(await new Approver(signer, { now: this.#zone.now }).revoke(digest, reason))
  }
}

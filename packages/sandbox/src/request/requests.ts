import { randomBytes } from 'node:crypto'
import { isSluiceError, SluiceError } from '@sluice/core'
import { type ParameterSchema, type ReviewedPlan, reviewPlan, scansOf } from '@sluice/core/plan'
import type { Refusal } from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import { catalogueOf, factsFor, findDataset } from '../catalogue/lookup.js'
import { DUCKDB_ENGINE } from '../duckdb/executor.js'
import { assertPrincipal } from '../principal/check.js'
import type { ZoneContext } from '../zone/context.js'
import type { RequestState, ZoneState } from '../zone/state.js'
import {
  assertRequestFits,
  bindingOf,
  REQUEST_FORM,
  type RequestDocument,
  requestDigest,
  requestId,
  requestToJson,
} from './document.js'
import { writeRequestExport } from './export.js'
import { type ParameterDeclaration, parameterSchemas } from './parameters.js'
import { type RequestStatus, requestStatus } from './status.js'

export interface RequestDraft {
  readonly sql: string
  readonly purpose: string
  /** types and ranges of the parameters that the text names as `$name` */
  readonly parameters?: Readonly<Record<string, ParameterDeclaration>> | readonly ParameterSchema[]
  /** runs that the consumer asks for; 1 where it is not given */
  readonly maxRuns?: number
  /** another engine than DuckDB, and the digest of what the parties of its computation agreed on */
  readonly aggregation?: { readonly engine: string; readonly digest: string }
}

/** A request as people see it. */
export interface RequestSummary {
  readonly id: string
  readonly digest: string
  readonly status: RequestStatus
  readonly consumer: string
  readonly purpose: string
  readonly time: string
  readonly approvedBy: readonly string[]
  readonly runs: number
}

export class Requests {
  readonly #zone: ZoneContext

  constructor(zone: ZoneContext) {
    this.#zone = zone
  }

  /**
   * Translates, reviews and records a request, signed by the consumer. A query that the gate or a policy refuses is
   * recorded as a refusal, without its text.
   *
   * @throws SluiceError SQL_SYNTAX, SQL_REFUSED, NAME_UNKNOWN, POLICY_DENIED, GRADE_DENIED, PURPOSE_DENIED,
   *   CONSUMER_DENIED, EVIDENCE_UNDEFINED with rule, remedy and the position in the text; KEY_UNKNOWN, ROLE_DENIED
   *   for the signer
   */
  async submit(
    draft: RequestDraft,
    consumer: Signer,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<RequestSummary> {
    const state = await this.#zone.refreshed()
    assertPrincipal(state, consumer, ['consumer'])
    const document = await this.#compile(draft, consumer, state, signal).catch(error =>
      this.#refused(error, consumer),
    )
    assertRequestFits(document)
    const digest = requestDigest(document)
    await this.#zone.change(
      async transaction => {
        assertPrincipal(transaction.state, consumer, ['consumer'])
        assertUnchanged(document, transaction.state)
        const predicate = {
          kind: 'request',
          time: this.#zone.now().toISOString(),
          id: requestId(digest),
          consumer: consumer.name,
          requestDigest: digest,
          request: requestToJson(document),
        } as const
        await transaction.append(predicate, consumer)
      },
      { signal },
    )
    return this.show(digest)
  }

  /** @throws SluiceError NAME_UNKNOWN */
  show(reference: string): RequestSummary {
    return this.#summary(findRequest(this.#zone.state(), reference))
  }

  list(): RequestSummary[] {
    return [...this.#zone.state().requests.values()].map(request => this.#summary(request))
  }

  /** What an approver needs on their own machine; see `Approver`. */
  export(reference: string): Uint8Array {
    const state = this.#zone.state()
    const { document } = findRequest(state, reference)
    return writeRequestExport({ document, datasets: factsFor(state, document) })
  }

  /** The review as the policies in force now give it. */
  review(reference: string): ReviewedPlan {
    const state = this.#zone.state()
    const { document } = findRequest(state, reference)
    return reviewPlan(document.plan, factsFor(state, document), {
      purpose: document.purpose,
      consumer: document.consumer,
      now: this.#zone.now(),
    })
  }

  /** The consumer takes the request back. */
  async withdraw(reference: string, consumer: Signer): Promise<RequestSummary> {
    const digest = await this.#zone.change(async transaction => {
      const request = findRequest(transaction.state, reference)
      assertPrincipal(transaction.state, consumer, ['consumer'])
      if (request.document.consumer !== consumer.name) {
        throw new SluiceError('ROLE_DENIED', 'a request is withdrawn by the consumer who made it', {
          rule: 'request.withdraw',
        })
      }
      const time = this.#zone.now().toISOString()
      await transaction.append({ kind: 'withdrawal', time, requestDigest: request.digest }, consumer)
      return request.digest
    })
    return this.show(digest)
  }

  /** What the review of a query would say, before anybody asks for it; nothing is recorded. */
  async preview(
    draft: Pick<RequestDraft, 'sql' | 'purpose'>,
    consumer: string,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<ReviewedPlan> {
    const state = await this.#zone.refreshed()
    const { plan, datasets } = await this.#compile(draft, { name: consumer }, state, signal)
    const facts = datasets.map(({ name }) => findDataset(state, name).facts)
    return reviewPlan(plan, facts, { purpose: draft.purpose, consumer, now: this.#zone.now() })
  }

  async #compile(
    draft: RequestDraft,
    consumer: Pick<Signer, 'name'>,
    state: ZoneState,
    signal: AbortSignal | undefined,
  ): Promise<RequestDocument> {
    const gate = await this.#zone.gate()
    const { plan, positionOf } = await gate.compile({
      sql: draft.sql,
      catalogue: catalogueOf(state),
      parameters: parameterSchemas(draft.parameters),
      ...(signal && { signal }),
    })
    const datasets = [...new Set(scansOf(plan.root).map(scan => scan.dataset))].sort().map(name => {
      const dataset = state.datasets.get(name)
      if (!dataset)
        throw new SluiceError('INTERNAL', 'a plan names a dataset that the catalogue does not have')
      return dataset.facts
    })
    reviewPlan(plan, datasets, {
      purpose: draft.purpose,
      consumer: consumer.name,
      now: this.#zone.now(),
      positionOf,
    })
    return {
      form: REQUEST_FORM,
      nonce: randomBytes(16).toString('hex'),
      zone: state.founding.zone,
      engine: draft.aggregation?.engine ?? DUCKDB_ENGINE,
      consumer: consumer.name,
      purpose: draft.purpose,
      maxRuns: draft.maxRuns ?? 1,
      sql: draft.sql,
      plan,
      datasets: datasets.map(bindingOf),
      ...(draft.aggregation && { aggregation: draft.aggregation.digest }),
    }
  }

  /** A refusal is an entry too; the error goes on to the consumer. */
  async #refused(error: unknown, consumer: Signer): Promise<never> {
    if (isSluiceError(error) && error.exitCode === 3) {
      const refusal: Omit<Refusal, 'time'> = {
        kind: 'refusal',
        stage: 'gate',
        code: error.code,
        rule: error.rule ?? null,
        requestDigest: null,
        run: null,
        principal: consumer.name,
      }
      await this.#zone.change(transaction => transaction.record(refusal, consumer))
    }
    throw error
  }

  #summary(request: RequestState): RequestSummary {
    return {
      id: request.id,
      digest: request.digest,
      status: requestStatus(this.#zone.state(), request, this.#zone.now()),
      consumer: request.document.consumer,
      purpose: request.document.purpose,
      time: request.time,
      approvedBy: request.approvals.filter(given => !given.revoked).map(given => given.approval.approver),
      runs: request.runs.length,
    }
  }
}

/** By id, digest, or a beginning of the digest that is unique and has at least eight digits. */
export function findRequest(state: ZoneState, reference: string): RequestState {
  const exact = state.requests.get(reference)
  if (exact) return exact
  const found = [...state.requests.values()].filter(
    request => request.id === reference || (reference.length >= 8 && request.digest.startsWith(reference)),
  )
  const [only] = found
  if (only && found.length === 1) return only
  throw new SluiceError(
    'NAME_UNKNOWN',
    found.length > 1 ? 'more than one request begins so' : 'there is no such request',
    {
      remedy: 'List them with `sluice request list`.',
    },
  )
}

/** Between the review and the record, another process may have changed a dataset. */
function assertUnchanged(document: RequestDocument, state: ZoneState): void {
  for (const binding of document.datasets) {
    const dataset = state.datasets.get(binding.name)
    if (dataset && !dataset.retired && dataset.facts.fingerprint === binding.fingerprint) {
      if (dataset.facts.policyDigest === binding.policyDigest) continue
    }
    throw new SluiceError(
      'STATE_DENIED',
      `dataset "${binding.name}" changed while the request was reviewed`,
      {
        remedy: 'Submit the request again.',
      },
    )
  }
}

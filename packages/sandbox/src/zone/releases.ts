import { SluiceError } from '@sluice/core'
import type { Suppression } from '@sluice/core/disclosure'
import type { ParameterValues } from '@sluice/core/plan'
import { eraseReleased, type Receipt, readReleased } from '@sluice/ledger'
import type { Table } from 'apache-arrow'
import type { ZoneContext } from './context.js'
import { eraseParameters, readParameters } from './parameters.js'
import type { ReleaseState } from './state.js'

/** A checked result that left, with the proof that it is in the ledger. */
export interface ReleasedResult {
  readonly run: string
  /** id of the request */
  readonly request: string
  /** the released columns; suppressed cells are null */
  readonly table: Table
  readonly suppressions: readonly Suppression[]
  /** Arrow IPC stream: what the ledger's entry commits to */
  readonly bytes: Uint8Array
  /** anybody can check it offline with `verifyReceipt` of `@sluice/ledger/verify` */
  readonly receipt: Receipt
  readonly isolation: string
  /** rounded up to the policy's step */
  readonly milliseconds: number
}

export interface ReleaseSummary {
  readonly run: string
  readonly request: string
  readonly consumer: string
  readonly time: string
  readonly entry: number
  readonly suppressed: Readonly<Record<string, number>>
  readonly isolation: string
  readonly milliseconds: number
}

/** Released results: they can be had again without a run, until they are erased. */
export class Releases {
  readonly #zone: ZoneContext

  constructor(zone: ZoneContext) {
    this.#zone = zone
  }

  list(): ReleaseSummary[] {
    return [...this.#zone.state().releases.values()].map(release => this.#summary(release))
  }

  /** The parameters too, unless they were erased. */
  async show(run: string): Promise<ReleaseSummary & { readonly parameters: ParameterValues | null }> {
    const found = this.#find(run)
    const parameters = await readParameters(this.#zone.layout, found.run.parametersCommitment)
    return { ...this.#summary(found), parameters }
  }

  /** @throws SluiceError NAME_UNKNOWN; RESULT_ERASED; PROOF_INVALID where the kept bytes are not the released ones */
  async get(run: string): Promise<ReleasedResult> {
    const found = this.#find(run)
    const { layout, ledger } = this.#zone
    const { table, suppressions, bytes } = await readReleased(layout.results, found.release)
    const { request, isolation, milliseconds } = this.#summary(found)
    const receipt = await ledger.receipt(found.entry)
    return { run: found.release.run, request, table, suppressions, bytes, receipt, isolation, milliseconds }
  }

  /** Deletes result and parameters. The entries stay: they hold commitments, which tell nothing without the salt. */
  async erase(run: string): Promise<void> {
    const found = this.#find(run)
    await this.#zone.change(async () => {
      await eraseReleased(this.#zone.layout.results, found.release)
      await eraseParameters(this.#zone.layout, found.run.parametersCommitment)
    })
  }

  /** By its name, or a beginning of it that is unique and has at least eight digits. */
  #find(reference: string): ReleaseState {
    const { releases } = this.#zone.state()
    const found = [...releases.values()].filter(
      ({ release }) =>
        release.run === reference || (reference.length >= 8 && release.run.startsWith(reference)),
    )
    const [only] = found
    if (only && found.length === 1) return only
    throw new SluiceError(
      'NAME_UNKNOWN',
      found.length > 1 ? 'more than one release begins so' : 'there is no such release',
      {
        remedy: 'List them with `sluice release list`.',
      },
    )
  }

  #summary({ release, entry }: ReleaseState): ReleaseSummary {
    const request = this.#zone.state().requests.get(release.requestDigest)
    const { run, time, suppressed, isolation, milliseconds } = release
    const consumer = request?.document.consumer ?? ''
    return { run, request: request?.id ?? '', consumer, time, entry, suppressed, isolation, milliseconds }
  }
}

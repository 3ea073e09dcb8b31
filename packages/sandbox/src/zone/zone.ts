import { type Enrolment, type Ledger, openEnvelope, type Role, witness } from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import { Approvals } from '../approval/approvals.js'
import { Datasets } from '../catalogue/datasets.js'
import { createEnginePool, type EnginePoolOptions } from '../duckdb/pool.js'
import { stronger } from '../isolation/mode.js'
import { assertPrincipal } from '../principal/check.js'
import { Principals } from '../principal/principals.js'
import { Requests } from '../request/requests.js'
import { Gate } from '../sql/gate.js'
import type { ZoneContext } from './context.js'
import { type FoundingOptions, found, proposeFounding } from './founding.js'
import { assertZone, type ZoneLayout, zoneLayout } from './layout.js'
import { claimStaging, removeOrphans } from './leftovers.js'
import { ZoneLog } from './log.js'
import { type ReleasedResult, Releases } from './releases.js'
import { type RunOptions, runRequest } from './run.js'
import { readZoneSettings } from './settings.js'
import type { ZoneState } from './state.js'

export interface ZoneOptions {
  readonly signal?: AbortSignal
  /** how long to wait for another process's change, in milliseconds; 30,000 where it is not given */
  readonly wait?: number
  /** told once when this process begins to wait for another */
  readonly onWait?: () => void
  readonly now?: () => Date
  /**
   * Children kept warm, limits of memory and output; `atLeast` can ask for more isolation than the zone's own
   * `sluice.yaml` and the data's grade do, never for less.
   */
  readonly engine?: Omit<EnginePoolOptions, 'stagingRoot' | 'minimum'>
}

export interface FoundingPrincipal {
  readonly role: Role
  readonly signer: Signer
}

/**
 * A data zone: one directory with its catalogue, policies, approvals, data and ledger.
 *
 * ```ts
 * await using zone = await Zone.open('zone')
 * const request = await zone.requests.submit({ sql, purpose: 'aviation-safety' }, insurer)
 * await zone.approvals.import(signature)
 * const release = await zone.run(request.id, operator)
 * ```
 */
export class Zone {
  readonly principals: Principals
  readonly datasets: Datasets
  readonly requests: Requests
  readonly approvals: Approvals
  readonly releases: Releases
  readonly ledger: Ledger
  readonly layout: ZoneLayout
  readonly #context: ZoneContext
  readonly #closing: (() => Promise<void>)[]

  private constructor(context: ZoneContext, closing: (() => Promise<void>)[]) {
    this.#context = context
    this.#closing = closing
    this.ledger = context.ledger
    this.layout = context.layout
    this.principals = new Principals(context)
    this.datasets = new Datasets(context)
    this.requests = new Requests(context)
    this.approvals = new Approvals(context, this.requests)
    this.releases = new Releases(context)
  }

  /**
   * Makes a zone where every founder's key is at hand: at least an operator's, a provider's and an auditor's. Keys
   * stay where they are; the zone learns their public halves. Where the keys lie on several machines, see `propose`.
   *
   * @throws SluiceError EXISTS where the directory is not empty; USAGE where a role is missing; NAME_TAKEN
   */
  static async init(
    directory: string,
    founders: readonly FoundingPrincipal[],
    options: ZoneOptions & FoundingOptions = {},
  ): Promise<Zone> {
    const enrolments = founders.map(({ role, signer }) => ({
      name: signer.name,
      role,
      key: signer.publicKey,
    }))
    const signers = founders.map(({ signer }) => signer)
    const envelope = await Zone.propose(directory, enrolments, signers, options)
    return Zone.found(directory, envelope, options)
  }

  /**
   * Begins a directory that is to become a zone, and returns its founding entry with the signatures at hand. The
   * others named add theirs on their own machines (`cosign` of `@sluice/ledger`), then `found` makes the zone.
   */
  static async propose(
    directory: string,
    principals: readonly Enrolment[],
    signers: readonly Signer[],
    options: FoundingOptions = {},
  ): Promise<Uint8Array> {
    return (await proposeFounding(zoneLayout(directory), principals, signers, options)).bytes
  }

  /** @throws SluiceError NOT_APPROVED naming who has not signed; KEY_UNKNOWN, FILE_FORMAT, SIGNATURE_INVALID */
  static async found(directory: string, envelope: Uint8Array, options: ZoneOptions = {}): Promise<Zone> {
    await found(zoneLayout(directory), openEnvelope(envelope), options.now ?? (() => new Date()))
    return Zone.open(directory, options)
  }

  /** @throws SluiceError ZONE_MISSING, ZONE_VERSION, ZONE_DAMAGED, LEDGER_CORRUPT; FILE_FORMAT of its `sluice.yaml` */
  static async open(directory: string, options: ZoneOptions = {}): Promise<Zone> {
    const layout = zoneLayout(directory)
    await assertZone(layout)
    const { isolation } = await readZoneSettings(layout)
    const log = await ZoneLog.open(layout, options)
    const now = options.now ?? (() => new Date())
    const closing: (() => Promise<void>)[] = []
    const engine = once(async () => {
      const staging = await claimStaging(layout)
      closing.unshift(() => staging.release())
      await removeOrphans(layout, log.state, now())
      const pool = createEnginePool({ ...options.engine, stagingRoot: staging.path, minimum: isolation })
      closing.unshift(() => pool.close())
      return pool
    })
    const gate = once(async () => {
      const { mode, atLeast = 'process' } = options.engine ?? {}
      const gate = await Gate.start({
        ...(mode && { mode }),
        minimum: stronger(isolation ?? 'process', atLeast),
      })
      closing.unshift(() => gate.close())
      return gate
    })
    const context: ZoneContext = {
      layout,
      ledger: log.ledger,
      now,
      state: () => log.state,
      refreshed: () => log.refreshed(),
      change: (work, changeOptions) => log.change(work, changeOptions),
      gate,
      engine,
    }
    return new Zone(context, closing)
  }

  /** A random name, the same for the zone's whole life; 32 hexadecimal digits. */
  get id(): string {
    return this.state.founding.zone
  }

  /** The zone's state as this process last read it. */
  get state(): ZoneState {
    return this.#context.state()
  }

  /** Reads what other processes have added since. */
  refresh(): Promise<ZoneState> {
    return this.#context.refreshed()
  }

  /** Starts the children that a run and a compilation need, so that the first one finds them warm. */
  async warm(): Promise<void> {
    const [pool] = await Promise.all([this.#context.engine(), this.#context.gate()])
    pool.warm()
  }

  /**
   * Runs an approved request once and releases what passes.
   *
   * @throws SluiceError NOT_APPROVED and its kin before anything ran; DISCLOSURE_REFUSED; ENGINE_KILLED,
   *   TIME_EXCEEDED, MEMORY_EXCEEDED, RESULT_TOO_LARGE; whatever happened is in the ledger
   */
  run(reference: string, operator: Signer, options: RunOptions = {}): Promise<ReleasedResult> {
    return runRequest(this.#context, reference, operator, options)
  }

  /**
   * A provider or an auditor states that it has seen the newest checkpoint; the cosigned note is what it takes home,
   * to hold the zone to it later. It should have verified the ledger first.
   *
   * @param options `since`: the note that it took home last time, which this one has to continue
   * @returns the checkpoint's note, with all its signature lines
   * @throws SluiceError LEDGER_ROLLED_BACK, LEDGER_FORKED, CHECKPOINT_INVALID by `since`
   */
  async cosign(signer: Signer, options: { readonly since?: string } = {}): Promise<string> {
    assertPrincipal(await this.refresh(), signer, ['provider', 'auditor'])
    const time = Math.floor(this.#context.now().getTime() / 1000)
    return (await witness(this.ledger, signer, { ...options, time })).note
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0)) await close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** A value that is made when it is first asked for, and asked for again after a failure. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined
  return () => {
    pending ??= make().catch(error => {
      pending = undefined
      throw error
    })
    return pending
  }
}

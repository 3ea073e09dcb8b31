import { SluiceError } from '@sluice/core'
import {
  type Entry,
  type Envelope,
  Ledger,
  type LedgerWriter,
  MADE_IN_ZONE,
  openEnvelope,
  sign,
  verifyEnvelope,
} from '@sluice/ledger'
import { KeyFile } from '@sluice/ledger/keys'
import type { ChangeOptions, Transaction } from './context.js'
import type { ZoneLayout } from './layout.js'
import { applyEntry, foundState, type LedgerEntry, type ZoneState } from './state.js'
import type { ZoneOptions } from './zone.js'

const DEFAULT_WAIT = 30_000

/**
 * The zone's ledger with the state that folds over it. The signatures that anything is decided by are checked as
 * their entries are read.
 */
export class ZoneLog {
  readonly ledger: Ledger
  readonly #options: ZoneOptions
  #state: ZoneState | undefined

  private constructor(ledger: Ledger, options: ZoneOptions) {
    this.ledger = ledger
    this.#options = options
  }

  static async open(layout: ZoneLayout, options: ZoneOptions): Promise<ZoneLog> {
    const { now } = options
    const logSigner = await KeyFile.open(layout.logKey)
    const ledger = await Ledger.open(layout.ledger, { logSigner, ...(now && { now: () => now().getTime() }) })
    const log = new ZoneLog(ledger, options)
    await log.refreshed()
    return log
  }

  get state(): ZoneState {
    if (!this.#state) throw new SluiceError('INTERNAL', 'the ledger has not been read')
    return this.#state
  }

  async refreshed(): Promise<ZoneState> {
    for await (const entry of this.ledger.entries(this.#state?.size ?? 0)) this.#take(entry)
    return this.state
  }

  change<T>(work: (transaction: Transaction) => Promise<T>, options: ChangeOptions = {}): Promise<T> {
    const signal = options.signal === undefined ? this.#options.signal : options.signal
    return this.ledger.exclusive(
      async writer => {
        await this.refreshed()
        return work(this.#transaction(writer))
      },
      {
        wait: this.#options.wait ?? DEFAULT_WAIT,
        ...(this.#options.onWait && { onWait: this.#options.onWait }),
        ...(signal && { signal }),
      },
    )
  }

  #transaction(writer: LedgerWriter): Transaction {
    const append = async (envelope: Envelope): Promise<number> => {
      this.#signersOf(envelope)
      const index = await writer.append(envelope)
      this.#take({ index, envelope })
      return index
    }
    const log = this
    return {
      get state() {
        return log.state
      },
      open: bytes => {
        const envelope = openEnvelope(bytes)
        return { predicate: envelope.predicate, signers: this.#signersOf(envelope) }
      },
      append: async (predicate, signer) => append(await sign(predicate, signer)),
      record: async (predicate, signer) => {
        const entry = await writer.record(predicate, signer)
        this.#take(entry)
        return entry
      },
      import: bytes => append(openEnvelope(bytes)),
      receipt: index => writer.receipt(index),
    }
  }

  /** An entry comes once by the call that appended it, and once more by one that happens to read meanwhile. */
  #take({ index, envelope }: Entry): void {
    if (this.#state && index < this.#state.size) return
    // nothing is decided by who signed these, and they are most of a long ledger: `ledger verify` checks them
    const signers = MADE_IN_ZONE.has(envelope.predicate.kind) ? [] : this.#signersOf(envelope)
    const entry: LedgerEntry = { index, predicate: envelope.predicate, signers }
    if (this.#state) applyEntry(this.#state, entry)
    else this.#state = foundState(entry)
  }

  /**
   * The enrolled principals who signed. Every signature has to be one of theirs and hold; a change of keys needs
   * every role that the charter names.
   */
  #signersOf(envelope: Envelope): string[] {
    const { predicate } = envelope
    const enrolled =
      predicate.kind === 'founding'
        ? predicate.principals
        : [...this.state.principals.values()].filter(principal => !principal.removed)
    const signers = verifyEnvelope(
      envelope,
      enrolled.map(principal => principal.key),
    ).map(key => key.name)
    if (predicate.kind === 'founding')
      assertAll(
        enrolled.map(principal => principal.name),
        signers,
      )
    if (predicate.kind === 'key-change') this.#assertCharter(signers)
    return signers
  }

  #assertCharter(signers: readonly string[]): void {
    const { charter } = this.state.founding
    const roles = new Set(signers.map(name => this.state.principals.get(name)?.role))
    const missing = charter.keyChange.filter(role => !roles.has(role))
    if (missing.length === 0) return
    throw new SluiceError('NOT_APPROVED', `a change of keys lacks the signature of: ${missing.join(', ')}`, {
      rule: 'charter.keyChange',
      remedy:
        'Have the file signed with `sluice sign` by a principal of each of these roles, then import it.',
    })
  }
}

function assertAll(needed: readonly string[], signers: readonly string[]): void {
  if (needed.every(name => signers.includes(name))) return
  throw new SluiceError('SIGNATURE_INVALID', 'the founding entry is not signed by everybody it names')
}

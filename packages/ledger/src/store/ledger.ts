import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import {
  type Checkpoint,
  keepSignatures,
  mergeCosignatures,
  parseCheckpoint,
  verifyCheckpoint,
  verifyCosignature,
} from '../checkpoint/checkpoint.js'
import { type Envelope, openEnvelope } from '../entries/envelope.js'
import type { Signer } from '../keys/signer.js'
import { parseVerifierKey, type VerifierKey } from '../keys/verifier-key.js'
import { createReceipt, type Receipt } from '../receipts/receipt.js'
import { CompactRange } from '../tree/compact-range.js'
import { consistencyProof, inclusionProof } from '../tree/proofs.js'
import { TILE_WIDTH } from '../tree/tiles.js'
import { begin } from './begin.js'
import { type Files, withFileErrors } from './files.js'
import { JOURNAL, LOCK, WITNESSED } from './layout.js'
import { acquire } from './lock.js'
import { nodeFiles } from './node-files.js'
import { replaceAll } from './publish.js'
import { Reader } from './reader.js'
import { recover, type State } from './recovery.js'
import type { Entry, ExclusiveOptions, LedgerReader, LedgerWriter } from './types.js'
import { THRESHOLDS, type Thresholds, Writer } from './writer.js'

export interface LedgerOptions {
  /** verifier key of the log; not needed beside `logSigner` */
  readonly logKey?: string
  /** the log's own key, named as its origin; without it the ledger can only be read */
  readonly logSigner?: Signer
  /** milliseconds since the epoch */
  readonly now?: () => number
  readonly files?: Files
  readonly thresholds?: Thresholds
}

/**
 * A ledger in a directory: the one writer of its files. All of its public calls stand here; each is a few lines over
 * reader, recovery, writer and publication, which have files of their own.
 *
 * @example
 * const ledger = await Ledger.open(directory, { logSigner: await KeyFile.open('log.key') })
 * const index = await ledger.exclusive(writer => writer.append(envelope))
 * const receipt = await ledger.receipt(index)
 */
export class Ledger implements LedgerReader {
  readonly origin: string
  readonly logKey: string
  readonly #key: VerifierKey
  readonly #signer: Signer | undefined
  readonly #directory: string
  readonly #files: Files
  readonly #now: () => number
  readonly #thresholds: Thresholds
  readonly #reader: Reader
  /** as the last holder of the lock in this process left it */
  #state: State | undefined

  private constructor(directory: string, options: LedgerOptions) {
    const logKey = options.logSigner?.publicKey ?? options.logKey
    if (logKey === undefined) throw new SluiceError('USAGE', 'a ledger is opened with its log’s key')
    this.#key = parseVerifierKey(logKey)
    this.logKey = logKey
    this.origin = this.#key.name
    this.#signer = options.logSigner
    this.#directory = directory
    this.#files = options.files ?? nodeFiles
    this.#now = options.now ?? Date.now
    this.#thresholds = options.thresholds ?? THRESHOLDS
    this.#reader = new Reader(this.#files, directory, this.#key)
  }

  /**
   * Begins a ledger with its founding entry, which everybody must have signed whom it names. The checkpoint is written
   * last: until it is there, there is no ledger, and creating it again is fine.
   *
   * @throws SluiceError EXISTS, SIGNATURE_INVALID, KEY_UNKNOWN, CLOCK_BEHIND, DISK_FULL
   */
  static async create(
    directory: string,
    options: LedgerOptions & { readonly logSigner: Signer; readonly founding: Envelope },
  ): Promise<Ledger> {
    const ledger = new Ledger(directory, options)
    await withFileErrors(() =>
      begin(ledger.#files, directory, options.founding, options.logSigner, ledger.#now()),
    )
    return ledger
  }

  /**
   * Opens a ledger. Where it can be written, and nobody else is at it, it is brought in order first, so that readers see
   * what was acknowledged before a crash.
   *
   * @throws SluiceError FILE_MISSING, CHECKPOINT_INVALID, LEDGER_CORRUPT, LEDGER_ROLLED_BACK
   */
  static async open(directory: string, options: LedgerOptions): Promise<Ledger> {
    const ledger = new Ledger(directory, options)
    await withFileErrors(() => ledger.#reader.checkpoint())
    if (options.logSigner !== undefined) {
      await ledger
        .exclusive(async () => undefined, { wait: 0 })
        .catch((error: { code?: unknown }) => {
          // whoever holds the lock has brought it in order
          if (error.code !== 'LOCKED') throw error
        })
    }
    return ledger
  }

  /**
   * Takes the lock, catches up with what other processes appended, runs `action` with a writer, publishes, lets go. The
   * lock is the system's own: it ends with the process that holds it, however that ends. `action` must not call
   * `exclusive` again.
   *
   * @throws SluiceError LOCKED when the wait is over, INTERRUPTED; what `action` throws; what recovery and writing throw
   */
  async exclusive<T>(
    action: (writer: LedgerWriter) => Promise<T>,
    options: ExclusiveOptions = {},
  ): Promise<T> {
    const signer = this.#signer
    if (signer === undefined)
      throw new SluiceError('USAGE', 'this ledger was opened for reading, without its log’s key')
    return this.#locked(options, async () => {
      const state = await this.#catchUp()
      // if anything fails from here on, the next one reads the files again
      this.#state = undefined
      const writer = new Writer(this.#files, this.#directory, signer, this.#now, this.#thresholds, state)
      let result: T
      try {
        result = await action(this.#writerInterface(writer))
      } catch (error) {
        await writer.close()
        throw error
      }
      await writer.close()
      this.#state = state
      return result
    })
  }

  async size(): Promise<number> {
    return (await withFileErrors(() => this.#reader.checkpoint())).size
  }

  async checkpoint(): Promise<Checkpoint> {
    return withFileErrors(async () => this.#reader.withCosignatures(await this.#reader.checkpoint()))
  }

  /**
   * Every entry is compared with its hash in the tree; read from the founding on, the tree also with the checkpoint's
   * root. Signatures are for the caller to verify.
   */
  async *entries(from = 0): AsyncIterable<Entry> {
    const { size, root } = await withFileErrors(() => this.#reader.checkpoint())
    const range = from === 0 ? new CompactRange() : undefined
    for (let bundle = Math.floor(from / TILE_WIDTH); bundle * TILE_WIDTH < size; bundle++) {
      const { entries, leaves } = await withFileErrors(() => this.#reader.bundle(bundle, size))
      for (const leaf of leaves) range?.append(leaf)
      if (range?.size === size && !Buffer.from(range.root()).equals(root)) {
        throw new SluiceError(
          'LEDGER_CORRUPT',
          'the entries do not lead to the root that the checkpoint signs',
          {
            rule: 'ledger.root',
            remedy: 'Run "sluice ledger verify", and restore the ledger from a copy that verifies.',
          },
        )
      }
      for (
        let index = Math.max(from, bundle * TILE_WIDTH);
        index < bundle * TILE_WIDTH + entries.length;
        index++
      ) {
        yield { index, envelope: openEnvelope(entries[index % TILE_WIDTH]!) }
      }
    }
  }

  async entry(index: number): Promise<Envelope> {
    return withFileErrors(async () => this.#entry(index, (await this.#reader.checkpoint()).size))
  }

  async receipt(index: number): Promise<Receipt> {
    return withFileErrors(async () => {
      const checkpoint = await this.#reader.withCosignatures(await this.#reader.checkpoint())
      const envelope = await this.#entry(index, checkpoint.size)
      const proof = await inclusionProof(index, checkpoint.size, this.#reader.subtrees(checkpoint.size))
      return createReceipt(index, envelope, proof, checkpoint)
    })
  }

  async consistency(from: number, to?: number): Promise<Uint8Array[]> {
    return withFileErrors(async () => {
      const { size } = await this.#reader.checkpoint()
      const end = to ?? size
      if (end > size || from > end) throw unknownEntry(Math.max(end, from), size)
      return consistencyProof(from, end, this.#reader.subtrees(size))
    })
  }

  /**
   * Keeps a provider's or an auditor's cosignature, durably, with the checkpoint that it is on (C2SP tlog-cosignature).
   *
   * @param note the checkpoint as it was handed out, with the cosigner's line added
   * @param cosigner verifier key of the principal who should have cosigned; a stranger's line is not kept
   * @throws SluiceError CHECKPOINT_INVALID, LEDGER_ROLLED_BACK (the checkpoint is ahead of this ledger), LEDGER_FORKED,
   *   CLOCK_BEHIND (dated in the future)
   */
  async addCosignature(note: string, cosigner: string, options: ExclusiveOptions = {}): Promise<Checkpoint> {
    const given = parseCheckpoint(note)
    const logged = verifyCheckpoint(given, this.#key)
    const time = verifyCosignature(given, cosigner)
    if (time === null || logged === null) {
      throw new SluiceError(
        'CHECKPOINT_INVALID',
        `${parseVerifierKey(cosigner).name} has not cosigned this checkpoint`,
        {
          remedy: 'Export the checkpoint, have it cosigned, and import what comes back, whole.',
        },
      )
    }
    if (time * 1000 > this.#now() + 5 * 60_000) {
      throw new SluiceError('CLOCK_BEHIND', 'the cosignature is dated in the future', {
        rule: 'ledger.time',
        remedy: 'Set the clock right, of this machine or of the one that cosigned, and cosign again.',
      })
    }
    const lines = keepSignatures(given, [this.#key, parseVerifierKey(cosigner)])
    return this.#locked(options, async () => {
      await this.#refuseOtherTree(given)
      const kept = await this.#reader.witnessed(given.size)
      const merged = kept === null ? lines : mergeCosignatures(kept, lines)
      const path = join(WITNESSED, String(given.size))
      await replaceAll(this.#files, this.#directory, [{ path, bytes: Buffer.from(merged.note) }])
      return merged
    })
  }

  async #locked<T>(options: ExclusiveOptions, action: () => Promise<T>): Promise<T> {
    return withFileErrors(async () => {
      const lock = await acquire(this.#files, join(this.#directory, LOCK), options)
      try {
        return await action()
      } finally {
        await lock.release()
      }
    })
  }

  /** What this process knows, unless another one wrote meanwhile. */
  async #catchUp(): Promise<State> {
    const state = this.#state
    if (state !== undefined && state.edge.size === state.published) {
      const { note } = await this.#reader.checkpoint()
      const journal = await this.#files.size(join(this.#directory, JOURNAL))
      if (note === state.note && journal === state.journalEnd) return state
    }
    return recover(this.#files, this.#directory, this.#reader)
  }

  async #entry(index: number, size: number): Promise<Envelope> {
    if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw unknownEntry(index, size)
    const { entries } = await this.#reader.bundle(Math.floor(index / TILE_WIDTH), size)
    return openEnvelope(entries[index % TILE_WIDTH]!)
  }

  async #refuseOtherTree(given: Checkpoint): Promise<void> {
    const { size } = await this.#reader.checkpoint()
    if (given.size > size) {
      throw new SluiceError(
        'LEDGER_ROLLED_BACK',
        `the cosigned checkpoint has ${given.size} entries, and this ledger has ${size}`,
        { rule: 'ledger.rollback', remedy: 'This is an older copy of the ledger: find the newer one.' },
      )
    }
    const range = await this.#reader.range(given.size)
    if (!Buffer.from(range.root()).equals(given.root)) {
      throw new SluiceError(
        'LEDGER_FORKED',
        `the log’s key has signed another tree of ${given.size} entries`,
        {
          rule: 'ledger.fork',
          remedy: 'Keep the checkpoint: it proves that the log was forked.',
        },
      )
    }
  }

  #writerInterface(writer: Writer): LedgerWriter {
    const published = async () => {
      await writer.flush()
      return this
    }
    return {
      append: envelope => writer.append(envelope),
      record: (predicate, signer) => writer.record(predicate, signer),
      flush: () => writer.flush(),
      size: async () => (await published()).size(),
      entries: async function* (from) {
        yield* (await published()).entries(from)
      },
      entry: async index => (await published()).entry(index),
      checkpoint: async () => (await published()).checkpoint(),
      receipt: async index => (await published()).receipt(index),
      consistency: async (from, to) => (await published()).consistency(from, to),
    }
  }
}

function unknownEntry(index: number, size: number): SluiceError {
  return new SluiceError('NAME_UNKNOWN', `there is no entry ${index}; the ledger has ${size}`, {
    facts: { size },
  })
}

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { sign } from '../entries/envelope.js'
import type { PartyFounding } from '../entries/predicates.js'
import { trustOf } from '../entries/trust.js'
import { KeyFile } from '../keys/key-file.js'
import type { Signer } from '../keys/signer.js'
import { Ledger } from '../store/ledger.js'
import { acquire } from '../store/lock.js'
import { makeNamedDirectory, nodeFiles } from '../store/node-files.js'
import type { ExclusiveOptions, LedgerReader, Untimed } from '../store/types.js'
import type { Tallying } from './tally.js'
import { FoldedLedger, lost } from './tally-file.js'

/**
 * A party's own record of its joint runs and intersections, in a directory of its own: `ledger` (the log that `sluice
 * ledger verify` reads), `log.key`, `trust.json` for whoever verifies, and `results` with what was opened and the salts of
 * its commitments, which can be erased. It needs no zone and no database.
 *
 * A run is recorded before it is computed, and its outcome before it is handed out; a start without an outcome is a
 * party that was killed. Quotas are counted over these entries: there is nothing else to count by. Links' digests are
 * mirrored in the other parties' ledgers: who changes its own is found out.
 */
export class PartyLedger {
  readonly directory: string
  readonly #ledger: Ledger
  readonly #signer: Signer
  /** as the last call in this process left it */
  #folded: FoldedLedger | undefined

  private constructor(directory: string, ledger: Ledger, signer: Signer) {
    this.directory = directory
    this.#ledger = ledger
    this.#signer = signer
  }

  /**
   * Opens a party's ledger, or begins it where there is none.
   *
   * @throws SluiceError KEY_UNKNOWN where it is another party's; LEDGER_ROLLED_BACK where its log was taken away; FILE_MISSING where it cannot be written, DISK_FULL; what
   *   opening a ledger throws
   */
  static async open(
    directory: string,
    signer: Signer,
    now: () => Date = () => new Date(),
  ): Promise<PartyLedger> {
    return writing(directory, async () => {
      await makeNamedDirectory(join(directory, 'results'), 0o700)
      const ledger = (await opened(directory, now)) ?? (await begun(directory, signer, now))
      const { predicate } = await ledger.entry(0)
      if (predicate.kind === 'party-founding' && predicate.party.key === signer.publicKey)
        return new PartyLedger(directory, ledger, signer)
      throw new SluiceError('KEY_UNKNOWN', `the ledger in ${directory} is not that of "${signer.name}"`, {
        rule: 'ledger.party',
        remedy: 'Name this party’s own directory.',
      })
    })
  }

  /**
   * Records an entry, durably.
   *
   * @param entry or what decides on it, given what was counted before, while no other process can add to it; what it
   *   throws is thrown, and nothing recorded, also where it returns undefined
   * @throws SluiceError LOCKED, INTERRUPTED, CLOCK_BEHIND, DISK_FULL, FILE_MISSING; LEDGER_CORRUPT, LEDGER_ROLLED_BACK where it
   *   does not hold
   */
  async record(
    entry: Untimed | ((counted: Tallying) => Untimed | undefined),
    options: ExclusiveOptions = {},
  ): Promise<void> {
    await writing(this.directory, () =>
      this.#ledger.exclusive(async writer => {
        const { tallying } = await this.#count(writer)
        const predicate = typeof entry === 'function' ? entry(tallying) : entry
        if (predicate === undefined) return
        await writer.record(predicate, this.#signer)
        await (await this.#count(writer)).seal()
      }, options),
    )
  }

  /** What was counted so far. @throws SluiceError as `record` */
  async counted(options: ExclusiveOptions = {}): Promise<Tallying> {
    return writing(this.directory, () =>
      this.#ledger.exclusive(async writer => (await this.#count(writer)).tallying, options),
    )
  }

  /** Keeps what an entry commits to, outside of the ledger, where it can be erased. @param name of the file in `results` */
  async keep(name: string, value: object): Promise<void> {
    await writing(this.directory, () => writeWhole(join(this.directory, 'results'), `${name}.json`, value))
  }

  async #count(writer: LedgerReader): Promise<FoldedLedger> {
    const folded =
      this.#folded ?? (await FoldedLedger.load(this.directory, this.#ledger.origin, this.#signer))
    // if anything fails, the next one reads the files again
    this.#folded = undefined
    await folded.advance(writer)
    this.#folded = folded
    return folded
  }
}

async function opened(directory: string, now: () => Date): Promise<Ledger | undefined> {
  const path = join(directory, 'ledger')
  if ((await nodeFiles.size(join(path, 'checkpoint'))) === null) return undefined
  const logSigner = await KeyFile.open(join(directory, 'log.key'))
  return Ledger.open(path, { logSigner, now: () => now().getTime() })
}

/** Several processes of one party may come to it at once: one of them begins the ledger. */
async function begun(directory: string, signer: Signer, now: () => Date): Promise<Ledger> {
  const lock = await acquire(nodeFiles, join(directory, 'begin.lock'), {})
  try {
    return (await opened(directory, now)) ?? (await begin(directory, signer, now))
  } finally {
    await lock.release()
  }
}

/**
 * What tells that a ledger is being begun. Where it is not there, a key without its log is of a ledger that was taken
 * away, and another under the same key would count from nothing.
 */
const BEGINNING = 'beginning'

async function refuseLost(directory: string): Promise<void> {
  const isThere = async (name: string) => (await nodeFiles.size(join(directory, name))) !== null
  if (await FoldedLedger.isBegun(directory)) throw lost(directory)
  if (await isThere(BEGINNING)) return
  if ((await isThere('log.key')) || (await isThere('trust.json'))) throw lost(directory)
  await nodeFiles.write(join(directory, BEGINNING), new Uint8Array(0), 0o600)
  await nodeFiles.syncDirectory(directory)
}

async function begin(directory: string, signer: Signer, now: () => Date): Promise<Ledger> {
  await refuseLost(directory)
  const logFile = join(directory, 'log.key')
  const logSigner =
    (await nodeFiles.size(logFile)) === null
      ? await KeyFile.generate(logFile, { name: `sluice-party-${randomBytes(16).toString('hex')}` })
      : await KeyFile.open(logFile)
  const founding: PartyFounding = {
    kind: 'party-founding',
    time: now().toISOString(),
    origin: logSigner.name,
    suite: 'international',
    logKey: logSigner.publicKey,
    party: { name: signer.name, key: signer.publicKey },
  }
  await writeWhole(directory, 'trust.json', trustOf(founding))
  const envelope = await sign(founding, signer)
  const ledger = await Ledger.create(join(directory, 'ledger'), {
    logSigner,
    founding: envelope,
    now: () => now().getTime(),
  })
  await nodeFiles.remove(join(directory, BEGINNING))
  return ledger
}

/** Whole or not at all, whenever the process or the machine stops. */
async function writeWhole(directory: string, name: string, value: object): Promise<void> {
  const [path, partial] = [join(directory, name), join(directory, `${name}.new`)]
  await nodeFiles.write(partial, Buffer.from(`${JSON.stringify(value, null, 2)}\n`), 0o600)
  await nodeFiles.rename(partial, path)
  await nodeFiles.syncDirectory(directory)
}

/** What the system says of a party's directory, as an error that helps. */
async function writing<T>(directory: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    const { code } = systemError(error)
    if (code === undefined) throw error
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new SluiceError('DISK_FULL', 'the disk is full; nothing was computed that is not recorded', {
        remedy: 'Free some space and run the same command again.',
        cause: error,
      })
    }
    throw new SluiceError('FILE_MISSING', `the ledger in ${directory} cannot be written (${code})`, {
      remedy: 'Check that its directory exists and that you may write there.',
      cause: error,
    })
  }
}

/** As the system threw it, or as the store told of a directory that may not be written. */
function systemError(error: unknown): { readonly code?: string } {
  const { name, code, cause } = error as NodeJS.ErrnoException
  if (name !== 'SluiceError') return typeof code === 'string' ? { code } : {}
  const reason = (cause as NodeJS.ErrnoException | undefined)?.code
  return code === 'ZONE_DAMAGED' && reason !== undefined && UNWRITABLE.has(reason) ? { code: reason } : {}
}

const UNWRITABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOENT'])

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { canonicalBytes, isSluiceError, SluiceError } from '@sluice/core'
import {
  commit,
  type JointLink,
  Ledger,
  nodeFiles,
  type PartyFounding,
  sign,
  trustOf,
  type Untimed,
} from '@sluice/ledger'
import { makeNamedDirectory } from '@sluice/ledger/files'
import { KeyFile, type Signer } from '@sluice/ledger/keys'
import { type JointJob, jobDigest } from '../job/job.js'
import type { JointTable } from '../job/result.js'
import { withFileErrors } from './file-errors.js'

/** How a run went, as far as it got. */
export interface Outcome {
  /** null where there was no session yet */
  readonly session: string | null
  readonly links: readonly JointLink[]
}

/**
 * A party's own record of its joint runs, in a directory of its own: `ledger` (the log that `sluice ledger verify`
 * reads), `log.key`, `trust.json` for whoever verifies, and `results` with what was opened and the salts of its
 * commitments, which can be erased. It needs no zone and no database.
 *
 * A run is recorded before anybody is met, and its outcome before it is handed out; a start without an outcome is a
 * party that was killed. Links' digests are mirrored in the other parties' ledgers: who changes its own is found out.
 */
export class PartyLedger {
  readonly directory: string
  readonly #ledger: Ledger
  readonly #signer: Signer

  private constructor(directory: string, ledger: Ledger, signer: Signer) {
    this.directory = directory
    this.#ledger = ledger
    this.#signer = signer
  }

  /**
   * Opens a party's ledger, or begins it where there is none.
   *
   * @throws SluiceError KEY_UNKNOWN where it is another party's; FILE_MISSING where it cannot be written, DISK_FULL; what
   *   opening a ledger throws
   */
  static async open(
    directory: string,
    signer: Signer,
    now: () => Date = () => new Date(),
  ): Promise<PartyLedger> {
    const results = join(directory, 'results')
    await makeNamedDirectory(results, 0o700)
    const logFile = join(directory, 'log.key')
    const [path, clock] = [join(directory, 'ledger'), () => now().getTime()]
    const logSigner = (await exists(logFile))
      ? await KeyFile.open(logFile)
      : await KeyFile.generate(logFile, { name: `sluice-party-${randomBytes(16).toString('hex')}` })
    if (await exists(join(path, 'checkpoint'))) {
      const ledger = await Ledger.open(path, { logSigner, now: clock })
      const { predicate } = await ledger.entry(0)
      if (predicate.kind === 'party-founding' && predicate.party.key === signer.publicKey)
        return new PartyLedger(directory, ledger, signer)
      throw new SluiceError('KEY_UNKNOWN', `the ledger in ${directory} is not that of "${signer.name}"`, {
        rule: 'ledger.party',
        remedy: 'Name this party’s own directory.',
      })
    }
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
    const ledger = await Ledger.create(path, { logSigner, founding: envelope, now: clock })
    return new PartyLedger(directory, ledger, signer)
  }

  /** Records, durably, that this party begins a run of the job. */
  async start(job: JointJob): Promise<RecordedRun> {
    const run = { run: randomBytes(16).toString('hex'), jobDigest: jobDigest(job) }
    await this.#record({ kind: 'joint-start', ...run, parties: job.parties.map(({ name }) => name) })
    return {
      end: async ({ session, links }, tables, left) => {
        const opened = await Promise.all(tables.map(table => this.#keep(run.run, table)))
        const gone = left.length > 0 ? { left } : {}
        await this.#record({ kind: 'joint-end', ...run, session: session!, links, opened, ...gone })
      },
      breakOff: async (error, outcome) => {
        const { code, facts } = isSluiceError(error) ? error : { code: 'INTERNAL', facts: undefined }
        const party = facts?.['party']
        const about = job.parties.some(({ name }) => name === party) ? (party as string) : null
        await this.#record({ kind: 'joint-break', ...run, ...outcome, code, about })
      },
    }
  }

  /** The table and the salt lie outside, where they can be erased; the entry holds the commitment. */
  async #keep(run: string, table: JointTable) {
    const { commitment, salt } = commit('result', canonicalBytes(table))
    const name = `${run}-${table.operation}.json`
    await writeWhole(join(this.directory, 'results'), name, { commitment, salt, table })
    const suppressed = table.rows.filter(row => row.includes(null)).length
    return { operation: table.operation, cells: table.rows.length, suppressed, resultCommitment: commitment }
  }

  async #record(predicate: Untimed): Promise<void> {
    await this.#ledger.exclusive(writer => writer.record(predicate, this.#signer))
  }
}

/** A run whose outcome is still to be recorded. */
export interface RecordedRun {
  /** @param left who left before the end, where they may */
  end(outcome: Outcome, tables: readonly JointTable[], left: readonly string[]): Promise<void>
  breakOff(error: unknown, outcome: Outcome): Promise<void>
}

/** Whole or not at all, whenever the process or the machine stops. */
async function writeWhole(directory: string, name: string, value: object): Promise<void> {
  const [path, partial] = [join(directory, name), join(directory, `${name}.new`)]
  await withFileErrors(path, async () => {
    await nodeFiles.write(partial, Buffer.from(`${JSON.stringify(value, null, 2)}\n`), 0o600)
    await nodeFiles.rename(partial, path)
    await nodeFiles.syncDirectory(directory)
  })
}

async function exists(path: string): Promise<boolean> {
  return (await nodeFiles.size(path)) !== null
}

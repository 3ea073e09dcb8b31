import { randomBytes } from 'node:crypto'
import { canonicalBytes, isSluiceError } from '@sluice/core'
import { commit, type JointLink } from '@sluice/ledger'
import type { PartyLedger } from '@sluice/ledger/party'
import { type JointJob, jobDigest } from '../job/job.js'
import type { JointTable } from '../job/result.js'

/** How a run went, as far as it got. */
export interface Outcome {
  /** null where there was no session yet */
  readonly session: string | null
  readonly links: readonly JointLink[]
}

/** A run whose outcome is still to be recorded. */
export interface RecordedRun {
  /** @param left who left before the end, where they may */
  end(outcome: Outcome, tables: readonly JointTable[], left: readonly string[]): Promise<void>
  breakOff(error: unknown, outcome: Outcome): Promise<void>
}

/** Records, durably, that this party begins a run of the job: before anybody is met. */
export async function recordStart(ledger: PartyLedger, job: JointJob): Promise<RecordedRun> {
  const run = { run: randomBytes(16).toString('hex'), jobDigest: jobDigest(job) }
  await ledger.record({ kind: 'joint-start', ...run, parties: job.parties.map(({ name }) => name) })
  return {
    end: async ({ session, links }, tables, left) => {
      const opened = await Promise.all(tables.map(table => keep(ledger, run.run, table)))
      const gone = left.length > 0 ? { left } : {}
      await ledger.record({ kind: 'joint-end', ...run, session: session!, links, opened, ...gone })
    },
    breakOff: async (error, outcome) => {
      const { code, facts } = isSluiceError(error) ? error : { code: 'INTERNAL', facts: undefined }
      const party = facts?.['party']
      const about = job.parties.some(({ name }) => name === party) ? (party as string) : null
      await ledger.record({ kind: 'joint-break', ...run, ...outcome, code, about })
    },
  }
}

/** The table and the salt lie outside, where they can be erased; the entry holds the commitment. */
async function keep(ledger: PartyLedger, run: string, table: JointTable) {
  const { commitment, salt } = commit('result', canonicalBytes(table))
  await ledger.keep(`${run}-${table.operation}`, { commitment, salt, table })
  const suppressed = table.rows.filter(row => row.includes(null)).length
  return { operation: table.operation, cells: table.rows.length, suppressed, resultCommitment: commitment }
}

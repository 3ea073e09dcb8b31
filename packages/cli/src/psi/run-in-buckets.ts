import { dirname } from 'node:path'
import { isSluiceError, SluiceError } from '@sluice/core'
import type { Signer } from '@sluice/ledger/keys'
import type { PsiResult, RunPsiOptions } from '@sluice/mpc'
import type { PsiApproval, PsiItems, PsiJob } from '@sluice/mpc/psi'
import type { Table } from 'apache-arrow'
import type { Context } from '../context.js'
import type { Reply } from '../output/reply.js'
import type { HeldTable } from './held-table.js'
import { brokenOff, folderFor, type PsiInput, withItems } from './input.js'

export interface InBuckets extends Pick<RunPsiOptions, 'listen' | 'ledger'> {
  /** a helper has none */
  readonly input?: PsiInput
  readonly signer: Signer
  readonly approval: PsiApproval
  readonly scratch?: string
  /** the open input, where this party writes from it */
  readonly held?: HeldTable
  /** the columns that are handed over, of these rows of the input */
  readonly rowsOf: (columns: readonly string[], rows: Uint32Array) => Promise<Table>
  /** writes the rows, and says so */
  readonly replyOf: (result: PsiResult, items: PsiItems) => Promise<Reply>
}

/**
 * Takes part in a job whose sets may be too large for memory. What is finished is kept until the rows are written, so that
 * the same command goes on after any end.
 */
export async function runInBuckets(context: Context, job: PsiJob, party: InBuckets): Promise<Reply> {
  const { input, signer, approval, ledger, listen, held, rowsOf, replyOf } = party
  const [{ runPsi }, { psiLearns, psiPartyIndex }, { stageOf }] = await Promise.all([
    import('@sluice/mpc/intersections'),
    import('@sluice/mpc/psi'),
    import('../joint/shown.js'),
  ])
  const scratch = await folderFor(context, party.scratch ?? dirname(input?.file ?? ledger.directory))
  const { wait } = context.settings
  const handed = job.payload.find(({ from }) => from === signer.name)
  const kept = { party: signer.name, ledger: ledger.directory, scratch, held }
  return withItems(context, job, input, kept, async items => {
    const result = await runPsi(job, {
      ...{ signer, approval, ledger, scratch, signal: context.signal },
      ...(items !== undefined && { items }),
      ...(handed !== undefined && { payload: rows => rowsOf(handed.columns, rows) }),
      onEvent: event => context.progress.report(stageOf(event, context.ui)),
      onProgress: (fraction, at) => context.progress.report({ stage: 'intersect', fraction, ...at }),
      ...(wait !== undefined && { wait: wait / 1000 }),
      ...(listen !== undefined && { listen }),
    })
    // which item a row has matters only where rows are handed over
    const reply = await replyOf(result, result.shared ?? NO_ITEMS)
    await result.forget?.()
    return reply
  }).catch(error => {
    const learns = psiLearns(job, psiPartyIndex(job, signer.name)) !== undefined
    throw goesOn(error, context.signal, learns, job.helper === undefined ? BETWEEN_TWO : WITH_HELPER)
  })
}

const NO_ITEMS: PsiItems = { hashes: new Uint8Array(0), itemOf: new Int32Array(0) }

interface Remedies {
  readonly again: string
  /** for who learns nothing, where who receives is away and may have everything */
  readonly left: string
}

const BETWEEN_TWO: Remedies = {
  again: 'Start the same command again on both sides: finished buckets are kept, and it goes on after them.',
  left: 'Ask that party whether it has its rows: then nothing is left to do here. Else start the same command again on both sides: finished buckets are kept.',
}

const WITH_HELPER: Remedies = {
  again: 'Start the same command again at every party: finished buckets are kept, and it goes on after them.',
  left: 'Ask the receiver whether it has its result: then nothing is left to do here. Else start the same command again at every party: finished buckets are kept.',
}

/** An end after which the same command goes on says so. */
function goesOn(error: unknown, signal: AbortSignal, learns: boolean, remedies: Remedies): unknown {
  const remedy = remedies.again
  // where both sides are interrupted at once, the other's end may be what is seen first
  if (signal.aborted)
    return new SluiceError('INTERRUPTED', 'the session was interrupted', { remedy, cause: error })
  if (!isSluiceError(error) || !brokenOff(error, signal)) return error
  // it says what has to be done first
  if (error.code === 'DISK_FULL') return error
  const { code, message, rule, facts, cause } = error
  // who receives ends by itself once it has everything
  const isLeft = code === 'PEER_AWAY' && !learns
  return new SluiceError(code, message, {
    ...(rule !== undefined && { rule }),
    ...(facts !== undefined && { facts }),
    remedy: isLeft ? remedies.left : remedy,
    cause,
  })
}

import type { KeyFile } from '@sluice/ledger/keys'
import type { MeetEvent, RunPsiOptions } from '@sluice/mpc'
import { type PsiApproval, type PsiJob, psiPartyIndex, psiSeesCount } from '@sluice/mpc/psi'
import type { Context } from '../context.js'
import type { Reply } from '../output/reply.js'
import { openPartyLedger } from '../party-ledger.js'
import type { HeldTable } from './held-table.js'
import { itemsOf, type PsiInput, readItems, withHeld } from './input.js'
import { rowsOf } from './payload.js'
import type { Naming } from './prepared.js'
import { resultOf, type Wanted } from './result.js'

export interface InMemory extends Pick<RunPsiOptions, 'listen'> {
  /** not there for a helper and for the owner of a prepared set */
  readonly input: PsiInput | undefined
  /** this party's key, and where it lies */
  readonly signer: KeyFile
  readonly path: string
  readonly approval: PsiApproval
  /** where this party's ledger is */
  readonly ledger: string
}

/** Takes part in a job whose sets are held in memory, and writes what this party learns. @param held the open input */
export async function runInMemory(
  context: Context,
  job: PsiJob,
  { input, signer, path, approval, ledger: directory, listen }: InMemory,
  options: Wanted & Naming,
  held?: HeldTable,
): Promise<Reply> {
  context.progress.report({ stage: 'read' })
  const read = async () => {
    if (input === undefined || held === undefined) return input && readItems(context, job, input)
    return withHeld(input, held, async (table, unchanged) => {
      const items = await itemsOf(context, job, input, table)
      await unchanged()
      return items
    })
  }
  const [items, { runPrepared, runPsi }, ledger, { stageOf }, { withSide }] = await Promise.all([
    read(),
    loaded(),
    openPartyLedger(context, directory, signer),
    import('../joint/shown.js'),
    import('./prepared.js'),
  ])
  const { wait } = context.settings
  const handed = job.payload.find(({ from }) => from === signer.name)
  const common = {
    ...{ signer, approval, ledger, signal: context.signal },
    ...(items !== undefined && { items }),
    onEvent: (event: MeetEvent) => context.progress.report(stageOf(event, context.ui)),
    onProgress: (fraction: number) => context.progress.report({ stage: 'intersect', fraction }),
    ...(wait !== undefined && { wait: wait / 1000 }),
    ...(listen !== undefined && { listen }),
  }
  const result = await withSide(context, job, { name: signer.name, path }, options, side =>
    job.prepared === undefined
      ? runPsi(job, {
          ...common,
          ...(handed !== undefined &&
            input !== undefined && {
              payload: (rows: Uint32Array) => rowsOf(context, input, handed.columns, rows),
            }),
        })
      : runPrepared(job, { ...common, ...side, now: context.io.now }),
  )
  const silent = psiSeesCount(job, psiPartyIndex(job, signer.name))
  return resultOf(context, job, options, {
    result,
    items,
    input,
    ledger: directory,
    silent,
    ...(held && { held }),
  })
}

/** The engine that reads takes some tenths of a second to start: time enough to load the rest. */
async function loaded() {
  const mpc = await import('@sluice/mpc/intersections')
  await mpc.loadPrepared()
  return mpc
}

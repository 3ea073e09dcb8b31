import { visibleText } from '@sluice/core'
import type { PsiResult } from '@sluice/mpc'
import type { PsiItems, PsiJob } from '@sluice/mpc/psi'
import type { Context } from '../context.js'
import type { MessageKey } from '../messages/en.js'
import type { Reply } from '../output/reply.js'
import type { HeldTable } from './held-table.js'
import type { PsiInput } from './input.js'
import type { Join } from './output.js'

/** Which party’s result it is, and where its rows go. */
export interface Wanted {
  readonly as: string
  readonly join: Join
  readonly out?: string
  readonly force?: boolean
}

export interface Learned {
  readonly result: PsiResult
  readonly items: PsiItems | undefined
  readonly input: PsiInput | undefined
  /** where it is recorded */
  readonly ledger: string
  /** the program saw how many keys are shared, and does not show it */
  readonly silent: boolean
  /** the input, where it is still open */
  readonly held?: HeldTable
}

/** Writes what a party learned, and says it. */
export async function resultOf(
  context: Context,
  job: PsiJob,
  options: Wanted,
  { result, items, input, ledger, silent, held }: Learned,
): Promise<Reply> {
  const { psiJobDigest } = await import('@sluice/mpc/psi')
  const { matched, payload, count, sum, traffic } = result
  let written: { rows: number; columns: readonly string[] } | undefined
  if (matched !== undefined && items !== undefined && input !== undefined) {
    const { writeMatched } = await import('./output.js')
    const from = job.payload.find(({ to }) => to === options.as)?.from
    const beside = payload !== undefined && from !== undefined ? { payload: { from, ...payload } } : {}
    written = await writeMatched(
      context,
      input,
      items,
      { matched, ...beside },
      { ...options, out: options.out!, ...(held !== undefined && { held }) },
    )
  }
  return {
    json: {
      job: psiJobDigest(job),
      ...(count !== undefined && { count }),
      ...(sum !== undefined && { sum }),
      ...(written !== undefined && { ...written, file: context.path(options.out!) }),
      traffic,
      ledger,
    },
    text: ui =>
      [
        ui.t(count !== undefined ? 'text.psiShared' : unshown(job, options.as, silent)),
        ui.fields([
          ['label.sharedKeys', count ?? null],
          ['label.totalled', sum === undefined ? null : `${visibleText(job.sum!.column)}  ${sum}`],
          ['label.rows', written?.rows ?? null],
          ['label.file', written === undefined ? null : options.out!],
        ]),
        '',
        ui.t('text.jointTraffic', {
          rounds: traffic.rounds,
          sent: traffic.bytesSent.toLocaleString('en-US'),
          received: traffic.bytesReceived.toLocaleString('en-US'),
        }),
        ui.t('text.jointRecorded', { ledger }),
      ].join('\n'),
  }
}

/** What a party that is shown nothing is told of what its program saw. */
function unshown(job: PsiJob, party: string, silent: boolean): MessageKey {
  if (party === job.helper) return 'text.psiHelped'
  return silent ? 'text.psiSilent' : 'text.psiNothing'
}

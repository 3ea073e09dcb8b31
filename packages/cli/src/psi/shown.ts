import { visibleText } from '@sluice/core'
import type { PreparedFile } from '@sluice/mpc'
import {
  type PsiEstimate,
  type PsiJob,
  type PsiProtocolName,
  psiEnforcesMinimum,
  psiJobDigest,
  psiLearns,
  psiSeesCount,
} from '@sluice/mpc/psi'
import type { MessageKey } from '../messages/en.js'
import type { Reply } from '../output/reply.js'
import type { Ui } from '../output/ui.js'

/** A job as whoever signs it reads it. */
export function shownPsiJob(job: PsiJob): Reply {
  const digest = psiJobDigest(job)
  return { json: { ...job, digest }, text: ui => jobText(job, digest, ui) }
}

/** A prepared set as whoever has it reads it. */
export function shownPrepared({ head, digest }: PreparedFile): Reply {
  return {
    json: { ...head, digest },
    text: ui =>
      ui.fields([
        ['label.digest', digest],
        ['label.psiKey', keyLines(head.columns, ui)],
        ['label.setSize', head.count],
        ['label.epoch', head.epoch],
        ['label.expires', head.expires],
        ['label.publicKey', head.key],
        ['label.remark', ui.t('text.psiPreparedHolder')],
      ]),
  }
}

/** What each protocol would cost for so many rows, and which is to be chosen. */
export function shownEstimates(job: PsiJob, rows: number, estimates: readonly PsiEstimate[]): Reply {
  return {
    json: { rows, estimates },
    text: ui =>
      ui.grid(
        ['label.protocol', 'label.seconds', 'label.bytes', 'label.memory', 'label.disk', 'label.remark'],
        estimates.map(({ protocol, seconds, bytes, memory, disk, chosen, fits }) => [
          protocol,
          seconds.toFixed(1),
          bytes.toLocaleString('en-US'),
          memory.toLocaleString('en-US'),
          disk.toLocaleString('en-US'),
          ui.t(chosen ? 'text.psiChosen' : fits ? 'text.psiFits' : unfit(job, protocol)),
        ]),
      ),
  }
}

function jobText(job: PsiJob, digest: string, ui: Ui): string {
  const { floor, ceiling, step } = job.size
  const number = (value: number) => value.toLocaleString('en-US')
  const seen = job.parties
    .filter((_, index) => psiSeesCount(job, index) && psiLearns(job, index) === undefined)
    .map(({ name }) => `${name}  ${ui.t('text.psiSeesCount')}`)
  return ui.fields([
    ['label.digest', digest],
    ['label.purpose', visibleText(job.purpose)],
    ['label.parties', job.parties.map(({ name, key, host, port }) => `${name}  ${host}:${port}  ${key}`)],
    ['label.protocol', job.protocol],
    [
      'label.collusion',
      job.helper === undefined ? ui.t('text.psiTwo') : ui.t('text.psiHelper', { helper: job.helper }),
    ],
    ['label.psiKey', keyLines(job.key, ui)],
    [
      'label.learns',
      [...job.receivers.map(({ name, learns }) => `${name}  ${ui.t(LEARNS[learns])}`), ...seen],
    ],
    [
      'label.totalled',
      job.sum === undefined
        ? null
        : ui.t('text.psiTotalled', { ...job.sum, column: visibleText(job.sum.column) }),
    ],
    [
      'label.payload',
      job.payload.map(({ from, to, columns }) => visibleText(`${from} → ${to}  ${columns.join(', ')}`)),
    ],
    [
      'label.setSize',
      ui.t('text.psiSizes', { floor: number(floor), ceiling: number(ceiling), step: number(step) }),
    ],
    [
      'label.psiMinimum',
      ui.t(psiEnforcesMinimum(job) ? 'text.psiEnforced' : 'text.psiPromised', {
        minimum: number(job.minimumIntersection),
      }),
    ],
    [
      'label.quota',
      ui.t('text.psiQuota', { runs: number(job.quota.runs), items: number(job.quota.lifetimeItems) }),
    ],
    ['label.seconds', number(job.seconds)],
    ...preparedLines(job, ui),
    ['label.remark', ui.t('text.psiSmallDomain')],
  ])
}

function preparedLines({ prepared }: PsiJob, ui: Ui): [MessageKey, string][] {
  if (prepared === undefined) return []
  const { owner, count, epoch, expires, file } = prepared
  return [
    ['label.psiPrepared', ui.t('text.psiPreparedBy', { owner, items: count.toLocaleString('en-US'), epoch })],
    ['label.file', file],
    ['label.expires', expires],
  ]
}

function keyLines(columns: PsiJob['key'], ui: Ui): string[] {
  return columns.map(({ name, normalize }) => {
    const rules = normalize.length === 0 ? ui.t('text.psiAsItStands') : normalize.join(', ')
    return `${visibleText(name)}  ${rules}`
  })
}

/** Why a protocol cannot do what a job asks for. */
function unfit({ helper, prepared }: PsiJob, protocol: PsiProtocolName): MessageKey {
  if (protocol === 'oprf') return 'text.psiNoPrepared'
  if (prepared !== undefined) return 'text.psiForPrepared'
  if (protocol === 'helper') return 'text.psiNoHelper'
  return helper === undefined ? 'text.psiTellsWhich' : 'text.psiForHelper'
}

const LEARNS = { which: 'text.psiWhich', count: 'text.psiCount', sum: 'text.psiSum' } as const

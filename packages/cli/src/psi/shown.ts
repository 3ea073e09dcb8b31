import { visibleText } from '@sluice/core'
import { readIntersections } from '@sluice/ledger/intersections'
import { type PsiJob, psiJobDigest } from '@sluice/mpc/psi'
import type { Reply } from '../output/reply.js'
import type { Ui } from '../output/ui.js'

/** A job as whoever signs it reads it. */
export function shownPsiJob(job: PsiJob): Reply {
  const digest = psiJobDigest(job)
  return { json: { ...job, digest }, text: ui => jobText(job, digest, ui) }
}

/** A record of intersections, once it is checked. */
export async function shownRecord(path: string): Promise<Reply> {
  const { records, digest } = await readIntersections(path)
  return {
    json: { records, digest },
    text: ui =>
      [
        ui.grid(
          ['label.time', 'label.job', 'label.status', 'label.sharedKeys', 'label.tested'],
          records.map(entry => [
            entry.time,
            entry.job.slice(0, 12),
            entry.kind === 'begun' ? ui.t('text.psiBegun') : entry.outcome,
            entry.kind === 'ended' && entry.count !== undefined ? String(entry.count) : '',
            entry.kind === 'begun'
              ? entry.counterparts
                  .map(({ name, items }) => `${name} ${items.toLocaleString('en-US')}`)
                  .join(', ')
              : '',
          ]),
        ),
        '',
        ui.fields([['label.digest', digest]]),
      ].join('\n'),
  }
}

function jobText(job: PsiJob, digest: string, ui: Ui): string {
  const { floor, ceiling, step } = job.size
  const number = (value: number) => value.toLocaleString('en-US')
  return ui.fields([
    ['label.digest', digest],
    ['label.purpose', visibleText(job.purpose)],
    ['label.parties', job.parties.map(({ name, key, host, port }) => `${name}  ${host}:${port}  ${key}`)],
    ['label.protocol', job.protocol],
    [
      'label.collusion',
      job.helper === undefined ? ui.t('text.psiTwo') : ui.t('text.psiHelper', { helper: job.helper }),
    ],
    ['label.psiKey', job.key.map(({ name, normalize }) => visibleText(`${name}  ${normalize.join(', ')}`))],
    ['label.learns', job.receivers.map(({ name, learns }) => `${name}  ${ui.t(LEARNS[learns])}`)],
    ['label.totalled', job.sum === undefined ? null : visibleText(`${job.sum.column}  ${job.sum.owner}`)],
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
      ui.t(job.helper === undefined ? 'text.psiPromised' : 'text.psiEnforced', {
        minimum: number(job.minimumIntersection),
      }),
    ],
    [
      'label.quota',
      ui.t('text.psiQuota', { runs: number(job.quota.runs), items: number(job.quota.lifetimeItems) }),
    ],
    ['label.remark', ui.t('text.psiSmallDomain')],
  ])
}

const LEARNS = { which: 'text.psiWhich', count: 'text.psiCount', sum: 'text.psiSum' } as const

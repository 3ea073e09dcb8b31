import { visibleText } from '@sluice/core'
import { printType } from '@sluice/core/plan'
import type { DisclosureLimits, Policy } from '@sluice/core/policy'
import type { DatasetSummary } from '@sluice/sandbox'
import type { Ui } from './ui.js'

/** A dataset with what its policy allows, as an approver or a consumer wants to read it. */
export function datasetText(dataset: DatasetSummary, ui: Ui): string {
  const { policy } = dataset
  return [
    ui.fields([
      ['label.dataset', `${dataset.name} v${dataset.version}`],
      ['label.owner', dataset.owner],
      ['label.rows', `≤ ${dataset.rows.toLocaleString('en-US')}`],
      ['label.grade', `${dataset.grade} (${visibleText(policy.standard)})`],
      ['label.entity', entityText(policy, ui)],
      ['label.limits', limitsText(policy.disclosure, ui)],
      ['label.approvals', approvalsText(policy, dataset.owner)],
      ['label.purposes', policy.purposes.map(visibleText).join(', ') || ui.t('text.none')],
      ['label.consumer', policy.consumers.map(visibleText).join(', ') || ui.t('text.none')],
      ['label.expires', policy.expires],
      ['label.fingerprint', dataset.fingerprint],
      ['label.policyDigest', dataset.policyDigest],
      ['label.since', dataset.since],
    ]),
    '',
    columnGrid(dataset, ui),
  ].join('\n')
}

function columnGrid({ columns, policy }: DatasetSummary, ui: Ui): string {
  return ui.grid(
    ['text.column', 'label.type', 'label.role', 'label.grade', 'label.uses'],
    columns.map(({ name, type }) => {
      const rule = policy.columns[name]
      return [
        visibleText(name),
        printType(type),
        rule?.role ?? '–',
        rule?.grade ?? '–',
        rule?.uses.join(', ') || ui.t('text.none'),
      ]
    }),
  )
}

/** A policy's limits, or what of them binds one scan. */
type Limits = Pick<
  DisclosureLimits,
  'minimumEntities' | 'dominance' | 'pPercent' | 'onFailure' | 'contributors'
>

export function limitsText(
  { minimumEntities, dominance, pPercent, onFailure, contributors }: Limits,
  ui: Ui,
): string {
  return [
    ui.t('limit.minimum', { count: minimumEntities }),
    ...(dominance ? [ui.t('limit.dominance', { n: dominance.n, percent: dominance.percent })] : []),
    ...(pPercent === null ? [] : [ui.t('limit.pPercent', { percent: pPercent })]),
    ...(contributors ? [ui.t('limit.contributors', { count: contributors.minimum })] : []),
    ...(contributors?.inPlaceOfDominance ? [ui.t('limit.inPlaceOfDominance')] : []),
    ui.t(`limit.${onFailure}`),
  ].join('; ')
}

function entityText({ entity }: Policy, ui: Ui): string {
  if (entity.kind === 'none') return ui.t('text.entityNone')
  if (entity.kind === 'row') return ui.t('text.entityRow')
  const not = entity.notEntities.length === 0 ? '' : ` (≠ ${entity.notEntities.map(visibleText).join(', ')})`
  return `${visibleText(entity.column)}${not}`
}

function approvalsText({ approvals }: Policy, owner: string): string {
  return [
    owner,
    ...(approvals.reviewer ? ['reviewer'] : []),
    ...(approvals.named ? [`${approvals.named.count} / ${approvals.named.of.join(', ')}`] : []),
  ].join(' + ')
}

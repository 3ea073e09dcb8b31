import { visibleText } from '@sluice/core'
import {
  type Obligation,
  type ParameterSchema,
  printType,
  type RequiredApproval,
  type ReviewedPlan,
} from '@sluice/core/plan'
import type { Reviewed } from '../review.js'
import { limitsText } from './dataset.js'
import { indented, type Ui, visibleLines } from './ui.js'

/** Everything that a signature on the request stands for. What others wrote is shown with nothing hidden in it. */
export function reviewText({ request, emitted, plan }: Reviewed, ui: Ui): string {
  const { document, reviewed } = request
  const section = (key: Parameters<Ui['heading']>[0], body: string) => [ui.heading(key), body, '']
  return [
    ui.fields([
      ['label.request', request.id],
      ['label.zone', document.zone],
      ['label.consumer', visibleText(document.consumer)],
      ['label.purpose', visibleText(document.purpose)],
      ['label.maxRuns', document.maxRuns],
      ['label.engine', visibleText(document.engine)],
      ['label.aggregation', document.aggregation ?? null],
      ['label.grade', reviewed.grade],
      ['label.parameters', document.plan.parameters.map(parameterText)],
    ]),
    '',
    ...section(
      'label.datasets',
      ui.grid(
        [
          'label.name',
          'label.version',
          'label.owner',
          'label.grade',
          'label.fingerprint',
          'label.policyDigest',
        ],
        reviewed.datasets.map(({ name, version, owner, policy, fingerprint, policyDigest }) => [
          visibleText(name),
          String(version),
          visibleText(owner),
          policy.grade,
          fingerprint.slice(0, 16),
          policyDigest.slice(0, 16),
        ]),
      ),
    ),
    ...section('label.sqlOriginal', indented(visibleLines(document.sql))),
    ...section('label.sqlEmitted', indented(visibleLines(emitted))),
    ...section('label.plan', indented(visibleLines(plan))),
    ...section(
      'label.allowed',
      ui.grid(
        ['label.dataset', 'text.column', 'label.uses'],
        reviewed.uses.map(({ dataset, column, uses }) => [
          visibleText(dataset),
          visibleText(column),
          uses.join(', '),
        ]),
      ),
    ),
    ...section(
      'label.obligations',
      obligationTexts(reviewed, ui).length === 0
        ? `  ${ui.t('text.none')}`
        : indented(obligationTexts(reviewed, ui)),
    ),
    ...section('label.approvals', indented(reviewed.approvals.map(requiredText))),
    ui.fields([['label.digest', ui.style('bold', request.digest)]]),
  ].join('\n')
}

/** The same for machines. */
export function reviewJson({ request, emitted, plan }: Reviewed): object {
  const { document, reviewed } = request
  return {
    id: request.id,
    digest: request.digest,
    zone: document.zone,
    consumer: document.consumer,
    purpose: document.purpose,
    maxRuns: document.maxRuns,
    engine: document.engine,
    ...(document.aggregation !== undefined && { aggregation: document.aggregation }),
    parameters: document.plan.parameters,
    datasets: document.datasets,
    grade: reviewed.grade,
    sql: document.sql,
    emitted,
    plan,
    uses: reviewed.uses,
    obligations: reviewed.obligations,
    rows: reviewed.release.mode === 'rows' ? reviewed.release.anonymity : null,
    requires: reviewed.approvals,
  }
}

export function requiredText({ reason, role, principals, count }: RequiredApproval): string {
  const who = principals?.map(visibleText).join(', ') ?? role ?? ''
  return `${who}${principals && principals.length > count ? ` (${count})` : ''}: ${visibleText(reason)}`
}

export function parameterText({
  name,
  type,
  minimum,
  maximum,
  values,
  default: standard,
}: ParameterSchema): string {
  const range = minimum === undefined && maximum === undefined ? '' : ` ${minimum ?? ''}..${maximum ?? ''}`
  const list = values ? ` ${values.join(' | ')}` : ''
  return visibleText(
    `$${name} ${printType(type)}${range}${list}${standard === undefined ? '' : ` = ${standard}`}`,
  )
}

function obligationTexts({ obligations, release }: ReviewedPlan, ui: Ui): string[] {
  const rows = release.mode === 'rows' ? release.anonymity : null
  return [
    ...obligations.map(obligation => obligationText(obligation, ui)),
    ...(rows === null
      ? []
      : [`${visibleText(rows.dataset)}: ${ui.t('limit.rowsAnonymity', { k: rows.k, l: rows.l })}`]),
  ]
}

function obligationText({ dataset, entity, ...limits }: Obligation, ui: Ui): string {
  const unit = entity.kind === 'row' ? ui.t('text.entityRow') : visibleText(entity.column)
  return `${visibleText(dataset)} (${unit}): ${limitsText(limits, ui)}`
}

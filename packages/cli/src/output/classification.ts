import { visibleText } from '@sluice/core'
import type { Candidate, Classification, ColumnClassification } from '@sluice/core/classify'
import type { Ui } from './ui.js'

/** What was found in a file, a column a line. */
export function classificationText(
  classification: Classification,
  names: { readonly file: string; readonly draft: string | undefined },
  ui: Ui,
): string {
  const { catalogue, grade, columns } = classification
  return [
    ui.fields([
      ['label.file', names.file],
      ['label.rows', rowsText(classification, ui)],
      ['label.catalogue', visibleText(`${catalogue.name} ${catalogue.edition}`)],
      ['label.grade', `${grade} (${visibleText(catalogue.standard)}; ${ui.t('text.highestGrade')})`],
    ]),
    '',
    ui.grid(
      [
        'text.column',
        'label.type',
        'label.holds',
        { head: ui.t('label.confidence'), align: 'right' },
        'label.evidence',
        { head: ui.t('label.matches'), align: 'right' },
        { head: ui.t('label.nullShare'), align: 'right' },
        { head: ui.t('label.distinct'), align: 'right' },
        'label.role',
        'label.grade',
        'label.uses',
        'label.rule',
      ],
      columns.map(column => columnCells(column, ui)),
    ),
    ...(names.draft === undefined ? [] : ['', `${ui.t('text.draftWritten')}: ${names.draft}`]),
  ].join('\n')
}

function columnCells(column: ColumnClassification, ui: Ui): string[] {
  const { name, type, entity, others, nulls, distinct, role, grade, uses, rule, reason } = column
  const shown = entity ?? others[0] ?? null
  return [
    visibleText(name),
    type,
    holds(column, shown, ui),
    shown === null ? '–' : percent(shown.confidence),
    shown === null ? '–' : shown.evidence.map(kind => ui.t(`evidence.${kind}`)).join(', '),
    shown?.matches ? percent(shown.matches.value) : '–',
    percent(nulls.value),
    `${distinct.relativeError > 0 ? '≈ ' : ''}${percent(distinct.share)}`,
    role,
    reason === 'higher-candidate' ? `${grade} ↑` : grade,
    uses.join(', ') || ui.t('text.none'),
    rule === null ? '–' : ruleText(rule),
  ]
}

/** What is held, or what could be, with a question mark. */
function holds({ entity, embedded }: ColumnClassification, shown: Candidate | null, ui: Ui): string {
  const inside =
    embedded.value > 0 ? `; ${ui.t('text.numbersInside', { share: percent(embedded.value) })}` : ''
  return kind(entity, shown, ui) + inside
}

function kind(entity: Candidate | null, shown: Candidate | null, ui: Ui): string {
  if (shown === null) return ui.t('text.unrecognized')
  const label = visibleText(shown.label[ui.language])
  return entity === null ? `${ui.t('text.unrecognized')} (${label}?)` : label
}

/** `preset mobile`, `round 1000`: the kind, and what is said once with it. */
function ruleText(rule: NonNullable<ColumnClassification['rule']>): string {
  const { kind, ...others } = rule
  const words = Object.values(others).map(value =>
    typeof value === 'object' ? JSON.stringify(value).replaceAll('"', '') : String(value),
  )
  return visibleText([kind, ...words].join(' '))
}

function rowsText({ rows: { read, total, sampled } }: Classification, ui: Ui): string {
  if (!sampled) return count(read)
  // a share of one half is the least certain
  const error = (100 * 0.98) / Math.sqrt(Math.max(1, read))
  return ui.t('text.sampled', {
    read: count(read),
    total: total === null ? '?' : count(total),
    error: error.toFixed(1),
  })
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}

function percent(share: number): string {
  const text = (100 * share).toFixed(1)
  if (text === '0.0' && share > 0) return '< 0.1 %'
  if (text === '100.0' && share < 1) return '> 99.9 %'
  return `${text.replace(/\.0$/, '')} %`
}

import { visibleText } from '@sluice/core'
import type { DesensitizedFile } from '@sluice/sandbox/desensitize'
import type { Ui } from './ui.js'

/** What each rule did, to how many values. */
export function desensitizedText({ report, dropped, rows }: DesensitizedFile, out: string, ui: Ui): string {
  const number = (value: number) => value.toLocaleString('en-US')
  const right = (key: Parameters<Ui['t']>[0]) => ({ head: ui.t(key), align: 'right' }) as const
  const grid = ui.grid(
    [
      'text.column',
      'label.ruleKind',
      right('label.nulls'),
      right('label.changed'),
      right('label.hiddenWhole'),
      right('label.fixedPoints'),
    ],
    [
      ...report.map(({ column, kind, counts }) => [
        visibleText(column),
        kind === 'keep' ? ui.t('text.kept') : kind,
        ...[counts.nulls, counts.changed, counts.hidden, counts.fixedPoints].map(number),
      ]),
      ...dropped.map(({ column, said }) => [
        visibleText(column),
        said ? 'drop' : ui.t('text.droppedUnsaid'),
        ...['–', '–', '–', '–'],
      ]),
    ],
  )
  return [`${ui.t('text.desensitized')}: ${out}`, ui.fields([['label.rows', number(rows)]]), '', grid].join(
    '\n',
  )
}

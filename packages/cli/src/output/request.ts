import { visibleText } from '@sluice/core'
import type { RequestSummary } from '@sluice/sandbox'
import type { Ui } from './ui.js'

/** A request by its name and state. */
export function requestText(
  request: RequestSummary,
  ui: Ui,
  required: readonly string[] | null = null,
): string {
  return ui.fields([
    ['label.request', request.id],
    ['label.status', request.status],
    ['label.consumer', visibleText(request.consumer)],
    ['label.purpose', visibleText(request.purpose)],
    ['label.approvals', required],
    ['label.approvedBy', request.approvedBy.join(', ') || ui.t('text.none')],
    ['label.runs', request.runs],
    ['label.digest', request.digest],
  ])
}

/** What changes about a request; the rest stands in its review. */
export function statusText(request: RequestSummary, ui: Ui): string {
  return ui.fields([
    ['label.status', request.status],
    ['label.time', request.time],
    ['label.approvedBy', request.approvedBy.join(', ') || ui.t('text.none')],
    ['label.runs', request.runs],
  ])
}

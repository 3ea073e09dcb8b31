import { isSluiceError, SluiceError } from '@sluice/core'
import stringWidth from 'string-width'
import { Interruption } from './io.js'
import { errorSentence, type Translate } from './messages/catalogue.js'
import { type Ui, visibleLines } from './output/ui.js'
import type { Sources } from './sources.js'

/** What is shown for an error: ours as it is; anything else is our fault, and its text may hold anything. */
export function shownError(error: unknown, signal: AbortSignal): SluiceError {
  // whatever a cancelled command ran into, it was cancelled
  if (signal.aborted) {
    const { reason } = signal
    const goesOn = isSluiceError(error) && error.code === 'INTERRUPTED' && error.remedy !== undefined
    if (goesOn && reason instanceof Interruption) return reason.saying(error)
    return isSluiceError(reason) ? reason : new SluiceError('INTERRUPTED', 'interrupted')
  }
  if (isSluiceError(error)) return error
  return new SluiceError('INTERNAL', 'an unexpected failure', {
    remedy: 'Run it again with SLUICE_DEBUG=1 for the stack, and report it without any data in it.',
    cause: error,
  })
}

/**
 * The error as people read it: code and message, the place with its own line, the rule, the remedy. What `translate`
 * does not know stays English.
 */
export function errorText(error: SluiceError, sources: Sources, ui: Ui, translate: Translate): string {
  const sentence = errorSentence(ui.language, error.code)
  const head = `${ui.style('red', ui.t('error.prefix'))} ${ui.style('bold', error.code)}`
  const labels = (['error.rule', 'error.remedy'] as const).map(key => stringWidth(ui.t(key)))
  const width = Math.max(...labels)
  const detail = (key: 'error.rule' | 'error.remedy' | 'error.also', text: string | undefined) =>
    text === undefined
      ? []
      : visibleLines(text).map((line, index) => {
          const label = index === 0 ? ui.t(key) : ''
          return `  ${ui.style('dim', label)}${' '.repeat(width - stringWidth(label))}  ${line}`
        })
  return [
    `${head}: ${[...(sentence ? [sentence] : []), visibleLines(translate(error.message)).join(' ')].join(ui.language === 'zh' ? '。' : '. ')}`,
    ...place(error, sources, ui),
    ...detail('error.rule', error.rule),
    ...detail('error.remedy', error.remedy && translate(error.remedy)),
    ...others(error).flatMap(problem => detail('error.also', translate(problem))),
  ].join('\n')
}

/** The stack, for SLUICE_DEBUG=1: frames only, since a message of an unknown error may quote a value. */
export function stackText(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const { cause } = error
  const frames = (error.stack ?? '').split('\n').filter(line => /^\s+at /.test(line))
  const below = cause === undefined ? [] : [`  caused by ${kindOf(cause)}`, stackText(cause)]
  return [...frames, ...below].filter(line => line !== '').join('\n')
}

/** Where several things are wrong at once (in a policy, in a query), all but the first, which is the error. */
function others({ facts }: SluiceError): readonly string[] {
  const problems = facts?.['problems'] ?? facts?.['violations']
  return Array.isArray(problems) ? problems.slice(1) : []
}

function place({ position }: SluiceError, sources: Sources, ui: Ui): string[] {
  if (!position) return []
  const { line, column } = position
  const source = position.source ?? sources.query
  const text = source === undefined ? undefined : sources.line(source, line)
  const named = source === undefined ? '' : ` (${visibleLines(source).join(' ')})`
  const where = `  ${ui.style('dim', ui.t('error.at'))} ${line}:${column}${named}`
  if (text === undefined) return [where]
  const before = visibleLines([...text].slice(0, column - 1).join('')).join('')
  const gutter = `    ${line} | `
  return [
    where,
    `${gutter}${visibleLines(text).join('')}`,
    `${' '.repeat(gutter.length - 2)}| ${' '.repeat(stringWidth(before))}${ui.style('red', '^')}`,
  ]
}

function kindOf(value: unknown): string {
  return value instanceof Error ? value.name : typeof value
}

import { SluiceError } from '@sluice/core'
import ms from 'ms'

const YEAR = 366 * 24 * 60 * 60 * 1000

/**
 * The moment that a span (`30d`, `12h`, `90 minutes`) from now, or a date-time in ISO 8601, stands for. An approval
 * that never ends is refused: at most a year.
 *
 * @throws SluiceError PARAMETER_INVALID where it is neither, lies in the past or more than a year ahead
 */
export function expiryFrom(text: string | Date, now: Date): Date {
  const moment = text instanceof Date ? text : momentFrom(text.trim(), now)
  const ahead = moment.getTime() - now.getTime()
  if (ahead > 0 && ahead <= YEAR) return moment
  throw new SluiceError(
    'PARAMETER_INVALID',
    'an approval expires within a year from now, and not in the past',
    {
      rule: 'approval.expires',
      remedy: 'Write a span such as 30d or 12h, or a time such as 2030-01-31T00:00:00Z.',
    },
  )
}

function momentFrom(text: string, now: Date): Date {
  if (/^\d{4}-\d\d-\d\d(T|$)/.test(text)) return new Date(text)
  const span = ms(text as ms.StringValue)
  return new Date(typeof span === 'number' ? now.getTime() + span : Number.NaN)
}

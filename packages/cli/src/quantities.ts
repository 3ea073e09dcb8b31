import { SluiceError } from '@sluice/core'
import ms from 'ms'

/** Milliseconds of a span such as `30s` or `5m`; 0 means not at all. @throws SluiceError USAGE */
export function parseDuration(text: string): number {
  const span = /^\d/.test(text) ? ms(text as ms.StringValue) : undefined
  if (typeof span === 'number' && Number.isFinite(span)) return span
  throw new SluiceError('USAGE', `"${text}" is no span of time`, {
    remedy: 'Write one such as 500ms, 30s or 5m.',
  })
}

const UNITS = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** Bytes of an amount such as `512MB` or `4GiB`; a K is 1024 either way. @throws SluiceError USAGE */
export function parseBytes(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text) ?? []
  if (digits !== undefined)
    return Math.floor(Number(digits) * UNITS[(unit ?? '').toLowerCase() as keyof typeof UNITS])
  throw new SluiceError('USAGE', `"${text}" is no amount of memory`, {
    remedy: 'Write one such as 512MB or 4GB.',
  })
}

/** A whole number from 1 on. @throws SluiceError USAGE */
export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count >= 1) return count
  throw new SluiceError('USAGE', `"${text}" is no number of times`, {
    remedy: 'Write a whole number, 1 or more.',
  })
}

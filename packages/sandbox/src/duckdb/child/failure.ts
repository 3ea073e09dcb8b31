import type { Failure, FailureReason } from './protocol.js'

/** A limit that the child itself keeps. */
export class SizeExceeded extends Error {}

const REASONS: readonly (readonly [RegExp, FailureReason])[] = [
  [/No space left on device|ENOSPC/, 'disk'],
  // a spill directory that is used up is the run's memory, not the disk
  [
    /^(Out of Memory Error|.*max_temp_directory_size|.*bad_alloc|.*Array buffer allocation failed)/s,
    'memory',
  ],
  [/^Conversion Error/, 'conversion'],
  [/^Out of Range Error/, 'range'],
  [/^(Invalid Input Error|CSV Error|Parser Error)/, 'input'],
  [/^(IO Error|Permission Error|Serialization Error|Invalid Error)/, 'file'],
  [/^(Binder Error|Catalog Error)/, 'bind'],
  [/^INTERRUPT/, 'interrupt'],
]

/** Keeps the class of an error and a line number, and nothing that its text says. */
export function failureOf(error: unknown): Failure {
  if (error instanceof SizeExceeded) return { reason: 'size', line: null }
  const text = error instanceof Error ? error.message : ''
  const line = /CSV Error on Line: (\d{1,15})\b/.exec(text)?.[1]
  return {
    reason: REASONS.find(([pattern]) => pattern.test(text))?.[1] ?? 'other',
    line: line === undefined ? null : Number(line),
  }
}

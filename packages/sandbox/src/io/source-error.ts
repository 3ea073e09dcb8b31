import { SluiceError } from '@sluice/core'
import { type EngineFailure, failureError } from '../duckdb/session.js'
import type { FileFormat } from './format.js'

/** A failure while a provider's file is read is the file's, unless it is memory, disk or size. */
export function sourceError(failure: EngineFailure, format: FileFormat): SluiceError {
  if (['memory', 'disk', 'size'].includes(failure.reason)) return failureError(failure)
  const where = failure.line === null ? '' : ` at line ${failure.line}`
  return new SluiceError('FILE_FORMAT', `the ${format} file cannot be read${where}`, {
    rule: 'damaged',
    remedy:
      format === 'csv'
        ? 'Give every record as many fields as the header, and close every quote.'
        : 'Write the file again; it is damaged or uses a feature that the engine does not know.',
    ...(failure.line !== null && { position: { line: failure.line, column: 1 } }),
  })
}

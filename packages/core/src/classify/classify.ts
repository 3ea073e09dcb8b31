import type { RecordBatch, Schema } from 'apache-arrow'
import type { Progress } from '../plan/executor.js'
import { Classifier, type ClassifierOptions } from './classifier.js'
import type { Classification } from './types.js'

export interface ClassifyOptions extends ClassifierOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** how many rows will come, for the progress */
  readonly expectedRows?: number
}

/**
 * Classifies a table that comes in batches, and forgets each batch before it asks for the next.
 *
 * @throws SluiceError SCHEMA_INVALID, FILE_FORMAT, FILE_TOO_LARGE: see `Classifier`; the signal's reason when aborted
 */
export async function classify(
  schema: Schema,
  batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
  options: ClassifyOptions = {},
): Promise<Classification> {
  const { signal, onProgress, expectedRows } = options
  const classifier = new Classifier(schema, options)
  for await (const batch of batches) {
    signal?.throwIfAborted()
    classifier.add(batch)
    const fraction = expectedRows ? Math.min(1, classifier.rows / expectedRows) : undefined
    onProgress?.({ stage: 'classify', ...(fraction !== undefined && { fraction }) })
  }
  signal?.throwIfAborted()
  return classifier.finish()
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { SluiceError } from '@sluice/core'
import type { DatasetFacts } from '@sluice/core/plan'
import type { ZoneLayout } from '../zone/layout.js'
import type { ZoneState } from '../zone/state.js'
import { findDataset } from './lookup.js'
import { tablePaths } from './tables.js'

export interface DatasetFile {
  readonly dataset: string
  readonly path: string
  /** SHA-256 of the bytes that were registered, in hexadecimal */
  readonly fingerprint: string
  /** the column whose entity codes the file has, and about how many entities there are */
  readonly entity: { readonly column: string; readonly count: number } | null
  /** paths of the tables that masks look values up in, by fingerprint */
  readonly tables: Readonly<Record<string, string>>
}

/** The registered files of these datasets. */
export function datasetFiles(
  layout: ZoneLayout,
  state: ZoneState,
  datasets: readonly Pick<DatasetFacts, 'name'>[],
): DatasetFile[] {
  return datasets.map(({ name }) => {
    const { file, facts, entity, tables } = findDataset(state, name)
    return {
      dataset: name,
      path: join(layout.data, file),
      fingerprint: facts.fingerprint,
      entity,
      tables: tablePaths(layout.data, tables),
    }
  })
}

/**
 * Reads a dataset's file and its tables, and compares their SHA-256 with the registered ones.
 *
 * @throws SluiceError FILE_MISSING, FINGERPRINT_MISMATCH
 */
export async function assertFingerprints(file: DatasetFile, signal?: AbortSignal): Promise<void> {
  const { dataset, tables } = file
  await assertFingerprint(file, signal)
  for (const [fingerprint, path] of Object.entries(tables)) {
    await assertFingerprint({ dataset, path, fingerprint }, signal)
  }
}

async function assertFingerprint(
  file: Pick<DatasetFile, 'dataset' | 'path' | 'fingerprint'>,
  signal?: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(file.path, { highWaterMark: 1 << 20 }), hash, {
      ...(signal && { signal }),
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new SluiceError('FILE_MISSING', `the registered file of dataset "${file.dataset}" cannot be read`, {
      remedy:
        'Restore the zone’s data directory, or register the dataset again with `sluice dataset update`.',
      cause,
    })
  }
  if (hash.digest('hex') === file.fingerprint) return
  throw new SluiceError(
    'FINGERPRINT_MISMATCH',
    `the file of dataset "${file.dataset}" is not the one registered`,
    {
      remedy:
        'Restore the zone’s data directory, or register the dataset again with `sluice dataset update`.',
    },
  )
}

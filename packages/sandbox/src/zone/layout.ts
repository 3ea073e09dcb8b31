import { existsSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { SluiceError } from '@sluice/core'
import { makeNamedDirectory } from '@sluice/ledger/files'
import { scratchPath } from '../io/scratch.js'

/** Where things lie in a zone's directory. The ledger alone is the truth; the rest is what it refers to. */
export interface ZoneLayout {
  readonly root: string
  /** says that this is a zone, and of which version */
  readonly marker: string
  readonly ledger: string
  /** the log's own key, of mode 600; no principal's key is ever in a zone */
  readonly logKey: string
  /** what the drawing of stand-ins is seeded with, of mode 600: who has it can tell drawn from made up */
  readonly sampleKey: string
  /** registered data under random names */
  readonly data: string
  /** parameters and results under random names: what the ledger holds commitments to, and what can be erased */
  readonly results: string
  /** staging of children; emptied when nobody uses it */
  readonly staging: string
  /** what an outsider needs to verify: hand out a copy */
  readonly trust: string
}

const FORMAT = 'sluice-zone/1'
const MARKER = 'zone.json'

export function zoneLayout(directory: string): ZoneLayout {
  const root = resolve(directory)
  return {
    root,
    marker: join(root, MARKER),
    ledger: join(root, 'ledger'),
    logKey: join(root, 'log.key'),
    sampleKey: join(root, 'sample.key'),
    data: join(root, 'data'),
    results: join(root, 'results'),
    staging: join(root, 'staging'),
    trust: join(root, 'trust.json'),
  }
}

/** The nearest zone at or above a directory; undefined where there is none. */
export function findZone(start: string): string | undefined {
  for (let directory = resolve(start); ; directory = dirname(directory)) {
    if (existsSync(join(directory, MARKER)) && existsSync(join(directory, 'ledger'))) return directory
    if (dirname(directory) === directory) return undefined
  }
}

/** @throws SluiceError ZONE_MISSING, ZONE_VERSION or ZONE_DAMAGED */
export async function assertZone(layout: ZoneLayout): Promise<void> {
  let text: string
  try {
    text = await readFile(layout.marker, 'utf8')
  } catch (cause) {
    throw new SluiceError('ZONE_MISSING', `there is no zone in ${layout.root}`, {
      remedy: 'Name one with --zone DIR or SLUICE_ZONE, or make one with `sluice init DIR`.',
      cause,
    })
  }
  const format = formatOf(text)
  if (format === FORMAT) return
  if (format?.startsWith('sluice-zone/')) {
    throw new SluiceError('ZONE_VERSION', `the zone is of version ${format}; this program knows ${FORMAT}`, {
      remedy: 'Use the release of Sluice that made it, or a newer one.',
    })
  }
  throw new SluiceError('ZONE_DAMAGED', `${layout.marker} is not a zone's marker`, {
    remedy: `Restore the zone from a copy; the marker holds {"format":"${FORMAT}"}.`,
  })
}

/** Makes the directories and, last and durably, the marker that turns them into a zone. */
export async function makeZone(layout: ZoneLayout): Promise<void> {
  for (const directory of [layout.data, layout.results, layout.staging]) {
    await makeNamedDirectory(directory, 0o700)
  }
  await writeDurably(layout.marker, new TextEncoder().encode(`${JSON.stringify({ format: FORMAT })}\n`))
}

/**
 * Writes a whole file so that after a crash there is all of it or nothing: temporary file, sync, rename, sync of
 * the directory. Mode 600.
 *
 * @throws SluiceError DISK_FULL; the file is then as it was
 */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = await scratchPath(dirname(path))
  try {
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true })
    if (isNodeError(cause) && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')) {
      throw new SluiceError('DISK_FULL', 'the disk is full; nothing was changed', {
        remedy: 'Free some space and run the same command again.',
        cause,
      })
    }
    throw cause
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function formatOf(text: string): string | undefined {
  try {
    const format = (JSON.parse(text) as { format?: unknown } | null)?.format
    return typeof format === 'string' ? format : undefined
  } catch {
    return undefined
  }
}

function isNodeError(value: unknown): value is NodeJS.ErrnoException {
  return value instanceof Error && 'code' in value
}

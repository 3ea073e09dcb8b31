import { copyFile, link, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { codeOf } from '../isolation/staging.js'
import { makeScratch } from './scratch.js'

/**
 * Puts a file that is whole in its place: of mode 600, synced, by way of a directory of its own beside that place, for
 * what was made may lie on another file system.
 *
 * @throws SluiceError EXISTS, FILE_MISSING (no such directory), DISK_FULL
 */
export async function placeTable(made: string, path: string, force = false): Promise<void> {
  await inScratch(path, async directory => {
    const whole = join(directory, 'written')
    await moved(made, whole)
    const file = await open(whole, 'r')
    await file.chmod(0o600)
    await file.sync().finally(() => file.close())
    await place(whole, path, force)
  })
}

async function moved(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw writeError(error)
    await copyFile(from, to).catch((cause: unknown) => {
      throw writeError(cause)
    })
  }
}

/** A directory beside a file that is to be made, for as long as it is made. */
export async function inScratch<T>(path: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await makeScratch(dirname(path)).catch((cause: unknown) => {
    throw writeError(cause)
  })
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** @throws SluiceError EXISTS */
export async function requireFree(path: string): Promise<void> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null
    throw writeError(error)
  })
  if (file === null) return
  await file.close()
  throw exists()
}

/** A link refuses to replace what came there meanwhile; a rename does not. */
export async function place(from: string, to: string, force: boolean): Promise<void> {
  try {
    if (force) await rename(from, to)
    else await link(from, to)
  } catch (cause) {
    throw writeError(cause)
  }
}

function exists(): SluiceError {
  return new SluiceError('EXISTS', 'the file to be written exists already', {
    remedy: 'Choose another path, or add --force to replace it.',
  })
}

export function writeError(cause: unknown): SluiceError {
  switch (codeOf(cause)) {
    case 'EEXIST':
      return exists()
    case 'ENOSPC':
    case 'EDQUOT':
      return new SluiceError('DISK_FULL', 'the disk is full; the file was not written', {
        remedy: 'Free some space and run the same command again.',
        cause,
      })
    default:
      return new SluiceError('FILE_MISSING', 'the file to be written cannot be made there', {
        remedy: 'Check that its directory exists and that you may write there.',
        cause,
      })
  }
}

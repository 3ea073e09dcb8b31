import { link, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isSluiceError, SluiceError } from '@sluice/core'

const LINKLESS = new Set<string | undefined>(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Writes a whole file of mode 600, or none, however the process ends: beside its name first, then under it. An existing
 * file is refused unless `force`. What earlier processes left half written there is swept.
 *
 * @throws SluiceError EXISTS, FILE_MISSING (no such directory), DISK_FULL
 */
export async function writeFile(path: string, bytes: Uint8Array, force: boolean): Promise<void> {
  if (!force) await assertFree(path)
  const { scratchPath } = await import('@sluice/sandbox/scratch')
  const partial = await scratchPath(dirname(path))
  try {
    const file = await open(partial, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await (force ? rename(partial, path) : appear(partial, path))
  } catch (cause) {
    throw isSluiceError(cause) ? cause : writeError(path, cause as NodeJS.ErrnoException)
  } finally {
    // the error that counts is the one before
    await rm(partial, { force: true }).catch(() => undefined)
  }
}

/** A link is made only where nothing has the name; a file system without links (FAT) is asked before. */
async function appear(partial: string, path: string): Promise<void> {
  try {
    await link(partial, path)
  } catch (error) {
    if (!LINKLESS.has((error as NodeJS.ErrnoException).code)) throw error
    await assertFree(path)
    await rename(partial, path)
  }
}

/**
 * Before any work that somebody waits for.
 *
 * @throws SluiceError EXISTS
 */
export async function assertFree(path: string): Promise<void> {
  if ((await identityOf(path)) !== null) {
    throw writeError(path, Object.assign(new Error(), { code: 'EEXIST' }))
  }
}

/**
 * Before any work: what a command reads (its data, a policy, a secret) is never what it writes, not even with --force,
 * and not under another name either.
 *
 * @throws SluiceError EXISTS
 */
export async function assertNotRead(path: string, inputs: readonly string[]): Promise<void> {
  const target = await identityOf(path)
  if (target === null) return
  for (const input of inputs) {
    if ((await identityOf(input)) !== target) continue
    throw new SluiceError('EXISTS', `${path} is one of the files that this command reads`, {
      remedy: 'Choose another path for --out.',
    })
  }
}

/** Device and inode; null where there is no such file. */
async function identityOf(path: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(path, { bigint: true })
    return `${dev}:${ino}`
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw writeError(path, cause as NodeJS.ErrnoException)
  }
}

export function writeError(path: string, cause: NodeJS.ErrnoException): SluiceError {
  switch (cause.code) {
    case 'EEXIST':
      return new SluiceError('EXISTS', `${path} exists already`, {
        remedy: 'Choose another path, or add --force to replace it.',
      })
    case 'ENOSPC':
    case 'EDQUOT':
      return new SluiceError('DISK_FULL', `the disk is full; ${path} was not written`, {
        remedy: 'Free some space and run the same command again.',
      })
    default:
      return new SluiceError(
        'FILE_MISSING',
        `${path} cannot be written (${cause.code ?? 'unknown reason'})`,
        {
          remedy: 'Check that its directory exists and that you may write there.',
          cause,
        },
      )
  }
}

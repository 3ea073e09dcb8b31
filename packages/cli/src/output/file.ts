import { open, rename, rm, stat } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'

/**
 * Writes a whole file of mode 600, or none: beside its name first, then renamed. An existing file is refused unless
 * `force`.
 *
 * @throws SluiceError EXISTS, FILE_MISSING (no such directory), DISK_FULL
 */
export async function writeFile(path: string, bytes: Uint8Array, force: boolean): Promise<void> {
  const target = force ? `${path}.${process.pid}.tmp` : path
  try {
    const file = await open(target, force ? 'w' : 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } catch (error) {
      await rm(target, { force: true })
      throw error
    } finally {
      await file.close()
    }
    if (force) await rename(target, path)
  } catch (cause) {
    throw writeError(path, cause as NodeJS.ErrnoException)
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
 * Before any work: what a command needs besides its data (a policy, a secret) is never what it writes, not even with
 * --force, and not under another name either.
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

/** Before any work: is a file to be written there already? @throws SluiceError EXISTS */
export async function requireFree(path: string): Promise<void> {
  if ((await identityOf(path)) === null) return
  throw writeError(path, Object.assign(new Error('there is a file'), { code: 'EEXIST' }))
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

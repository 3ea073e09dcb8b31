import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { Files, Lock, OpenFile } from './files.js'

/** The machine's own file system. */
export const nodeFiles: Files = {
  read: path => orMissing(readFile(path), null),
  size: path =>
    orMissing(
      stat(path).then(({ size }) => size),
      null,
    ),
  list: path => orMissing(readdir(path), []),

  makeDirectory,

  async write(path, bytes, mode = 0o644) {
    await rm(path, { force: true })
    await withHandle(await open(path, 'wx', mode), async file => {
      await file.writeFile(bytes)
      await file.sync()
    })
  },

  rename,

  async remove(path) {
    await rm(path, { recursive: true, force: true })
  },

  async syncDirectory(path) {
    // Windows cannot sync a directory; NTFS journals renames itself
    if (process.platform === 'win32') return
    await withHandle(await open(path, 'r'), directory => directory.sync())
  },

  async open(path): Promise<OpenFile> {
    const file = await open(path, 'r+')
    return {
      async write(bytes, position) {
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
          done += bytesWritten
        }
      },
      truncate: size => file.truncate(size),
      // the length changes with every append, so this syncs what has to be read back, and spares the rest
      sync: () => file.datasync(),
      close: () => file.close(),
    }
  },

  async tryLock(path): Promise<Lock | null> {
    const native = (await import('fs-native-extensions')).default
    const file = await open(path, 'a+', 0o644)
    let held = false
    try {
      held = native.tryLock(file.fd)
    } finally {
      if (!held) await file.close()
    }
    if (!held) return null
    return {
      async release() {
        native.unlock(file.fd)
        await file.close()
      },
    }
  },
}

/**
 * A directory that somebody named, with those above it.
 *
 * @throws SluiceError FILE_MISSING where it cannot be made, DISK_FULL
 */
export async function makeNamedDirectory(path: string, mode?: number): Promise<void> {
  try {
    await makeDirectory(path, mode)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new SluiceError('DISK_FULL', `the disk is full; ${path} was not written`, {
        remedy: 'Free some space and run the same command again.',
        cause,
      })
    }
    throw new SluiceError('FILE_MISSING', `the directory ${path} cannot be made (${code})`, {
      remedy: 'Name one that may be made there, or make it and see that you may write in it.',
      cause,
    })
  }
}

/** Node's own way with those above it never ends, nor can be stopped, where nobody may make any, as below /proc. */
async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  if (await isDirectory(path)) return
  const parent = dirname(path)
  if (parent !== path && !(await isDirectory(parent))) await makeDirectory(parent, mode)
  try {
    await mkdir(path, { mode })
  } catch (error) {
    // another process was first
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && (await isDirectory(path))) return
    throw error
  }
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await orMissing(stat(path), null)
  return found?.isDirectory() ?? false
}

async function orMissing<T, M>(result: Promise<T>, missing: M): Promise<T | M> {
  try {
    return await result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return missing
    throw error
  }
}

async function withHandle(file: FileHandle, action: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await action(file)
  } finally {
    await file.close()
  }
}

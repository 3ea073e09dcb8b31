import { constants } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SluiceError } from '@sluice/core'

const FILE_BYTES = 4096

/** The text of a small file that nobody but its owner can reach. @throws SluiceError FILE_MISSING, KEY_PERMISSIONS, KEY_INVALID */
export async function readPrivately(path: string, limit = FILE_BYTES): Promise<string> {
  const file = await open(path, constants.O_RDONLY).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') {
      throw new SluiceError('FILE_MISSING', `there is no key file ${path}`, {
        remedy: 'Check the path, or make a key with "sluice key new".',
      })
    }
    throw new SluiceError('KEY_INVALID', `the key file ${path} cannot be read (${cause.code})`, { cause })
  })
  try {
    const status = await file.stat()
    if (!status.isFile() || status.size > limit) throw notSmall()
    // Windows has no such bits; there the folder's access list has to protect the file
    if (process.platform !== 'win32' && (status.mode & 0o077) !== 0) {
      throw new SluiceError('KEY_PERMISSIONS', `others than its owner can reach the key file ${path}`, {
        remedy: `Run chmod 600 ${path}.`,
        facts: { mode: (status.mode & 0o777).toString(8) },
      })
    }
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** Writes a new file of mode 600, durably. @throws SluiceError EXISTS, FILE_MISSING, DISK_FULL, KEY_INVALID */
export async function writeExclusively(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw unwritable(path, cause)
  })
  try {
    await file.writeFile(text)
    await file.sync()
    await syncDirectory(dirname(path))
  } catch (cause) {
    await unlink(path)
    throw unwritable(path, cause as NodeJS.ErrnoException)
  } finally {
    await file.close()
  }
}

export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function unwritable(path: string, cause: NodeJS.ErrnoException): SluiceError {
  switch (cause.code) {
    case 'EEXIST':
      return new SluiceError('EXISTS', `${path} exists already; a key is never overwritten`, {
        remedy: 'Choose another path.',
      })
    case 'ENOENT':
      return new SluiceError('FILE_MISSING', `the directory of ${path} does not exist`, {
        remedy: 'Create the directory first.',
      })
    case 'ENOSPC':
    case 'EDQUOT':
      return new SluiceError('DISK_FULL', `the disk is full; ${path} was not written`, {
        remedy: 'Free some space and try again.',
      })
    default:
      return new SluiceError('KEY_INVALID', `${path} cannot be written (${cause.code})`, { cause })
  }
}

function notSmall(): SluiceError {
  return new SluiceError('KEY_INVALID', 'this is not a key file of Sluice: it is not a small regular file', {
    remedy: 'Restore the file from its backup, or make a new key.',
  })
}

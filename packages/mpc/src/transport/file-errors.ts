import { SluiceError } from '@sluice/core'

/** What the system says of a file, as an error that helps. */
export async function withFileErrors<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException
    if (name === 'SluiceError' || typeof code !== 'string') throw error
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new SluiceError('DISK_FULL', `the disk is full; ${path} was not written`, {
        remedy: 'Free some space and run the same command again.',
        cause: error,
      })
    }
    throw new SluiceError('FILE_MISSING', `${path} cannot be written (${code})`, {
      remedy: 'Check that its directory exists and that you may write there.',
      cause: error,
    })
  }
}

import { readFile, stat } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'

/**
 * Reads a small file that a person wrote or received.
 *
 * @throws SluiceError FILE_MISSING, FILE_TOO_LARGE
 */
export async function readBytes(path: string, limit: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(path)
    if (size > limit) {
      throw new SluiceError('FILE_TOO_LARGE', `${path} has more than ${limit} bytes`, {
        remedy: 'Name the file that this command expects; see its --help.',
      })
    }
    return await readFile(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'FILE_TOO_LARGE') throw cause
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw new SluiceError('FILE_MISSING', `${path}: ${why}`, { remedy: 'Check the path.', cause })
  }
}

/** The same as UTF-8 text. @throws SluiceError FILE_FORMAT where it is none */
export async function readText(path: string, limit: number): Promise<string> {
  const bytes = await readBytes(path, limit)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new SluiceError('FILE_FORMAT', `${path} is not text in UTF-8`, {
      remedy: 'Save it as UTF-8.',
    })
  }
}

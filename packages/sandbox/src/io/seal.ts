import { createHash } from 'node:crypto'
import { chmod, lstat, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { nodeFiles } from '@sluice/ledger/files'
import { codeOf } from '../isolation/staging.js'

/**
 * Takes what a child wrote: it must be a plain file of one name, which nobody can change any more. Synced before and
 * after it gets its place.
 */
export async function seal(
  written: string,
  directory: string,
  name: string,
  maximumBytes: number,
): Promise<{ path: string; fingerprint: string; bytes: number }> {
  const found = await lstat(written).catch(() => null)
  if (!found?.isFile() || found.nlink !== 1) {
    throw new SluiceError('ENGINE_FAILED', 'the engine’s process wrote no file', { rule: 'child-protocol' })
  }
  if (found.size > maximumBytes) throw tooLarge('bytes', maximumBytes)
  await chmod(written, 0o600)
  const file = await open(written, 'r')
  const digest = createHash('sha256')
  try {
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
      digest.update(chunk as Buffer)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  await nodeFiles.makeDirectory(directory, 0o700)
  const path = join(directory, name)
  await rename(written, path)
  const folder = await open(directory, 'r')
  await folder.sync().finally(() => folder.close())
  return { path, fingerprint: digest.digest('hex'), bytes: found.size }
}

/** @throws SluiceError FILE_MISSING, FILE_FORMAT, FILE_TOO_LARGE */
export async function requireFile(path: string, bytes: number): Promise<void> {
  try {
    const file = await open(path, 'r')
    const found = await file.stat().finally(() => file.close())
    if (!found.isFile()) throw new SluiceError('FILE_FORMAT', 'this is not a file', { rule: 'format' })
    if (found.size > bytes) throw tooLarge('bytes', bytes)
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT' && codeOf(cause) !== 'EACCES') throw cause
    throw new SluiceError('FILE_MISSING', `${path}: there is no such file, or it may not be read`, {
      remedy: 'Check the path.',
      cause,
    })
  }
}

export function tooLarge(what: 'bytes' | 'rows', limit: number): SluiceError {
  return new SluiceError('FILE_TOO_LARGE', `a dataset may have at most ${limit} ${what}`, {
    rule: `limit.${what}`,
    remedy: 'Split the file, or have the operator raise the limit.',
    facts: { limit },
  })
}

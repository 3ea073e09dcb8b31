import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'

/**
 * Which file stands at a path, and since when it is as it is: two readings of one version are of the same rows, as long as
 * nobody sets times back. It changes with whoever writes into the file or puts another in its place.
 *
 * @throws SluiceError FILE_MISSING
 */
export async function fileVersion(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true }).catch(cause => {
    throw new SluiceError('FILE_MISSING', `${path}: there is no such file, or it may not be read`, {
      remedy: 'Check the path.',
      cause,
    })
  })
  return [dev, ino, size, mtimeNs].join(' ')
}

/** @throws SluiceError FINGERPRINT_MISMATCH where the file is another, or was changed, since it had this version */
export async function requireVersion(path: string, version: string): Promise<void> {
  if ((await fileVersion(path)) !== version) throw changed()
}

/** An input that is not what it was when it was read first. */
export function changed(): SluiceError {
  return new SluiceError('FINGERPRINT_MISMATCH', 'an input changed while it was read', {
    rule: 'input',
    remedy: 'Leave the file as it is until the job has ended.',
  })
}

/** SHA-256 of a file's bytes, hexadecimal. @throws SluiceError INTERRUPTED */
export async function contentDigest(path: string, signal?: AbortSignal): Promise<string> {
  const digest = createHash('sha256')
  const file = await open(path, 'r')
  try {
    const piece = new Uint8Array(PIECE)
    for (;;) {
      if (signal?.aborted) throw new SluiceError('INTERRUPTED', 'the reading was interrupted')
      const { bytesRead } = await file.read(piece)
      if (bytesRead === 0) return digest.digest('hex')
      digest.update(piece.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}

const PIECE = 1 << 20

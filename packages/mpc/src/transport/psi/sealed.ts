import { createCipheriv, createDecipheriv } from 'node:crypto'
import { SluiceError } from '@sluice/core'

export const SEAL_KEY_BYTES = 32
/** of a nonce, which never comes twice under a key */
export const SEAL_NONCE_BYTES = 12
/** the rule of temporary files */
export const SCRATCH = 'psi.scratch'
const TAG_BYTES = 16
/** bytes by which a sealed text is longer */
export const SEAL_BYTES = SEAL_NONCE_BYTES + TAG_BYTES

/**
 * AES-256-GCM (NIST SP 800-38D) over `plain`, bound to what it is and where it belongs.
 *
 * @param nonce 12 bytes, never the same twice under a key
 * @param about authenticated beside the bytes
 * @returns nonce, ciphertext, tag
 */
export function seal(key: Uint8Array, nonce: Uint8Array, about: string, plain: readonly Uint8Array[]) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(about))
  const body = plain.map(part => cipher.update(part))
  return Buffer.concat([nonce, ...body, cipher.final(), cipher.getAuthTag()])
}

/** @throws SluiceError FINGERPRINT_MISMATCH where the bytes are not what was sealed under this key as `about` */
export function unseal(key: Uint8Array, about: string, sealed: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    const end = sealed.length - TAG_BYTES
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, SEAL_NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(Buffer.from(about)).setAuthTag(sealed.subarray(end))
    const plain = decipher.update(sealed.subarray(SEAL_NONCE_BYTES, end))
    decipher.final()
    return new Uint8Array(plain.buffer as ArrayBuffer, plain.byteOffset, plain.length)
  } catch (cause) {
    throw altered(cause)
  }
}

/** A temporary file that another hand changed. */
export function altered(cause?: unknown): SluiceError {
  return new SluiceError('FINGERPRINT_MISMATCH', 'a temporary file is not what was written to it', {
    rule: SCRATCH,
    remedy: 'Find out who writes to the folder of temporary files; nothing was taken from it.',
    cause,
  })
}

/** What the file system says, as an error that tells what to do. */
export function unwritable(cause: unknown): SluiceError {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SluiceError('DISK_FULL', 'the disk is full; a temporary file was not written', {
      rule: SCRATCH,
      remedy:
        'Free some space and run the same command again. With --scratch DIR on another disk it begins anew.',
      cause,
    })
  }
  return new SluiceError('FILE_MISSING', `a temporary file cannot be written or read (${code})`, {
    rule: SCRATCH,
    remedy: 'Check the folder of temporary files, or name another one with --scratch DIR.',
    cause,
  })
}

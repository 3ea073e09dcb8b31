import { scryptSync } from 'node:crypto'
import { SluiceError } from '@sluice/core'

/** scrypt (RFC 7914): what OWASP names as the equal of N = 2^17, p = 1, in the 16 MiB that every OpenSSL grants. */
export const SCRYPT_COST = { N: 2 ** 14, r: 8, p: 5 } as const

/** 256 bits from a passphrase. The caller overwrites them when it is done. */
export function derivedKey(passphrase: string, salt: Uint8Array): Buffer {
  return scryptSync(Buffer.from(passphrase), salt, 32, { ...SCRYPT_COST, maxmem: 2 ** 26 })
}

export function missingPassphrase(reason: string): SluiceError {
  return new SluiceError('PASSPHRASE_MISSING', reason, {
    remedy: 'Give the passphrase (SLUICE_PASSPHRASE_FILE, or the prompt of a terminal).',
  })
}

export function wrongPassphrase(): SluiceError {
  return new SluiceError('PASSPHRASE_WRONG', 'the passphrase does not open the key file', {
    remedy: 'Check the passphrase; if it is right, the file was damaged: restore it from its backup.',
  })
}

import { type CipherGCMTypes, createCipheriv } from 'node:crypto'
import { SluiceError } from '../../errors.js'

export const BLOCK_BYTES = 16

/** AES with 128, 192 or 256 bits (FIPS 197), or SM4 (GB/T 32907-2016). */
export type BlockCipherName = 'aes' | 'sm4'

/**
 * A block cipher under one key, for whole columns: one call to OpenSSL encrypts as many blocks as are given, each by
 * itself (ECB). That alone protects nothing; it is what CMAC, FF1 and SIV are built from, all of which need the
 * cipher in one direction only.
 */
export interface BlockCipher {
  readonly name: BlockCipherName
  /** The encryption of every block. `blocks` is a multiple of 16 bytes; the answer is new memory of the same length. */
  encrypt(blocks: Uint8Array): Uint8Array
}

/**
 * @param key 16, 24 or 32 bytes for AES, 16 for SM4
 * @throws SluiceError KEY_INVALID where the key has another length
 */
export function blockCipher(name: BlockCipherName, key: Uint8Array): BlockCipher {
  const bits = key.length * 8
  const known = name === 'aes' ? bits === 128 || bits === 192 || bits === 256 : bits === 128
  if (!known) throw wrongKeyLength(name)
  const cipher = createCipheriv(name === 'aes' ? `aes-${bits}-ecb` : 'sm4-ecb', key, null)
  cipher.setAutoPadding(false)
  return { name, encrypt: blocks => cipher.update(blocks) }
}

/** Node's name of GCM with this key, for the cipher that Node has it for. */
export function aesGcmName(key: Uint8Array): CipherGCMTypes {
  switch (key.length) {
    case 16:
      return 'aes-128-gcm'
    case 24:
      return 'aes-192-gcm'
    case 32:
      return 'aes-256-gcm'
    default:
      throw wrongKeyLength('aes')
  }
}

export function wrongKeyLength(name: BlockCipherName): SluiceError {
  return new SluiceError('KEY_INVALID', `a key of ${name} does not have this length`, {
    rule: 'key.length',
    remedy: name === 'aes' ? '16, 24 or 32 bytes' : '16 bytes',
  })
}

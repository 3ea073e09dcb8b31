import { createCipheriv, createPrivateKey, type KeyObject } from 'node:crypto'
import { derivedKey, wrongPassphrase } from './passphrase.js'

/**
 * Encrypts a private key as PKCS#8 (RFC 5958) under PBES2 with scrypt (RFC 7914, section 7) and AES-256-CBC.
 *
 * `KeyObject.export({cipher, passphrase})` would do it with PBKDF2 and 2,048 rounds, which a graphics card tries
 * millions of times a second, and takes no other count. This form is as standard (`openssl pkcs8 -topk8 -scrypt`
 * writes it, every OpenSSL reads it), and costs an attacker 80 MiB·passes a guess. It needs 16 MiB: OpenSSL reads no
 * more than 32.
 *
 * CBC does not authenticate; `KeyFile` compares the public key that comes out with the one that the file names.
 */
export function encryptPkcs8(key: KeyObject, passphrase: string, salt: Uint8Array, iv: Uint8Array): string {
  const plain = key.export({ type: 'pkcs8', format: 'der' })
  const derived = derivedKey(passphrase, salt)
  const cipher = createCipheriv('aes-256-cbc', derived, iv)
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()])
  plain.fill(0)
  derived.fill(0)
  const kdf = sequence(
    SCRYPT,
    sequence(octets(salt), der(0x02, Buffer.of(0x40, 0x00)), integer(8), integer(5), integer(32)),
  )
  const algorithm = sequence(PBES2, sequence(kdf, sequence(AES_256_CBC, octets(iv))))
  const body = sequence(algorithm, octets(encrypted)).toString('base64')
  const lines = body.match(/.{1,64}/g) ?? []
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${lines.join('\n')}\n-----END ENCRYPTED PRIVATE KEY-----\n`
}

/** @throws SluiceError PASSPHRASE_WRONG where the key does not decrypt */
export function decryptPkcs8(pem: string, passphrase: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem', passphrase: Buffer.from(passphrase) })
  } catch {
    // the cause stays behind: OpenSSL's text helps nobody here, and might quote what it read
    throw wrongPassphrase()
  }
}

/** object identifiers, encoded: RFC 8018 A.4, RFC 7914 section 7, NIST csor aes256-CBC-PAD */
const PBES2 = Buffer.from('06092a864886f70d01050d', 'hex')
const SCRYPT = Buffer.from('06092b06010401da47040b', 'hex')
const AES_256_CBC = Buffer.from('060960864801650304012a', 'hex')

function der(tag: number, content: Uint8Array): Buffer {
  // every length here is below 256
  const length = content.length < 128 ? [content.length] : [0x81, content.length]
  return Buffer.concat([Buffer.of(tag, ...length), content])
}

function sequence(...items: Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(items))
}

function octets(bytes: Uint8Array): Buffer {
  return der(0x04, bytes)
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.of(value))
}

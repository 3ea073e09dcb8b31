import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { inspect } from 'node:util'
import { SluiceError } from '@sluice/core'
import { missingPassphrase } from './passphrase.js'
import { decryptPkcs8, encryptPkcs8 } from './pkcs8.js'
import { readPrivately, writeExclusively } from './private-file.js'
import type { Signer } from './signer.js'
import { SigningThread } from './signing-thread.js'
import { parseVerifierKey, type VerifierKey, verifierKey } from './verifier-key.js'

/**
 * An Ed25519 private key in a file of mode 600, with the name of the principal whose it is.
 *
 * The file is PEM (RFC 7468) with two lines of explanatory text before it, which every tool that reads PEM skips.
 * Inspecting or serialising a `KeyFile` shows the public key only.
 *
 * @example
 * const bank = await KeyFile.generate('bank.key', { name: 'bank', passphrase })
 * const again = await KeyFile.open('bank.key', { passphrase })
 */
export class KeyFile implements Signer {
  readonly name: string
  readonly publicKey: string
  readonly keyId: string
  readonly #signing: SigningThread

  private constructor(key: VerifierKey, privateKey: KeyObject) {
    this.name = key.name
    this.publicKey = key.text
    this.keyId = key.keyId
    this.#signing = new SigningThread(privateKey)
    Object.freeze(this)
  }

  /**
   * Makes a key and writes it, durably, to a file that must not exist.
   *
   * @throws SluiceError EXISTS, FILE_MISSING (no such directory), DISK_FULL, KEY_INVALID (name), PASSPHRASE_MISSING (empty)
   */
  static async generate(
    path: string,
    options: { readonly name: string; readonly passphrase?: string | undefined },
  ): Promise<KeyFile> {
    if (options.passphrase === '') throw missingPassphrase('an empty passphrase protects nothing')
    const pair = generateKeyPairSync('ed25519')
    const key = verifierKey(options.name, rawPublicKey(pair.publicKey))
    const pem =
      options.passphrase === undefined
        ? pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
        : encryptPkcs8(pair.privateKey, options.passphrase, randomBytes(16), randomBytes(16))
    await writeExclusively(path, format(key, pem))
    return new KeyFile(key, pair.privateKey)
  }

  /**
   * @throws SluiceError FILE_MISSING, KEY_PERMISSIONS, KEY_INVALID, PASSPHRASE_MISSING, PASSPHRASE_WRONG
   */
  static async open(
    path: string,
    options: { readonly passphrase?: string | undefined } = {},
  ): Promise<KeyFile> {
    const { key, pem } = parse(await readPrivately(path))
    const privateKey = readPrivateKey(pem, options.passphrase)
    const raw =
      privateKey.asymmetricKeyType === 'ed25519' ? rawPublicKey(createPublicKey(privateKey)) : undefined
    if (raw === undefined || !Buffer.from(key.publicKey).equals(raw)) {
      throw damaged('the private key is not that of the public key it names')
    }
    return new KeyFile(key, privateKey)
  }

  /** On another thread, so that signing and writing use different cores. */
  sign(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#signing.sign(bytes)
  }

  toJSON(): { readonly name: string; readonly publicKey: string } {
    return { name: this.name, publicKey: this.publicKey }
  }

  [inspect.custom](): string {
    return `KeyFile(${this.publicKey}, private key not shown)`
  }
}

const BEGIN = '-----BEGIN '

function format(key: VerifierKey, pem: string): string {
  return `Sluice-Key: 1\nPublic-Key: ${key.text}\n${pem}`
}

function parse(text: string): { key: VerifierKey; pem: string } {
  const start = text.indexOf(BEGIN)
  const [, publicKey, ...others] = text.slice(0, Math.max(start, 0)).split('\n')
  if (publicKey?.startsWith('Public-Key: ') !== true || others.join('') !== '') {
    throw damaged('it does not begin as one')
  }
  const key = parseVerifierKey(publicKey.slice('Public-Key: '.length))
  const pem = text.slice(start)
  if (format(key, pem) !== text) throw damaged('it does not begin as one')
  return { key, pem }
}

function readPrivateKey(pem: string, passphrase: string | undefined): KeyObject {
  if (!pem.startsWith('-----BEGIN ENCRYPTED')) {
    try {
      return createPrivateKey({ key: pem, format: 'pem' })
    } catch {
      // no cause: it could quote the key
      throw damaged('its PEM does not parse')
    }
  }
  if (passphrase === undefined || passphrase === '') throw missingPassphrase('the key file is encrypted')
  return decryptPkcs8(pem, passphrase)
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' }).subarray(-32)
}

function damaged(reason: string): SluiceError {
  return new SluiceError('KEY_INVALID', `this is not a key file of Sluice: ${reason}`, {
    remedy: 'Restore the file from its backup, or make a new key and have it enrolled.',
  })
}

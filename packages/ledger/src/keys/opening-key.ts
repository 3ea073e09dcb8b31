import { createCipheriv, createDecipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { link, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { inspect } from 'node:util'
import { SluiceError } from '@sluice/core'
import { derivedKey, missingPassphrase, wrongPassphrase } from './passphrase.js'
import { readPrivately, syncDirectory, writeExclusively } from './private-file.js'

/** The largest secret key of a homomorphic aggregation has 192 KiB, a third more in base64. */
const FILE_BYTES = 2 ** 20
const CLAIM_BYTES = 4096
const FIRST = 'Sluice-Opening-Key: 1'

/**
 * The secret key of one homomorphic aggregation, in a file of mode 600, encrypted where there is a passphrase (scrypt,
 * RFC 7914; AES-256-GCM, NIST SP 800-38D), and beside it the one sum that it opened. Inspecting or serialising it shows
 * nothing of the key.
 *
 * @example
 * const { secretKey, claim } = await OpeningKey.open('secret.key', { passphrase })
 * await executor.execute(approved, { aggregation, request, sum, audit, verify, secretKey, claim })
 */
export class OpeningKey {
  readonly #path: string
  readonly #secretKey: Uint8Array

  private constructor(path: string, secretKey: Uint8Array) {
    this.#path = path
    this.#secretKey = secretKey
    Object.freeze(this)
  }

  /**
   * Writes the key, durably, to a file that must not exist.
   *
   * @throws SluiceError EXISTS, FILE_MISSING (no such directory), DISK_FULL, PASSPHRASE_MISSING (empty)
   */
  static async write(
    path: string,
    secretKey: Uint8Array,
    { passphrase }: { readonly passphrase?: string | undefined } = {},
  ): Promise<void> {
    if (passphrase === '') throw missingPassphrase('an empty passphrase protects nothing')
    await writeExclusively(
      path,
      passphrase === undefined ? plain(secretKey) : encrypted(secretKey, passphrase),
    )
  }

  /** @throws SluiceError FILE_MISSING, KEY_PERMISSIONS, KEY_INVALID, PASSPHRASE_MISSING, PASSPHRASE_WRONG */
  static async open(
    path: string,
    { passphrase }: { readonly passphrase?: string | undefined } = {},
  ): Promise<OpeningKey> {
    return new OpeningKey(path, parse(await readPrivately(path, FILE_BYTES), passphrase))
  }

  get secretKey(): Uint8Array {
    return this.#secretKey
  }

  /**
   * Writes down which sum this key opens (`FILE.opened`), durably and once, before it does: a key that answers for one
   * sum answers no chosen ciphertexts.
   *
   * @throws SluiceError STATE_DENIED where it opened another sum, FILE_MISSING, DISK_FULL
   */
  readonly claim = async (sum: string): Promise<void> => {
    const path = `${this.#path}.opened`
    const line = `${sum}\n`
    const whole = `${path}.${randomBytes(6).toString('hex')}.tmp`
    try {
      await writeWhole(whole, line)
      // under its name it appears with its content, or not at all, and never a second time
      await link(whole, path)
      await syncDirectory(dirname(path))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(path, cause)
      if ((await readFile(path, 'utf8')).slice(0, CLAIM_BYTES) === line) return
      throw new SluiceError('STATE_DENIED', 'this key has opened another sum', {
        rule: 'he.opened',
        remedy: 'A key opens one sum. Begin a new aggregation with `sluice he keygen`.',
      })
    } finally {
      await rm(whole, { force: true })
    }
  }

  toJSON(): object {
    return {}
  }

  [inspect.custom](): string {
    return 'OpeningKey(secret key not shown)'
  }
}

function plain(secretKey: Uint8Array): string {
  return [FIRST, 'Encryption: none', `SHA-256: ${sha256(secretKey)}`, base64(secretKey), ''].join('\n')
}

function encrypted(secretKey: Uint8Array, passphrase: string): string {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)]
  const head = headOf(base64(salt), base64(nonce))
  const key = derivedKey(passphrase, salt)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(head))
  const body = Buffer.concat([cipher.update(secretKey), cipher.final(), cipher.getAuthTag()])
  key.fill(0)
  return `${head}${base64(body)}\n`
}

const headOf = (salt: string, nonce: string) =>
  `${FIRST}\nEncryption: scrypt aes-256-gcm\nSalt: ${salt}\nNonce: ${nonce}\n`

const PLAIN = /^Sluice-Opening-Key: 1\nEncryption: none\nSHA-256: ([0-9a-f]{64})\n([A-Za-z0-9+/]+={0,2})\n$/
const ENCRYPTED =
  /^Sluice-Opening-Key: 1\nEncryption: scrypt aes-256-gcm\nSalt: ([A-Za-z0-9+/]{22}==)\nNonce: ([A-Za-z0-9+/]{16})\n([A-Za-z0-9+/]+={0,2})\n$/
const TAG = 16

function parse(text: string, passphrase: string | undefined): Uint8Array {
  const open = PLAIN.exec(text)
  if (open !== null) {
    const key = Buffer.from(open[2]!, 'base64')
    if (timingSafeEqual(Buffer.from(sha256(key)), Buffer.from(open[1]!))) return new Uint8Array(key)
    throw damaged()
  }
  const [, salt, nonce, body] = ENCRYPTED.exec(text) ?? []
  if (salt === undefined || nonce === undefined || body === undefined) throw damaged()
  const bytes = Buffer.from(body, 'base64')
  if (bytes.length <= TAG) throw damaged()
  if (passphrase === undefined || passphrase === '') throw missingPassphrase('the key file is encrypted')
  const key = derivedKey(passphrase, Buffer.from(salt, 'base64'))
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64'), { authTagLength: TAG })
    .setAAD(Buffer.from(headOf(salt, nonce)))
    .setAuthTag(bytes.subarray(-TAG))
  try {
    return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(0, -TAG)), decipher.final()]))
  } catch {
    throw wrongPassphrase()
  } finally {
    key.fill(0)
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function damaged(): SluiceError {
  return new SluiceError(
    'KEY_INVALID',
    'this is not the secret key file of an aggregation, or it was damaged',
    {
      rule: 'he.key',
      remedy: 'The file as `sluice he keygen` wrote it.',
    },
  )
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

function unwritable(path: string, cause: unknown): SluiceError {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SluiceError('DISK_FULL', `the disk is full; ${path} was not written`, {
      remedy: 'Free some space and run the same command again.',
    })
  }
  return new SluiceError('FILE_MISSING', `${path} cannot be written (${code ?? 'unknown reason'})`, {
    remedy: 'Check that its directory exists and that you may write there.',
    cause,
  })
}

import { hash, randomBytes } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { inspect } from 'node:util'
import { canonicalBytes, SluiceError } from '@sluice/core'
import { readPrivately, syncDirectory, writeExclusively } from './private-file.js'

/** A key that was rotated away, and when: what was prepared under it is void. */
export interface RetiredOprfKey {
  readonly epoch: number
  /** its public half, 64 hexadecimal digits */
  readonly key: string
  /** RFC 3339, UTC */
  readonly until: string
}

export interface OprfKeyContent {
  /** name of the prepared set, 64 hexadecimal digits */
  readonly set: string
  /** 1, 2, …: how often the key was drawn */
  readonly epoch: number
  /** its public half, 64 hexadecimal digits */
  readonly key: string
  /** 32 bytes */
  readonly scalar: Uint8Array
  /** RFC 3339, UTC: from then on nothing is answered until it is rotated */
  readonly expires: string
  readonly retired: readonly RetiredOprfKey[]
}

/**
 * The key of a set that was prepared for private set intersection (RFC 9497), in a file of mode 600. It stays with the
 * set's owner: whoever has it and a prepared file can test every identity number there is. Inspecting or serialising it
 * shows its public part only.
 */
export class OprfKey {
  readonly set: string
  readonly epoch: number
  readonly key: string
  readonly expires: string
  readonly retired: readonly RetiredOprfKey[]
  readonly #scalar: Uint8Array

  private constructor({ scalar, set, epoch, key, expires, retired }: OprfKeyContent) {
    this.#scalar = scalar
    this.set = set
    this.epoch = epoch
    this.key = key
    this.expires = expires
    this.retired = retired
    Object.freeze(this)
  }

  /**
   * Writes it, durably, to a file that must not exist.
   *
   * @throws SluiceError EXISTS, FILE_MISSING (no such directory), DISK_FULL
   */
  static async write(path: string, content: OprfKeyContent): Promise<OprfKey> {
    const key = new OprfKey(content)
    await writeExclusively(path, format(key))
    return key
  }

  /** @throws SluiceError FILE_MISSING, KEY_PERMISSIONS, KEY_INVALID */
  static async open(path: string): Promise<OprfKey> {
    return new OprfKey(parse(await readPrivately(path, FILE_BYTES)))
  }

  /**
   * Puts the next key in its place, at once and durably; this one is gone from the file, and its public half is kept
   * among the retired.
   *
   * @throws SluiceError FILE_MISSING, DISK_FULL
   */
  async replace(
    path: string,
    next: Pick<OprfKeyContent, 'key' | 'scalar' | 'expires'>,
    now: Date,
  ): Promise<OprfKey> {
    const { set, epoch, key } = this
    const retired = [...this.retired, { epoch, key, until: now.toISOString() }].slice(-RETIRED)
    const replacement = new OprfKey({ set, epoch: epoch + 1, retired, ...next })
    const whole = `${path}.${randomBytes(6).toString('hex')}.tmp`
    try {
      await writeExclusively(whole, format(replacement))
      await rename(whole, path)
      await syncDirectory(dirname(path))
    } finally {
      await rm(whole, { force: true })
    }
    return replacement
  }

  /** 32 bytes */
  get scalar(): Uint8Array {
    return this.#scalar
  }

  toJSON(): Omit<OprfKeyContent, 'scalar'> {
    const { set, epoch, key, expires, retired } = this
    return { set, epoch, key, expires, retired }
  }

  [inspect.custom](): string {
    return `OprfKey(${this.set.slice(0, 16)}, epoch ${this.epoch}, secret not shown)`
  }
}

const FILE_BYTES = 1 << 17
/** so many are kept by name; a key that is rotated each week fills this in ten years */
const RETIRED = 520
const SCALAR_BYTES = 32
const FIRST = 'Sluice-OPRF-Key: 1'
const FILE = /^Sluice-OPRF-Key: 1\nSHA-256: ([0-9a-f]{64})\n(\{[^\n]*\})\n$/

function format(key: OprfKey): string {
  const scalar = Buffer.from(key.scalar).toString('base64')
  const content = Buffer.from(canonicalBytes({ ...key.toJSON(), scalar })).toString('utf8')
  return `${FIRST}\nSHA-256: ${hash('sha256', content)}\n${content}\n`
}

function parse(text: string): OprfKeyContent {
  const [, digest, content = ''] = FILE.exec(text) ?? []
  if (digest !== undefined && hash('sha256', content) === digest) {
    const { scalar, ...rest } = JSON.parse(content) as Omit<OprfKeyContent, 'scalar'> & { scalar: string }
    const bytes = new Uint8Array(Buffer.from(scalar, 'base64'))
    // it was written whole: what has the digest is what was written
    if (bytes.length === SCALAR_BYTES) return { ...rest, scalar: bytes }
  }
  throw new SluiceError('KEY_INVALID', 'this is not the key of a prepared set, or it was damaged', {
    rule: 'psi.key',
    remedy: 'Restore it from its backup; another key needs the set to be prepared again.',
  })
}

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'
import { SluiceError } from '@sluice/core'
import { readPrivately, writeExclusively } from './private-file.js'

const SECRET_BYTES = 32
const HEAD = 'Sluice-Secret: 1\nUse: desensitize\n'

/**
 * A secret of 256 random bits for keyed desensitization rules, in a file of mode 600. It stays with the provider: whoever
 * has it can enumerate phone and identity numbers behind tokens, and open what can be opened. Inspecting or serialising
 * a `SecretFile` shows its identifier only, which tells nothing of it.
 *
 * @example
 * const { secret } = await SecretFile.open('tax.secret')
 */
export class SecretFile {
  /** 16 hexadecimal digits that name the secret, in records of its use */
  readonly id: string
  readonly #secret: Uint8Array

  private constructor(secret: Uint8Array) {
    this.#secret = secret
    this.id = identifier(secret)
    Object.freeze(this)
  }

  /**
   * Makes a secret and writes it, durably, to a file that must not exist.
   *
   * @throws SluiceError EXISTS, FILE_MISSING (no such directory), DISK_FULL
   */
  static async generate(path: string): Promise<SecretFile> {
    const file = new SecretFile(randomBytes(SECRET_BYTES))
    await writeExclusively(path, format(file.#secret))
    return file
  }

  /** @throws SluiceError FILE_MISSING, KEY_PERMISSIONS, KEY_INVALID */
  static async open(path: string): Promise<SecretFile> {
    return new SecretFile(parse(await readPrivately(path)))
  }

  /** 32 bytes, for `Binding.key` */
  get secret(): Uint8Array {
    return this.#secret
  }

  toJSON(): { readonly id: string } {
    return { id: this.id }
  }

  [inspect.custom](): string {
    return `SecretFile(${this.id}, secret not shown)`
  }
}

function identifier(secret: Uint8Array): string {
  return createHmac('sha256', secret).update('sluice/secret/id').digest('hex').slice(0, 16)
}

function format(secret: Uint8Array): string {
  return `${HEAD}Identifier: ${identifier(secret)}\nSecret: ${Buffer.from(secret).toString('base64')}\n`
}

/** The identifier is a checksum too: a damaged secret would make tokens that match no others. */
function parse(text: string): Uint8Array {
  const [, encoded = ''] = /\nSecret: ([A-Za-z0-9+/]{43}=)\n$/.exec(text) ?? []
  const secret = Buffer.from(encoded, 'base64')
  const [given, expected] = [
    Buffer.from(text),
    Buffer.from(secret.length === SECRET_BYTES ? format(secret) : ''),
  ]
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new SluiceError('KEY_INVALID', 'this is not a secret file of Sluice, or it was damaged', {
      remedy:
        'Restore it from its backup; `sluice key new FILE --for desensitize` makes another, with other tokens.',
    })
  }
  return secret
}

import { hash } from 'node:crypto'
import { SluiceError } from '../errors.js'
import { Addition } from './addition.js'
import { notCiphertext } from './ciphertext.js'
import { ciphertextBytes, type ParameterSet, type ParameterSetName, parameterSet } from './parameters.js'
import { Decryption, Encryption } from './scheme.js'
import { loadSeal, type Seal } from './scope.js'

/** What a lane is for: one role, one set of parameters, and the key that the role holds. */
export interface LaneRole {
  readonly set: ParameterSetName
  readonly publicKey?: Uint8Array
  readonly secretKey?: Uint8Array
}

/** Work on whole ciphertexts. Arrays travel to the lane: the sender does not use them afterwards. */
export type Task =
  /** `values`: for each ciphertext `degree` values within ±t/2; ciphertexts take the residues in turn */
  | { readonly kind: 'encrypt'; readonly values: BigInt64Array }
  /** from each sender a run of as many ciphertexts, that take the residues in turn, with the digests that it signed */
  | {
      readonly kind: 'add'
      /** of the first ciphertext of each run */
      readonly residue: number
      readonly parts: readonly Uint8Array[]
      readonly digests: readonly Uint8Array[]
    }
  /** ciphertexts that take the residues in turn, with their digests one after the other */
  | { readonly kind: 'decrypt'; readonly bytes: Uint8Array; readonly digests: Uint8Array }

/** `bytes` and `digests` of ciphertexts one after the other; `values` as in `encrypt`. */
export type Answer = {
  readonly bytes: Uint8Array
  readonly digests: Uint8Array
  readonly values: BigInt64Array
}

export const DIGEST_BYTES = 32
const NO_BYTES = new Uint8Array()
const NO_VALUES = new BigInt64Array()

/** One lane of work: everything about ciphertexts that may run beside something else. Close it: it owns SEAL objects. */
export class Lane {
  readonly #set: ParameterSet
  readonly #additions: readonly Addition[]
  readonly #encryptions: readonly Encryption[]
  readonly #decryptions: readonly Decryption[]

  private constructor(set: ParameterSet, { publicKey, secretKey }: LaneRole, seal: Seal | null) {
    const each = <T>(make: (residue: number) => T) => set.plainPrimes.map((_, residue) => make(residue))
    this.#set = set
    this.#additions = seal === null ? each(residue => new Addition(set, residue)) : []
    this.#encryptions = seal && publicKey ? each(at => new Encryption(seal, set, at, publicKey)) : []
    this.#decryptions = seal && secretKey ? each(at => new Decryption(seal, set, at, secretKey)) : []
  }

  /**
   * Without a key it only adds, and SEAL is not loaded.
   *
   * @throws SluiceError ENGINE_VERSION, KEY_INVALID
   */
  static async open(role: LaneRole): Promise<Lane> {
    const keyed = role.publicKey !== undefined || role.secretKey !== undefined
    return new Lane(parameterSet(role.set), role, keyed ? await loadSeal() : null)
  }

  run(task: Task): Answer {
    switch (task.kind) {
      case 'encrypt':
        return this.#encrypt(task.values)
      case 'add':
        return this.#add(task)
      case 'decrypt':
        return this.#decrypt(task.bytes, task.digests)
    }
  }

  close(): void {
    for (const owner of [...this.#encryptions, ...this.#decryptions]) owner.close()
  }

  #encrypt(values: BigInt64Array): Answer {
    const { degree } = this.#set
    const parts: Uint8Array[] = []
    for (let at = 0; at < values.length; at += degree) {
      const encryption = this.#encryptions[parts.length % this.#encryptions.length]!
      parts.push(encryption.encrypt(values.subarray(at, at + degree)))
    }
    return answer(parts)
  }

  #add({ residue, parts, digests }: Extract<Task, { kind: 'add' }>): Answer {
    const length = ciphertextBytes(this.#set)
    const sums: Uint8Array[] = []
    for (let place = 0; place * length < parts[0]!.length; place++) {
      const runs = parts.map(run => run.subarray(place * length, (place + 1) * length))
      for (const [index, bytes] of runs.entries()) {
        const signed = digests[index]!.subarray(place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES)
        if (!authentic(bytes, signed)) throw at(index, digestMismatch())
      }
      const addition = this.#additions[(residue + place) % this.#additions.length]!
      sums.push(addition.add(runs, index => at(index, notCiphertext())))
    }
    return answer(sums)
  }

  #decrypt(bytes: Uint8Array, digests: Uint8Array): Answer {
    const count = digests.length / DIGEST_BYTES
    const length = bytes.length / count
    const values = new BigInt64Array(count * this.#set.degree)
    for (let index = 0; index < count; index++) {
      const part = bytes.subarray(index * length, (index + 1) * length)
      if (!authentic(part, digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES))) {
        throw digestMismatch()
      }
      const decryption = this.#decryptions[index % this.#decryptions.length]!
      values.set(decryption.decrypt(part), index * this.#set.degree)
    }
    return { bytes: NO_BYTES, digests: NO_BYTES, values }
  }
}

export function digestMismatch(): SluiceError {
  return new SluiceError('FINGERPRINT_MISMATCH', 'a ciphertext is not the one that was signed', {
    rule: 'he.digest',
    remedy: 'Get the file again from whom it comes: it was changed or cut on its way.',
  })
}

/** Where in the list of parts; the caller knows whose it is. */
function at(index: number, { code, message, rule, remedy }: SluiceError): SluiceError {
  const details = { ...(rule && { rule }), ...(remedy && { remedy }), facts: { part: index } }
  return new SluiceError(code, message, details)
}

function answer(parts: readonly Uint8Array[]): Answer {
  const bytes = parts.length === 1 ? parts[0]! : concatenated(parts)
  const digests = new Uint8Array(parts.length * DIGEST_BYTES)
  for (const [index, part] of parts.entries()) digests.set(sha256(part), index * DIGEST_BYTES)
  return { bytes, digests, values: NO_VALUES }
}

/** An array of its own: a pooled Buffer could not travel to another thread. */
function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function authentic(bytes: Uint8Array, digest: Uint8Array): boolean {
  return Buffer.compare(sha256(bytes), digest) === 0
}

function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

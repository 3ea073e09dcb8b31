import { SluiceError } from '../errors.js'
import { ciphertextForm, hasForm, notCiphertext } from './ciphertext.js'
import { CIPHERTEXT_FORM_BYTES, type ParameterSet } from './parameters.js'
import { Scope, type Seal, scoped } from './scope.js'

type SealContext = ReturnType<Seal['Context']>

/** What SEAL writes before the coefficients of a key: form of a ciphertext for a public one, of a plaintext for a secret one. */
const SECRET_FORM_BYTES = 88

/** Key bytes as SEAL serializes them, for every plaintext prime of the set one after the other. */
export interface KeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

export function publicKeyBytes(set: ParameterSet): number {
  return CIPHERTEXT_FORM_BYTES + 2 * keyPrimes(set) * set.degree * 8
}

export function secretKeyBytes(set: ParameterSet): number {
  return SECRET_FORM_BYTES + keyPrimes(set) * set.degree * 8
}

function keyPrimes({ coefficientPrimes, specialPrime }: ParameterSet): number {
  return coefficientPrimes.length + (specialPrime === null ? 0 : 1)
}

/** Makes a key pair; SEAL takes its randomness from the system's. */
export function generateKeys(seal: Seal, set: ParameterSet): KeyPair {
  const pairs = set.plainPrimes.map((_, residue) =>
    scoped(scope => {
      const context = contextOf(seal, set, residue)
      const generator = scope.own(seal.KeyGenerator(context))
      const secret = scope.own(generator.secretKey())
      const open = scope.own(generator.createPublicKey())
      return [open.saveArray(seal.ComprModeType.none), secret.saveArray(seal.ComprModeType.none)] as const
    }),
  )
  return {
    publicKey: Buffer.concat(pairs.map(([open]) => open)),
    secretKey: Buffer.concat(pairs.map(([, secret]) => secret)),
  }
}

/** Makes what every later use of these parameters needs, and takes the longest to make. */
export function prepareContexts(seal: Seal, set: ParameterSet): void {
  for (const residue of set.plainPrimes.keys()) contextOf(seal, set, residue)
}

/** Encrypts blocks of one residue under the public key. Close it: it owns SEAL objects. */
export class Encryption {
  readonly #scope = new Scope()
  readonly #encrypt: (values: BigInt64Array) => Uint8Array

  constructor(seal: Seal, set: ParameterSet, residue: number, publicKey: Uint8Array) {
    const scope = this.#scope
    const context = contextOf(seal, set, residue)
    const key = scope.own(seal.PublicKey())
    loading('public key', () =>
      key.loadArray(context, part(publicKey, residue, set, publicKeyBytes(set), 'public key')),
    )
    const encoder = scope.own(seal.BatchEncoder(context))
    const encryptor = scope.own(seal.Encryptor(context, key))
    const plain = scope.own(seal.PlainText())
    const cipher = scope.own(seal.CipherText())
    this.#encrypt = values => {
      encoder.encode(values, plain)
      encryptor.encrypt(plain, cipher)
      return cipher.saveArray(seal.ComprModeType.none)
    }
  }

  /** @param values `degree` values, each within ±t/2 */
  encrypt(values: BigInt64Array): Uint8Array {
    return this.#encrypt(values)
  }

  close(): void {
    this.#scope.close()
  }
}

/** Opens sums of one residue. Reached by the key holder's opening alone. */
export class Decryption {
  readonly #scope = new Scope()
  readonly #decrypt: (bytes: Uint8Array) => BigInt64Array

  constructor(seal: Seal, set: ParameterSet, residue: number, secretKey: Uint8Array) {
    const scope = this.#scope
    const context = contextOf(seal, set, residue)
    const form = ciphertextForm(set, residue)
    const key = scope.own(seal.SecretKey())
    loading('secret key', () =>
      key.loadArray(context, part(secretKey, residue, set, secretKeyBytes(set), 'secret key')),
    )
    const encoder = scope.own(seal.BatchEncoder(context))
    const decryptor = scope.own(seal.Decryptor(context, key))
    const plain = scope.own(seal.PlainText())
    const cipher = scope.own(seal.CipherText())
    this.#decrypt = bytes => {
      if (!hasForm(bytes, form, set)) throw notCiphertext()
      try {
        cipher.loadArray(context, bytes)
        decryptor.decrypt(cipher, plain)
      } catch {
        throw notCiphertext()
      }
      return encoder.decodeBigInt(plain, true) as BigInt64Array
    }
  }

  decrypt(bytes: Uint8Array): BigInt64Array {
    return this.#decrypt(bytes)
  }

  close(): void {
    this.#scope.close()
  }
}

/**
 * SEAL finds primes by their sizes; they have to be those of the table, and so has its digest of the parameters. The modulus chain is not expanded: there is
 * nothing to switch to, and sums need none. A context takes a tenth of a second to make, holds no secret, and there are
 * four in all: each is made once a thread, and stays.
 */
function contextOf(seal: Seal, set: ParameterSet, residue: number): SealContext {
  const name = `${set.name}/${residue}`
  const known = contexts.get(name)
  if (known !== undefined) return known
  const context = scoped(scope => makeContext(seal, scope, set, residue))
  contexts.set(name, context)
  return context
}

const contexts = new Map<string, SealContext>()
const lasting = new Scope()

function makeContext(seal: Seal, scope: Scope, set: ParameterSet, residue: number): SealContext {
  const parameters = scope.own(seal.EncryptionParameters(seal.SchemeType.bgv))
  parameters.setPolyModulusDegree(set.degree)
  const primes = [...set.coefficientPrimes, ...(set.specialPrime === null ? [] : [set.specialPrime])]
  const sizes = Int32Array.from(primes, prime => prime.toString(2).length)
  parameters.setCoeffModulus(scope.own(seal.CoeffModulus.Create(set.degree, sizes)))
  const plain = scope.own(seal.Modulus(set.plainPrimes[residue]!))
  parameters.setPlainModulus(plain)
  const context = lasting.own(seal.Context(parameters, false, seal.SecurityLevel.tc128))
  const chosen = parameters.coeffModulus
  const same = primes.every((prime, index) => prime === chosen[index])
  if (!context.parametersSet() || !same || digestOf(context, scope) !== set.digests[residue]) {
    throw new SluiceError('INTERNAL', 'SEAL does not have a parameter set of the table', {
      rule: 'he.parameters',
    })
  }
  return context
}

function digestOf(context: SealContext, scope: Scope): string {
  const id = scope.own(context.firstParmsId as SealContext['firstParmsId'] & { delete(): void })
  return Buffer.from((id.values as BigUint64Array).slice().buffer).toString('hex')
}

function part(
  bytes: Uint8Array,
  residue: number,
  set: ParameterSet,
  length: number,
  what: string,
): Uint8Array {
  if (bytes.length !== length * set.plainPrimes.length) throw badKey(what)
  return bytes.subarray(residue * length, (residue + 1) * length)
}

function loading(what: string, action: () => void): void {
  try {
    action()
  } catch {
    // no cause: its text could quote a key
    throw badKey(what)
  }
}

function badKey(what: string): SluiceError {
  return new SluiceError('KEY_INVALID', `this is no ${what} of the aggregation’s parameters`, {
    rule: 'he.key',
    remedy: 'Use the file as `sluice he keygen` wrote it.',
  })
}

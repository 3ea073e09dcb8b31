import { SluiceError } from '../errors.js'
import { CIPHERTEXT_FORM_BYTES, ciphertextBytes, type ParameterSet } from './parameters.js'
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

/** Adds ciphertexts of one residue; it needs no key. */
export class Addition {
  readonly #scope = new Scope()
  readonly #add: (parts: readonly Uint8Array[], refused: (index: number) => SluiceError) => Uint8Array

  constructor(seal: Seal, set: ParameterSet, residue: number) {
    const scope = this.#scope
    const context = contextOf(seal, set, residue)
    const form = ciphertextForm(scope, context, set)
    const evaluator = scope.own(seal.Evaluator(context))
    const total = scope.own(seal.CipherText())
    const cipher = scope.own(seal.CipherText())
    this.#add = (parts, refused) => {
      for (const [index, bytes] of parts.entries()) {
        if (!hasForm(bytes, form, set)) throw refused(index)
        try {
          if (index === 0) total.loadArray(context, bytes)
          else {
            cipher.loadArray(context, bytes)
            evaluator.add(total, cipher, total)
          }
        } catch {
          // SEAL found coefficients outside their prime, or a sum without its second half: its text helps nobody here
          throw refused(index)
        }
      }
      return total.saveArray(seal.ComprModeType.none)
    }
  }

  /** @param refused the error for the part of this index, where it is no ciphertext of the set */
  add(parts: readonly Uint8Array[], refused: (index: number) => SluiceError): Uint8Array {
    return this.#add(parts, refused)
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
    const form = ciphertextForm(scope, context, set)
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

export function notCiphertext(): SluiceError {
  return new SluiceError('FILE_FORMAT', 'these bytes are no ciphertext of the aggregation’s parameters', {
    rule: 'he.ciphertext',
    remedy: 'the file as `sluice he encrypt` or `sluice he add` wrote it',
  })
}

/**
 * SEAL finds primes by their sizes; they have to be those of the table. The modulus chain is not expanded: there is
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
  if (!context.parametersSet() || primes.some((prime, index) => prime !== chosen[index])) {
    throw new SluiceError('INTERNAL', 'SEAL does not have a parameter set of the table', {
      rule: 'he.parameters',
    })
  }
  return context
}

/**
 * The 113 bytes before the coefficients, which are the same for every ciphertext of two polynomials (SEAL 4.1,
 * native/src/seal/serialization.h and ciphertext.cpp): header without compression, digest of the parameters, NTT form,
 * sizes, scale and correction factor 1, and the array's own header.
 */
function ciphertextForm(scope: Scope, context: SealContext, set: ParameterSet): Uint8Array {
  const form = Buffer.alloc(CIPHERTEXT_FORM_BYTES)
  const coefficients = 2 * set.coefficientPrimes.length * set.degree
  const header = (at: number, size: number) => {
    form.writeUInt16LE(0xa15e, at)
    form.set([16, 4, 1, 0], at + 2)
    form.writeBigUInt64LE(BigInt(size), at + 8)
  }
  header(0, ciphertextBytes(set))
  const id = scope.own(
    context.firstParmsId as ReturnType<Seal['Context']>['firstParmsId'] & { delete(): void },
  )
  for (const [index, word] of (id.values as BigUint64Array).entries()) {
    form.writeBigUInt64LE(word, 16 + 8 * index)
  }
  form[48] = 1
  for (const [index, size] of [2, set.degree, set.coefficientPrimes.length].entries()) {
    form.writeBigUInt64LE(BigInt(size), 49 + 8 * index)
  }
  form.writeDoubleLE(1, 73)
  form.writeBigUInt64LE(1n, 81)
  header(89, 24 + 8 * coefficients)
  form.writeBigUInt64LE(BigInt(coefficients), 105)
  return form
}

function hasForm(bytes: Uint8Array, form: Uint8Array, set: ParameterSet): boolean {
  return bytes.length === ciphertextBytes(set) && Buffer.compare(bytes.subarray(0, form.length), form) === 0
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
    remedy: 'the file as `sluice he keygen` wrote it',
  })
}

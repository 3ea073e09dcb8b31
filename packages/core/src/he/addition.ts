import type { SluiceError } from '../errors.js'
import { ciphertextForm, hasForm } from './ciphertext.js'
import { CIPHERTEXT_FORM_BYTES, ciphertextBytes, type ParameterSet } from './parameters.js'
import kernelBytes from './residues.wasm'

/**
 * Adds ciphertexts of one residue; it needs no key, and no SEAL. Where the 113 bytes of form are the same, so are level
 * and correction factor, and SEAL's addition (4.1, native/src/seal/evaluator.cpp, `add_inplace`) is one of residues
 * modulo each prime: done here over the bytes themselves, so that what a stranger wrote is compared and bounded but
 * never parsed. The sum is SEAL's byte for byte; a test holds it to that.
 */
export class Addition {
  readonly #set: ParameterSet
  readonly #form: Uint8Array
  readonly #kernel: Kernel

  constructor(set: ParameterSet, residue: number) {
    this.#set = set
    this.#form = ciphertextForm(set, residue)
    this.#kernel = kernel()
  }

  /** @param refused the error for the part of this index, where it is no ciphertext of the set */
  add(parts: readonly Uint8Array[], refused: (index: number) => SluiceError): Uint8Array {
    this.#kernel.clear()
    for (const [index, bytes] of parts.entries()) {
      if (!hasForm(bytes, this.#form, this.#set) || !this.#take(bytes)) throw refused(index)
    }
    // SEAL has none of a transparent sum either: without its second polynomial anybody can read it
    if (!this.#hasSecond(this.#kernel.anyOfSum)) throw refused(parts.length - 1)
    const out = new Uint8Array(ciphertextBytes(this.#set))
    out.set(this.#form)
    out.set(this.#words(this.#kernel.sum()), CIPHERTEXT_FORM_BYTES)
    return out
  }

  /** False where a coefficient is no residue of its prime, or the second polynomial is nothing. */
  #take(bytes: Uint8Array): boolean {
    const kernel = this.#kernel
    this.#words(kernel.term()).set(bytes.subarray(CIPHERTEXT_FORM_BYTES))
    const { degree, coefficientPrimes: primes } = this.#set
    for (let polynomial = 0; polynomial < 2 * primes.length; polynomial++) {
      const prime = primes[polynomial % primes.length]!
      if (kernel.below(polynomial * degree, degree, prime) === 0) return false
      kernel.add(polynomial * degree, degree, prime)
    }
    return this.#hasSecond(kernel.anyOfTerm)
  }

  #hasSecond(any: Kernel['anyOfSum']): boolean {
    const half = this.#set.coefficientPrimes.length * this.#set.degree
    return any(half, half) !== 0
  }

  #words(at: number): Uint8Array {
    return new Uint8Array(this.#kernel.memory.buffer, at, ciphertextBytes(this.#set) - CIPHERTEXT_FORM_BYTES)
  }
}

/** `assembly/residues.ts`; places and counts are in words of 64 bits. */
interface Kernel {
  readonly memory: WebAssembly.Memory
  sum(): number
  term(): number
  clear(): void
  below(first: number, words: number, prime: bigint): number
  add(first: number, words: number, prime: bigint): void
  anyOfTerm(first: number, words: number): number
  anyOfSum(first: number, words: number): number
}

let made: Kernel | undefined

function kernel(): Kernel {
  made ??= new WebAssembly.Instance(new WebAssembly.Module(kernelBytes)).exports as Kernel
  return made
}

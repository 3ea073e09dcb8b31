import { SluiceError } from '../errors.js'
import { CIPHERTEXT_FORM_BYTES, ciphertextBytes, type ParameterSet } from './parameters.js'

/**
 * The 113 bytes before the coefficients, which are the same for every ciphertext of two polynomials (SEAL 4.1,
 * native/src/seal/serialization.h and ciphertext.cpp): header without compression, digest of the parameters, NTT form,
 * sizes, scale and correction factor 1, and the array's own header.
 */
export function ciphertextForm(set: ParameterSet, residue: number): Uint8Array {
  const form = Buffer.alloc(CIPHERTEXT_FORM_BYTES)
  const coefficients = 2 * set.coefficientPrimes.length * set.degree
  const header = (at: number, size: number) => {
    form.writeUInt16LE(0xa15e, at)
    form.set([16, 4, 1, 0], at + 2)
    form.writeBigUInt64LE(BigInt(size), at + 8)
  }
  header(0, ciphertextBytes(set))
  form.write(set.digests[residue]!, 16, 'hex')
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

export function hasForm(bytes: Uint8Array, form: Uint8Array, set: ParameterSet): boolean {
  return bytes.length === ciphertextBytes(set) && Buffer.compare(bytes.subarray(0, form.length), form) === 0
}

export function notCiphertext(): SluiceError {
  return new SluiceError('FILE_FORMAT', 'these bytes are no ciphertext of the aggregation’s parameters', {
    rule: 'he.ciphertext',
    remedy: 'Use the file as `sluice he encrypt` or `sluice he add` wrote it.',
  })
}

import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { PARAMETER_SETS, type ParameterSet, parameterSet, shapeOf } from '@sluice/core/he'
import type { SEALLibrary } from 'node-seal/implementation/seal.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { begin, contribution, DISTRICTS, type Round, resigned, sumOf } from './fixture.ts'

const FORM = 113

let seal: SEALLibrary
beforeAll(async () => {
  seal = await (createRequire(import.meta.url)('node-seal') as () => Promise<SEALLibrary>)()
})

/** The same addition by SEAL itself: load, add, save. */
function sealAdds(set: ParameterSet, residue: number, parts: readonly Uint8Array[]): Uint8Array {
  const { evaluator, context } = contextOf(set, residue)
  const total = seal.CipherText()
  const term = seal.CipherText()
  for (const [index, bytes] of parts.entries()) {
    if (index === 0) total.loadArray(context, bytes)
    else {
      term.loadArray(context, bytes)
      evaluator.add(total, term, total)
    }
  }
  const sum = total.saveArray(seal.ComprModeType.none)
  for (const object of [total, term, evaluator]) object.delete()
  return sum
}

function contextOf(set: ParameterSet, residue: number) {
  const parameters = seal.EncryptionParameters(seal.SchemeType.bgv)
  parameters.setPolyModulusDegree(set.degree)
  const primes = [...set.coefficientPrimes, ...(set.specialPrime === null ? [] : [set.specialPrime])]
  const sizes = Int32Array.from(primes, prime => prime.toString(2).length)
  parameters.setCoeffModulus(seal.CoeffModulus.Create(set.degree, sizes))
  parameters.setPlainModulus(seal.Modulus(set.plainPrimes[residue]!))
  const context = seal.Context(parameters, false, seal.SecurityLevel.tc128)
  return { context, evaluator: seal.Evaluator(context) }
}

describe.each(PARAMETER_SETS.map(({ name }) => parameterSet(name)))('addition in $name', set => {
  const maximum = { 'bgv-2048-33': '1000', 'bgv-4096-60': '1000000', 'bgv-4096-120': String(10n ** 25n) }[
    set.name
  ]
  let round: Round
  let files: Buffer[]

  beforeAll(async () => {
    round = await begin(undefined, { columns: { amount: { minimum: `-${maximum}`, maximum } } })
    expect(round.aggregation.parameters).toBe(set.name)
    files = []
    for (const [index, district] of DISTRICTS.slice(0, 5).entries()) {
      const cells = [[BigInt64Array.of(-5n, BigInt(index), 7n), ...COUNTS]]
      files.push(Buffer.from(await contribution(round, district, cells)))
    }
  })

  const bodyOf = (file: Uint8Array) => {
    const { ciphertexts, ciphertextBytes: one } = shapeOf(round.aggregation)
    const body = file.subarray(file.length - ciphertexts * one)
    return Array.from({ length: ciphertexts }, (_, place) => body.subarray(place * one, (place + 1) * one))
  }

  it('is SEAL’s, byte for byte', async () => {
    const sums = bodyOf(await sumOf(round, files))
    for (const [place, sum] of sums.entries()) {
      const parts = files.map(file => bodyOf(file)[place]!)
      const theirs = sealAdds(set, place % set.plainPrimes.length, parts)
      expect(Buffer.compare(sum, theirs), `place ${place}`).toBe(0)
    }
  })

  it('is SEAL’s at the edges of every prime', async () => {
    const edges = await Promise.all(
      files.map((file, index) => withCoefficients(round, file, index, place => edgesOf(set, index + place))),
    )
    const sums = bodyOf(await sumOf(round, edges))
    for (const [place, sum] of sums.entries()) {
      const parts = edges.map(file => bodyOf(file)[place]!)
      const theirs = sealAdds(set, place % set.plainPrimes.length, parts)
      expect(Buffer.compare(sum, theirs), `place ${place}`).toBe(0)
    }
  })

  it('refuses the first and the last coefficient of every polynomial that is no residue', async () => {
    const { degree, coefficientPrimes: primes } = set
    for (let polynomial = 0; polynomial < 2 * primes.length; polynomial++) {
      const prime = primes[polynomial % primes.length]!
      for (const at of [polynomial * degree, (polynomial + 1) * degree - 1]) {
        for (const value of [prime, 1n << 63n, (1n << 64n) - 1n]) {
          const harmed = await withCoefficients(round, files[0]!, 0, () => {
            const words = edgesOf(set, 1)
            words[at] = value
            return words
          })
          await expect(sumOf(round, [harmed, ...files.slice(1)])).toThrowWithCode(
            'FILE_FORMAT',
            'he.ciphertext',
          )
        }
      }
    }
  })
})

const COUNTS = [BigInt64Array.of(1n, 1n, 1n), BigInt64Array.of(1n, 1n, 1n)]

/** Zeros, ones, halves and the largest residues, so that sums fall just below, on and above each prime. */
function edgesOf({ degree, coefficientPrimes: primes }: ParameterSet, shift: number): BigUint64Array {
  return BigUint64Array.from({ length: 2 * primes.length * degree }, (_, at) => {
    const prime = primes[Math.floor(at / degree) % primes.length]!
    return [0n, prime - 1n, 1n, prime / 2n, prime / 2n + 1n, prime - 2n][(at + shift) % 6]!
  })
}

/** A contribution whose ciphertexts have these coefficients, signed by its contributor. */
async function withCoefficients(
  round: Round,
  file: Uint8Array,
  contributor: number,
  words: (place: number) => BigUint64Array,
): Promise<Uint8Array> {
  const bytes = Buffer.from(file)
  const { ciphertexts, ciphertextBytes: one } = shapeOf(round.aggregation)
  const body = bytes.length - ciphertexts * one
  const digests = body - 32 * ciphertexts
  for (let place = 0; place < ciphertexts; place++) {
    const at = body + place * one
    bytes.set(new Uint8Array(words(place).buffer), at + FORM)
    sha256(bytes.subarray(at, at + one)).copy(bytes, digests + 32 * place)
  }
  const ciphertextsDigest = sha256(bytes.subarray(digests, body)).toString('hex')
  return resigned(bytes, DISTRICTS[contributor]!, { ciphertexts: ciphertextsDigest })
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

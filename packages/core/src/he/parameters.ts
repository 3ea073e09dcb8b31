import { SluiceError } from '../errors.js'
import { greatest } from './intervals.js'

/**
 * The closed table of BGV parameters (Brakerski, Gentry and Vaikuntanathan, ePrint 2011/277, as Microsoft SEAL 4.1
 * has it). Primes are written out, so that two versions of a library cannot choose different ones.
 *
 * Security: 128 bits, classical, ternary secret, by table 1 of the HomomorphicEncryption.org standard (ePrint
 * 2019/939): log2 of all coefficient primes together is at most 54 at degree 2048 and 109 at degree 4096.
 */
export interface ParameterSet {
  readonly name: ParameterSetName
  /** degree of the polynomials, and so the number of slots of a ciphertext */
  readonly degree: 2048 | 4096
  /** the primes of a ciphertext */
  readonly coefficientPrimes: readonly bigint[]
  /** a further prime of the keys, divided out after encryption: it takes most of the fresh noise with it */
  readonly specialPrime: bigint | null
  /** each value is encrypted modulo every one of these: their product bounds a total */
  readonly plainPrimes: readonly bigint[]
  /** SEAL's digest of the parameters with each of these, hexadecimal: every ciphertext carries it */
  readonly digests: readonly string[]
}

export const PARAMETER_SETS = [
  {
    name: 'bgv-2048-33',
    degree: 2048,
    coefficientPrimes: [18014398509404161n],
    specialPrime: null,
    plainPrimes: [8589905921n],
    digests: ['c3a8ccb75cf75651acf0126bad3023cc17cacd953074f40bb816ddfa2022254c'],
  },
  {
    name: 'bgv-4096-60',
    degree: 4096,
    coefficientPrimes: [35184371703809n, 35184371884033n],
    specialPrime: 188417n,
    plainPrimes: [1152921504606830593n],
    digests: ['8e34dda937ac2130afee5a74f94dd55927da0afc3ea95a2cb6282b9b8d2b6602'],
  },
  {
    name: 'bgv-4096-120',
    degree: 4096,
    coefficientPrimes: [35184371703809n, 35184371884033n],
    specialPrime: 188417n,
    plainPrimes: [1152921504606830593n, 1152921504606748673n],
    digests: [
      '8e34dda937ac2130afee5a74f94dd55927da0afc3ea95a2cb6282b9b8d2b6602',
      'c1a56b10d680116de90790cd6508662e4f8e4b71ed0a36edab71170da428c65b',
    ],
  },
] as const satisfies readonly (Omit<ParameterSet, 'name'> & { readonly name: string })[]

export type ParameterSetName = (typeof PARAMETER_SETS)[number]['name']

/** @throws SluiceError PARAMETER_INVALID where there is no such set */
export function parameterSet(name: string): ParameterSet {
  const set = PARAMETER_SETS.find(candidate => candidate.name === name)
  if (set !== undefined) return set
  throw new SluiceError('PARAMETER_INVALID', 'there is no such parameter set', {
    rule: 'he.parameters',
    remedy: `Use one of ${PARAMETER_SETS.map(candidate => candidate.name).join(', ')}.`,
  })
}

/** What a total has to be able to hold: `contributors` times the largest magnitude of one contributor's cell. */
export interface Range {
  readonly contributors: number
  readonly maximum: bigint
}

/**
 * The cheapest set whose totals cannot wrap and whose noise cannot reach decryption's bound, for honest contributors:
 * contributors × maximum < t/2.
 *
 * @throws SluiceError PARAMETER_INVALID `he.range`, `he.contributors`
 */
export function chooseParameters(range: Range): ParameterSet {
  const total = BigInt(range.contributors) * range.maximum
  const found = PARAMETER_SETS.find(
    set => total <= largestTotal(set) && range.contributors <= mostContributions(set),
  )
  if (found !== undefined) return found
  const widest: ParameterSet = PARAMETER_SETS[2]
  const many = range.contributors > mostContributions(widest)
  throw new SluiceError(
    'PARAMETER_INVALID',
    many
      ? 'there are more contributors than any parameter set can add'
      : 'the declared range of a total is too large',
    {
      rule: many ? 'he.contributors' : 'he.range',
      remedy: many
        ? `Have at most ${mostContributions(widest)} contributors.`
        : `Keep contributors × largest value of a cell below 2^${bits(largestTotal(widest))}.`,
    },
  )
}

/** The largest magnitude of a total that opens as itself: (t − 1) / 2. */
export function largestTotal({ plainPrimes }: ParameterSet): bigint {
  return (plainPrimes.reduce((product, prime) => product * prime, 1n) - 1n) / 2n
}

/**
 * How many fresh ciphertexts can be added so that decryption is right: noise below q/2.
 *
 * SEAL's error polynomials are centred binomial with at most 21 in magnitude, secret and encryption randomness are
 * ternary. A fresh ciphertext under the public key has noise t·(e·u + e₀ + e₁·s) plus the message, at most t.
 * With a special prime p that is divided by p, and rounding adds at most t to each coefficient of both polynomials:
 * t·(N + 2 + 21·(2N + 1)/p), in every case, so a failure is impossible.
 * Without one the sum of k is sub-Gaussian in the fresh u, e₀, e₁ with variance proxy k·t²·(21²·N + 10.5·N + 10.5) for
 * **any** key (|e| ≤ 21, |s| ≤ 1; 10.5 = 42 coins of ±½), and 14 of these deviations are exceeded with probability
 * below 2^-140 a coefficient.
 */
export function mostContributions({
  degree,
  coefficientPrimes,
  specialPrime,
  plainPrimes,
}: ParameterSet): number {
  const t = greatest(plainPrimes)
  const half = coefficientPrimes.reduce((product, prime) => product * prime, 1n) / 2n
  if (specialPrime !== null) {
    const each = t * BigInt(degree + 2) + (21n * BigInt(2 * degree + 1) * t) / specialPrime + 1n
    return Number(half / each)
  }
  const room = Number(half) / Number(t)
  const deviation = 14 * Math.sqrt(451.5 * degree + 10.5)
  // the k where deviation·√k + k = room
  return Math.floor(((-deviation + Math.sqrt(deviation ** 2 + 4 * room)) / 2) ** 2)
}

/** SEAL's serialization without compression: 113 bytes of form, then 8 a coefficient. */
export const CIPHERTEXT_FORM_BYTES = 113

export function ciphertextBytes({ degree, coefficientPrimes }: ParameterSet): number {
  return CIPHERTEXT_FORM_BYTES + 2 * coefficientPrimes.length * degree * 8
}

function bits(value: bigint): number {
  return value.toString(2).length
}

import type { ExecuteOptions } from '../plan/executor.js'
import type { Shape } from './aggregation.js'
import type { Opened } from './container.js'
import { inOrder } from './in-flight.js'
import { DIGEST_BYTES } from './lane.js'
import type { Totals } from './opened.js'
import type { SumStatement } from './statement.js'
import type { Lanes } from './threads.js'

/** Opened totals of slots that follow each other, from slot `first` on. */
export interface OpenedRun {
  readonly first: number
  readonly totals: Totals
}

/** Ciphertexts that one message to a thread opens. */
const BATCH = 8

/** Numbers of a run, all components together: 64 MiB. */
const RUN_NUMBERS = 2 ** 23

/** Decrypts a sum, run after run of its slots in order: whatever the number of slots, a few runs are in memory. */
export async function* openedRuns(
  lanes: Lanes,
  shape: Shape,
  sum: Opened<SumStatement>,
  { onProgress }: Pick<ExecuteOptions, 'onProgress'>,
): AsyncGenerator<OpenedRun> {
  const { set, components, slots, ciphertexts } = shape
  const residues = set.plainPrimes.length
  const each = components * residues
  const blocks = Math.max(1, Math.floor(RUN_NUMBERS / (each * set.degree)))
  const batch = residues * Math.max(1, Math.floor(BATCH / residues))
  const pieces = function* () {
    for (let first = 0; first < ciphertexts; first += batch) {
      const count = Math.min(batch, ciphertexts - first)
      yield async () => {
        const bytes = await sum.ciphertexts(first, count)
        const digests = sum.digests.slice(first * DIGEST_BYTES, (first + count) * DIGEST_BYTES)
        return lanes.run({ kind: 'decrypt', bytes, digests })
      }
    }
  }
  const empty = (first: number) => {
    const length = Math.min(blocks * set.degree, slots - first)
    return { first, values: Array.from({ length: each }, () => new BigInt64Array(length)) }
  }
  let run = empty(0)
  let done = 0
  for await (const { values } of inOrder(2 * lanes.width, pieces())) {
    for (let at = 0; at < values.length; at += set.degree) {
      const from = Math.floor(done / each) * set.degree - run.first
      const into = run.values[done % each]!
      into.set(values.subarray(at, at + Math.min(set.degree, into.length - from)), from)
      done++
      const reached = Math.floor(done / each) * set.degree
      if (done % each !== 0 || reached - run.first < run.values[0]!.length) continue
      yield { first: run.first, totals: totalsOf(run.values, set.plainPrimes) }
      if (reached < slots) run = empty(reached)
    }
    onProgress?.({ stage: 'open', fraction: done / ciphertexts })
  }
}

function totalsOf(values: readonly BigInt64Array[], primes: readonly bigint[]): Totals {
  if (primes.length === 1) return values
  return Array.from({ length: values.length / primes.length }, (_, component) =>
    recombined(values.slice(component * primes.length, (component + 1) * primes.length), primes),
  )
}

/** The integer nearest to zero with these residues (Chinese remainder theorem, Garner's form). */
function recombined(residues: readonly BigInt64Array[], primes: readonly bigint[]): bigint[] {
  const [a, b] = residues as [BigInt64Array, BigInt64Array]
  const [p, q] = primes as [bigint, bigint]
  const inverse = power(p % q, q - 2n, q)
  const half = (p * q) / 2n
  return Array.from(a, (first, slot) => {
    const step = ((((b[slot]! - first) % q) + q) * inverse) % q
    const value = (((first + p * step) % (p * q)) + p * q) % (p * q)
    return value > half ? value - p * q : value
  })
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % modulus) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus
  }
  return result
}

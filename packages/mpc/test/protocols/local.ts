import { createHash } from 'node:crypto'
import { type LocalRun, type Protocol, runLocally } from '@sluice/mpc'
import { establish, type Index, type Party } from '@sluice/mpc/replicated'
import { AesCtrPrg, type Words } from '@sluice/mpc/ring'

const SESSION = '5e'.repeat(32)
export const INDICES: readonly Index[] = [0, 1, 2]

/** Bytes that follow from a text, so that tests replay. */
export function seeded(seed: string): (bytes: number) => Uint8Array {
  const prg = stream(seed)
  return bytes => {
    const out = new Uint8Array(bytes)
    prg.fill(out)
    return out
  }
}

export function stream(seed: string): AesCtrPrg {
  return new AesCtrPrg(createHash('sha256').update(seed).digest().subarray(0, 16))
}

/** Runs one protocol as the three parties, without a network; with more participants where `others` are given. */
export function three<T>(
  protocol: (party: Party) => Protocol<T>,
  { seed = 'keys', others = [] }: { seed?: string; others?: Protocol<T>[] } = {},
): LocalRun<T> {
  const parties = INDICES.map(function* (index): Protocol<T> {
    return yield* protocol(yield* establish(index, SESSION, seeded(`${seed} ${index}`)))
  })
  return runLocally([...parties, ...others])
}

export const mod = (value: bigint): bigint => BigInt.asUintN(64, value)
export const signed = (value: bigint): bigint => BigInt.asIntN(64, value)
export const column = (values: readonly (bigint | number)[]): Words =>
  new BigUint64Array(values.map(value => mod(BigInt(value))))

export const EDGES = [
  0n,
  1n,
  -1n,
  2n,
  -2n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 62n - 1n,
  -(2n ** 62n),
  2n ** 63n - 1n,
  -(2n ** 63n),
]

/** Every pair of the ring's edges, then random values of random sizes: two columns. */
export function pairs(count: number, seed: string, bits = 64): [Words, Words] {
  const random = stream(seed).words(4 * count)
  const fits = EDGES.filter(edge => BigInt.asIntN(bits, edge) === edge)
  const values = [0, 1].map(which =>
    Array.from({ length: count }, (_, i) => {
      if (i < fits.length ** 2) return fits[which === 0 ? i % fits.length : Math.floor(i / fits.length)]!
      const size = Number(random[2 * count + 2 * i + which]! % BigInt(bits)) + 1
      return BigInt.asIntN(size, random[2 * i + which]!)
    }),
  )
  return [column(values[0]!), column(values[1]!)]
}

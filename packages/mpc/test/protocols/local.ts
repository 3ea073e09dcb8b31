import { createHash } from 'node:crypto'
import { type LocalRun, type Protocol, runLocally, together } from '@sluice/mpc'
import { type Arithmetic, establish, type Index, inputOf, open, type Party } from '@sluice/mpc/replicated'
import { AesCtrPrg, type Words } from '@sluice/mpc/ring'
import { expect } from 'vitest'

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
  {
    seed = 'keys',
    others = [],
    blockRows,
  }: { seed?: string; others?: Protocol<T>[]; blockRows?: number } = {},
): LocalRun<T> {
  const parties = INDICES.map(function* (index): Protocol<T> {
    return yield* protocol(yield* establish(index, SESSION, seeded(`${seed} ${index}`), blockRows))
  })
  return runLocally([...parties, ...others])
}

/** What everybody gets when the protocol's column is opened; all three have to agree. */
export function opened(protocol: (party: Party) => Protocol<Arithmetic>) {
  const run = three(function* (party): Protocol<Words> {
    return (yield* open(party, yield* protocol(party), INDICES))!
  })
  expect(run.outputs[1]).toEqual(run.outputs[0])
  expect(run.outputs[2]).toEqual(run.outputs[0])
  return { ...run, output: run.outputs[0]! }
}

/** The same for many small protocols, side by side: by place, what everybody gets. */
export function openedMany(
  count: number,
  protocol: (party: Party, place: number) => Protocol<Arithmetic>,
): Words[] {
  const found: Words[] = []
  while (found.length < count) {
    const start = found.length
    const places = Array.from({ length: Math.min(SIDE_BY_SIDE, count - start) }, (_, i) => start + i)
    const { outputs } = three(
      party =>
        together(
          ...places.map(function* (place): Protocol<Words> {
            return (yield* open(party, yield* protocol(party, place), INDICES))!
          }),
        ),
      { seed: `many ${start}` },
    )
    expect(outputs[1]).toEqual(outputs[0])
    expect(outputs[2]).toEqual(outputs[0])
    found.push(...outputs[0]!)
  }
  return found
}

const SIDE_BY_SIDE = 50

/** The column at its owner, its length at the others. */
export const at = (party: Party, owner: number, values: Words): Words | number =>
  party.index === owner ? values : values.length

/** Rounds, and bits that each party sends for a value, of a protocol on a shared column. */
export function costOf(values: Words, protocol: (party: Party, x: Arithmetic) => Protocol<unknown>) {
  const run = (more: boolean) =>
    three(function* (party) {
      const x = yield* inputOf(party, 2, at(party, 2, values))
      return more ? yield* protocol(party, x) : undefined
    })
  const [base, full] = [run(false), run(true)]
  return {
    rounds: full.rounds - base.rounds,
    bits: full.bytesSent.map((bytes, index) => ((bytes - base.bytesSent[index]!) * 8) / values.length),
  }
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

/** Random integers of a magnitude below 2^bits, of random sizes, the first of them at the edges. */
export function fieldValues(length: number, seed: string, bits: number): BigInt64Array<ArrayBuffer> {
  const random = stream(seed).words(2 * length)
  const bound = 2n ** BigInt(bits)
  const edges = [0n, 1n, -1n, bound - 1n, 1n - bound, bound / 2n]
  return BigInt64Array.from({ length }, (_, i) => {
    const size = Number(random[i]! % BigInt(bits)) + 1
    return edges[i] ?? BigInt.asIntN(size, random[length + i]!)
  })
}

/** A value of any size, one time in five an edge of the ring. */
export function edgeOr(word: bigint): bigint {
  if (word % 5n === 0n) return EDGES[Number((word >> 8n) % BigInt(EDGES.length))]!
  return BigInt.asIntN(Number((word >> 3n) % 64n) + 1, word)
}

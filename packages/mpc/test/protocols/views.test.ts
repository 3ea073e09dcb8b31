import { type Protocol, runLocally } from '@sluice/mpc'
import {
  bitsToArithmetic,
  establish,
  type Index,
  inputOf,
  isNegative,
  isZero,
  multiply,
  open,
  type Party,
  subtract,
  total,
} from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { column, INDICES, seeded, signed } from './local.js'

/**
 * A smoke test, not a proof; the proofs are those of Araki et al. 2016 (section 4) and of ABY3 (Mohassel and Rindal
 * 2018, appendix). What one party receives for two inputs with the same output is compared, byte by byte: each view
 * has to look uniform, and the two alike. With 255 degrees of freedom and some 10^5 bytes a view, the statistic is
 * above LIMIT once in 10^6 views that are uniform, and mostly above it where one byte value is half as frequent again.
 */
const LIMIT = 370
const ROWS = 4000

const plain = column(Array.from({ length: ROWS }, (_, i) => i % 7))
const other = column(Array.from({ length: ROWS }, (_, i) => 6 - (i % 7)))
const far = column(Array.from({ length: ROWS }, (_, i) => (i % 7) * 1_000_003))

/** Every kind of step, and nothing opened but what both inputs have in common. */
function* protocol(party: Party, a: Words, b: Words): Protocol<bigint> {
  const x = yield* inputOf(party, 0, party.index === 0 ? a : ROWS)
  const y = yield* inputOf(party, 1, party.index === 1 ? b : ROWS)
  const less = yield* bitsToArithmetic(party, yield* isNegative(party, subtract(x, y)), ROWS)
  const same = yield* bitsToArithmetic(party, yield* isZero(party, subtract(x, y)), ROWS)
  const product = yield* multiply(party, yield* multiply(party, x, less), same)
  return signed((yield* open(party, total(product), [0, 1, 2]))![0]!)
}

function views(a: Words, b: Words, seed: string, spoil: (party: Party) => Party = party => party) {
  const run = runLocally(
    INDICES.map(function* (index: Index): Protocol<bigint> {
      const party = yield* establish(index, 'ab'.repeat(32), seeded(`${seed} ${index}`))
      return yield* protocol(spoil(party), a, b)
    }),
  )
  // the seeds at the start and the opened share at the end are compared by nobody
  return { outputs: run.outputs, received: run.views.map(view => Buffer.concat(view.slice(1, -1))) }
}

function counts(bytes: Uint8Array): number[] {
  const found = Array<number>(256).fill(0)
  for (const byte of bytes) found[byte]!++
  return found
}

function againstUniform(bytes: Uint8Array): number {
  const expected = bytes.length / 256
  return counts(bytes).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

function againstEachOther(a: Uint8Array, b: Uint8Array): number {
  const [first, second] = [counts(a), counts(b)]
  const ratio = Math.sqrt(b.length / a.length)
  return first.reduce(
    (sum, count, i) => sum + (count * ratio - second[i]! / ratio) ** 2 / Math.max(1, count + second[i]!),
    0,
  )
}

describe('what one party sees', () => {
  it('looks uniform, and alike for inputs that differ and open to the same', () => {
    const first = views(plain, other, 'first')
    const second = views(
      far,
      far.map(x => x + 5n),
      'second',
    )
    expect(first.outputs).toEqual([0n, 0n, 0n])
    expect(second.outputs).toEqual(first.outputs)
    for (const index of INDICES) {
      expect(first.received[index]!.length).toBeGreaterThan(100_000)
      expect(againstUniform(first.received[index]!)).toBeLessThan(LIMIT)
      expect(againstUniform(second.received[index]!)).toBeLessThan(LIMIT)
      expect(againstEachOther(first.received[index]!, second.received[index]!)).toBeLessThan(LIMIT)
    }
  })

  it('does not where the protocol is broken on purpose: masks of zeros', () => {
    const zeros = {
      fill: (bytes: Uint8Array) => void bytes.fill(0),
      words: (n: number) => new BigUint64Array(n),
    }
    const broken = views(plain, other, 'broken', ({ index }) => ({ index, own: zeros, next: zeros }) as never)
    for (const bytes of broken.received) expect(againstUniform(bytes)).toBeGreaterThan(10 * LIMIT)
  })

  it('does not where one mask is used twice', () => {
    const again = ({ index }: Party): Party => {
      const block = (key: number) => {
        const words = establishWords(`again ${key % 3}`)
        return {
          fill: (bytes: Uint8Array) => bytes.set(words.subarray(0, bytes.length)),
          words: (n: number) => new BigUint64Array(words.slice(0, n * 8).buffer),
        }
      }
      return { index, own: block(index), next: block(index + 1) } as never
    }
    const [one, two] = [plain, far].map(values =>
      views(
        values,
        values.map(x => x + 1n),
        'again',
        again,
      ),
    )
    // two inputs under one mask: their difference is there to be read
    const difference = Uint8Array.from(
      one!.received[1]!.subarray(0, 8 * ROWS),
      (byte, i) => byte ^ two!.received[1]![i]!,
    )
    expect(againstUniform(difference)).toBeGreaterThan(10 * LIMIT)
  })
})

function establishWords(seed: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(seeded(seed)(1 << 20))
}

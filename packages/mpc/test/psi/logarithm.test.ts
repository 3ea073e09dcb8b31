import { loadRistretto, logarithm, MAXIMUM_LOGARITHM } from '@sluice/mpc/psi'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const group = await loadRistretto()
const ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n

/** The generator times an integer; all zeros for the identity. */
function times(value: bigint): Uint8Array<ArrayBuffer> {
  if (value === 0n) return new Uint8Array(32)
  const reduced = ((value % ORDER) + ORDER) % ORDER
  const hex = reduced.toString(16).padStart(64, '0')
  return group.multiplyBase(new Uint8Array(Buffer.from(hex, 'hex').reverse()))
}

const found = (value: bigint, bound: bigint) => logarithm(times(value), bound, { group })

describe('the search for a total', () => {
  it.each([1n, 2n, 7n, 60n])('finds every one within ± %s, and none beyond', async bound => {
    for (let value = -bound - 3n; value <= bound + 3n; value++) {
      const within = value <= bound && -value <= bound
      expect(await found(value, bound)).toBe(within ? value : undefined)
    }
  })

  it('finds random ones of any size, and those at the edges', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 26 }),
        fc.bigInt(0n, 2n ** 30n),
        fc.boolean(),
        async (bits, drawn, negative) => {
          const bound = 2n ** BigInt(bits)
          const value = (negative ? -1n : 1n) * (drawn % (bound + 1n))
          expect(await found(value, bound)).toBe(value)
        },
      ),
      {
        numRuns: 40,
        examples: [
          [26, 2n ** 26n, true],
          [26, 2n ** 26n, false],
          [25, 2n ** 25n - 1n, true],
        ],
      },
    )
  })

  it('finds one that took a table of a hundred thousand', async () => {
    expect(await found(-(2n ** 34n) + 123n, 2n ** 34n)).toBe(-(2n ** 34n) + 123n)
  })

  it('finds multiples of its own strides, where points coincide', async () => {
    // 10^6: 1000 in the table or a few more, so that the stride is odd and between 2001 and 2031
    for (let stride = 2001n; stride <= 2031n; stride += 2n) {
      for (const factor of [1n, -13n, 200n])
        expect(await found(stride * factor, 1_000_000n)).toBe(stride * factor)
    }
  })

  it('refuses points that are none, stops when it is told to, and goes no further than it may', async () => {
    await expect(logarithm(new Uint8Array(32).fill(255), 10n, { group })).toThrowWithCode(
      'PROTOCOL_VIOLATION',
    )
    const signal = AbortSignal.abort()
    await expect(logarithm(times(5n), 2n ** 40n, { group, signal })).toThrowWithCode('INTERRUPTED')
    await expect(found(1n, MAXIMUM_LOGARITHM + 1n)).toThrowWithCode('INTERNAL')
  })
})

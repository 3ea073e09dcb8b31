import type { TextColumn } from '@sluice/core/desensitize'
import { describe, expect, it } from 'vitest'
import { equalAt, FULL, fuzzed, textAt, VALUES } from './fuzzed.ts'
import { applied } from './keyed.ts'

const ANYTHING = /^.+$/s
const KEYED = { key: 'k', domain: 'credit' }
const CREDIT = '[0-9A-HJ-NPQRTUWXY]'
const UNISSUED = '(?:1[6-9]|2[04-9]|3[089]|4[07-9]|5[5-9]|6[07-9]|7[02-9]|8[04-9])'

const slow = (share: number) => (FULL ? VALUES : VALUES / share)

/** Each rule, what fits it, what comes out, and of how many values it is tried: those without a bulk call are slow. */
const RULES: [object, fits: RegExp, shown: RegExp, values: number][] = [
  [{ kind: 'token', algorithm: 'aes-cmac' }, ANYTHING, /^[0-9a-f]{32}$/, VALUES],
  [{ kind: 'token', algorithm: 'sm4-cmac' }, ANYTHING, /^[0-9a-f]{32}$/, VALUES],
  [{ kind: 'token', algorithm: 'hmac-sha256' }, ANYTHING, /^[0-9a-f]{64}$/, slow(10)],
  [{ kind: 'token', algorithm: 'hmac-sm3' }, ANYTHING, /^[0-9a-f]{64}$/, slow(10)],
  [{ kind: 'reversible-token' }, ANYTHING, /^rt1\.[0-9a-f]{36,}$/, VALUES],
  [{ kind: 'encrypt', cipher: 'aes-256-gcm' }, ANYTHING, /^ec1a\.[0-9a-f]{68,}$/, slow(10)],
  [{ kind: 'encrypt', cipher: 'sm4-gcm' }, ANYTHING, /^ec1s\.[0-9a-f]{68,}$/, slow(50)],
  [{ kind: 'fpe', length: 11 }, /^\d{11}$/, /^\d{11}$/, VALUES],
  [
    { kind: 'fpe', length: { min: 8, max: 18 }, alphabet: 'alphanumeric' },
    /^[0-9A-Z]{8,18}$/,
    /^[0-9A-Z]{8,18}$/,
    VALUES,
  ],
  [
    { kind: 'surrogate-identity-number' },
    /^[1-9]\d{16}[\dX]$/,
    new RegExp(`^${UNISSUED}\\d{15}[\\dX]$`),
    VALUES,
  ],
  [
    { kind: 'surrogate-credit-code' },
    new RegExp(`^[1-9ANY][1-59]\\d{6}${CREDIT}{10}$`),
    new RegExp(`^[1-9ANY][1-59]${UNISSUED}\\d{4}${CREDIT}{10}$`),
    VALUES,
  ],
]

describe('a million fuzzed values', () => {
  const column = fuzzed()

  it.each(RULES)(
    '%o never gives its input back, and passes nothing that does not fit',
    async (how, fits, shown, values) => {
      const before = { ...column, length: values, offsets: column.offsets.subarray(0, values + 1) }
      const rule = 'cipher' in how ? { ...how, key: 'k' } : { ...KEYED, ...how }
      const { columns, counts } = await applied(rule, before)
      const after = columns[0] as TextColumn
      let hidden = 0
      let same = 0
      let looked = 0
      for (let i = 0; i < values; i++) {
        if (after.validity !== null && ((after.validity[i >> 3]! >> (i & 7)) & 1) === 0) {
          hidden++
          if (after.offsets[i + 1] !== after.offsets[i]) expect.fail('a hidden value left bytes')
          continue
        }
        if (equalAt(before, after, i)) same++
        // the expressions are slow: every value that passed is looked at, until there were enough
        if (looked >= 20_000) continue
        looked++
        if (!fits.test(textAt(before, i))) expect.fail('a value passed that does not fit')
        if (!shown.test(textAt(after, i))) expect.fail('a result looks otherwise')
      }
      expect(looked).toBeGreaterThan(50)
      expect(same).toBe(0)
      expect(counts).toEqual({ rows: values, nulls: 0, changed: values - hidden, hidden, fixedPoints: 0 })
    },
    FULL ? 600_000 : undefined,
  )
})

import { z } from 'zod'
import { CREDIT_BYTES, CREDIT_VALUES, creditCheck, organizationCheck } from '../../check-characters.js'
import { blockCipher } from '../cipher/block-cipher.js'
import { deriveKey } from '../cipher/derive.js'
import { TEXT, type TextColumn } from '../column.js'
import { JoinDomain, KeyName } from '../keyed/fields.js'
import { type RuleDefinition, wrongType } from '../rule.js'
import { CODES_PER_PAIR, PROVINCES, positions, UNISSUED, UNISSUED_CODES } from '../surrogate/areas.js'
import { type Surrogate, surrogates } from '../surrogate/column.js'
import { readDigits, writeDigits } from '../surrogate/digits.js'
import { pairPermutation } from '../surrogate/pair-permutation.js'

/** The form of its description. */
export const SurrogateCreditCodeRule = z
  .strictObject({ kind: z.literal('surrogate-credit-code'), key: KeyName, domain: JoinDomain })
  .describe('{kind: surrogate-credit-code, key, domain}: credit codes that are well formed and nobody’s')

export type SurrogateCreditCodeRule = z.infer<typeof SurrogateCreditCodeRule>

/**
 * Unified social credit codes (GB 32100-2015) become others with valid check characters (modulus 31, and the organization
 * code's), in divisions that were never issued: they are nobody's, and everybody sees from the division that they are
 * surrogates. Division and organization code are permuted together by FF1, so that no two codes have one surrogate. The
 * first two characters, which say what kind of organization it is, stay. Anything else is hidden.
 */
export const surrogateCreditCode: RuleDefinition<SurrogateCreditCodeRule> = {
  keyed: true,
  scope: 'chunk',
  resultType(_, type) {
    if (type.kind !== 'text') throw wrongType('surrogate-credit-code', type, 'text')
    return TEXT
  },
  bind({ key, domain }, binding) {
    const purpose = { rule: 'surrogate-credit-code', algorithm: 'ff1-aes', domain }
    const cipher = blockCipher('aes', deriveKey(binding.key(key), purpose, 32))
    const surrogate: Surrogate = {
      size: 18,
      permute: pairPermutation(cipher, UNISSUED_CODES, ORGANIZATIONS),
      read(bytes, from, pair) {
        const known = DEPARTMENTS.has(bytes[from]!) && CATEGORIES.has(bytes[from + 1]!)
        const division = POSITIONS[readDigits(bytes, from + 2, 2)] ?? -1
        const rest = readDigits(bytes, from + 4, 4)
        const organization = organizationNumber(bytes, from + 8)
        if (!known || division < 0 || rest < 0 || organization < 0) return false
        if (organizationCheck(bytes, from + 8) !== bytes[from + 16]) return false
        if (creditCheck(bytes, from) !== bytes[from + 17]) return false
        pair[0] = division * CODES_PER_PAIR + rest
        pair[1] = organization
        return true
      },
      write(outer, inner, bytes, at, original, source) {
        bytes[at] = original[source]!
        bytes[at + 1] = original[source + 1]!
        const pairIndex = Math.floor(outer / CODES_PER_PAIR)
        writeDigits(UNISSUED[pairIndex]!, bytes, at + 2, 2)
        writeDigits(outer - pairIndex * CODES_PER_PAIR, bytes, at + 4, 4)
        writeOrganization(inner, bytes, at + 8)
        bytes[at + 16] = organizationCheck(bytes, at + 8)
        bytes[at + 17] = creditCheck(bytes, at)
      },
    }
    return chunk => surrogates(chunk as TextColumn, surrogate)
  },
}

const ORGANIZATIONS = 31 ** 8
/** Provinces, the central government's 10 and the Production and Construction Corps' 66. */
const POSITIONS = positions([...PROVINCES, 10, 66])
/** GB 32100-2015, tables 1 and 2, with those that were added since. */
const DEPARTMENTS = new Set(new TextEncoder().encode('123456789ANY'))
const CATEGORIES = new Set(new TextEncoder().encode('123459'))

function organizationNumber(bytes: Uint8Array, from: number): number {
  let number = 0
  for (let i = from; i < from + 8; i++) {
    const value = CREDIT_VALUES[bytes[i]!]!
    if (value < 0) return -1
    number = number * 31 + value
  }
  return number
}

function writeOrganization(number: number, bytes: Uint8Array, from: number): void {
  let rest = number
  for (let i = from + 7; i >= from; i--) {
    const next = Math.floor(rest / 31)
    bytes[i] = CREDIT_BYTES[rest - 31 * next]!
    rest = next
  }
}

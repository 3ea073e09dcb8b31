/**
 * Check characters of identity numbers and credit codes. Codes are ASCII; each function takes where the code begins and
 * gives the check character's byte.
 */

/** ISO 7064 MOD 11-2 over 17 digits (GB 11643-1999, section 4.4): of an identity number. */
export function identityCheck(bytes: Uint8Array, from: number): number {
  let sum = 0
  for (let i = 0; i < 17; i++) sum += (bytes[from + i]! - 48) * IDENTITY_WEIGHTS[i]!
  return IDENTITY_CHARACTERS[sum % 11]!
}

/** GB 11714-1997, section 4: of the 8 characters of an organization code. */
export function organizationCheck(bytes: Uint8Array, from: number): number {
  let sum = 0
  for (let i = 0; i < 8; i++) sum += organizationValue(bytes[from + i]!) * ORGANIZATION_WEIGHTS[i]!
  const check = 11 - (sum % 11)
  return check === 11 ? 48 : check === 10 ? 88 : 48 + check
}

/**
 * Modulus 31 over 17 characters (GB 32100-2015, appendix B): of a unified social credit code.
 *
 * @param values of characters, where others than `CREDIT_VALUES` stand for them too
 */
export function creditCheck(bytes: Uint8Array, from: number, values: Int8Array = CREDIT_VALUES): number {
  let sum = 0
  for (let i = 0; i < 17; i++) sum += values[bytes[from + i]!]! * CREDIT_WEIGHTS[i]!
  return CREDIT_BYTES[(31 - (sum % 31)) % 31]!
}

/** The 31 characters of credit codes (GB 32100-2015, table B.1): no I, O, S, V, Z. */
export const CREDIT_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'
export const CREDIT_BYTES = new TextEncoder().encode(CREDIT_ALPHABET)
/** The number of an ASCII character in it, or −1. */
export const CREDIT_VALUES = new Int8Array(256).fill(-1)
for (const [value, character] of CREDIT_BYTES.entries()) CREDIT_VALUES[character] = value

const IDENTITY_WEIGHTS = powers(2, 11, 18).slice(1).reverse()
const IDENTITY_CHARACTERS = new TextEncoder().encode('10X98765432')
const ORGANIZATION_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2]
const CREDIT_WEIGHTS = powers(3, 31, 17)

function organizationValue(character: number): number {
  return character < 65 ? character - 48 : character - 55
}

function powers(base: number, modulus: number, count: number): number[] {
  const all = [1]
  while (all.length < count) all.push((all.at(-1)! * base) % modulus)
  return all
}

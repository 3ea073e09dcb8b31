import { z } from 'zod'
import { deriveKey } from '../cipher/derive.js'
import { aesSiv, type Siv } from '../cipher/siv.js'
import { TEXT } from '../column.js'
import { encodedValues, hexColumn, misfits, requireEncodable } from '../keyed/encoding.js'
import { JoinDomain, KeyName } from '../keyed/fields.js'
import type { RuleDefinition } from '../rule.js'

/** Every reversible token begins with it. */
export const REVERSIBLE_TOKEN_MARK = 'rt1.'

/** The form of its description. */
export const ReversibleTokenRule = z
  .strictObject({ kind: z.literal('reversible-token'), key: KeyName, domain: JoinDomain })
  .describe(
    '{kind: reversible-token, key, domain}: a token that the key opens again, by `sluice token reveal`',
  )

export type ReversibleTokenRule = z.infer<typeof ReversibleTokenRule>

/**
 * A token that can be opened: AES-SIV (RFC 5297) with two keys of 256 bits, deterministic authenticated encryption.
 * It is the same for the same value in a join domain, its length tells that of the value, and one that was changed is
 * not opened.
 */
export const reversibleToken: RuleDefinition<ReversibleTokenRule> = {
  keyed: true,
  scope: 'chunk',
  resultType(_, type) {
    requireEncodable('reversible-token', type)
    return TEXT
  },
  bind({ key, domain }, binding) {
    const siv = reversibleTokenCipher(binding.key(key), domain)
    return chunk => {
      const values = encodedValues('reversible-token', chunk)
      const column = hexColumn(siv.seal(values), values.fits, REVERSIBLE_TOKEN_MARK)
      let changed = 0
      for (const fits of values.fits) changed += fits
      return { column, changed, hidden: misfits(chunk, values.fits), fixedPoints: 0 }
    }
  },
}

/** @throws SluiceError KEY_INVALID where the secret is not one */
export function reversibleTokenCipher(secret: Uint8Array, domain: string): Siv {
  return aesSiv(deriveKey(secret, { rule: 'reversible-token', algorithm: 'aes-siv', domain }, 64))
}

import { z } from 'zod'
import { blockCipher } from '../cipher/block-cipher.js'
import { cmacColumn } from '../cipher/cmac.js'
import { deriveKey } from '../cipher/derive.js'
import { HMAC_BYTES, hmacColumn } from '../cipher/hmac.js'
import type { Messages } from '../cipher/messages.js'
import { TEXT } from '../column.js'
import { encodedValues, fixedSize, hexColumn, misfits, requireEncodable } from '../keyed/encoding.js'
import { JoinDomain, KeyName } from '../keyed/fields.js'
import type { RuleDefinition } from '../rule.js'

const ALGORITHMS = ['aes-cmac', 'sm4-cmac', 'hmac-sha256', 'hmac-sm3'] as const

/** The form of its description. */
export const TokenRule = z
  .strictObject({
    kind: z.literal('token'),
    key: KeyName,
    domain: JoinDomain,
    algorithm: z.enum(ALGORITHMS).default('aes-cmac').describe('of the pseudorandom function'),
  })
  .describe('{kind: token, key, domain}: a keyed pseudonym, the same for the same value in a join domain')

export type TokenRule = z.infer<typeof TokenRule>

/**
 * A keyed pseudonym: CMAC (RFC 4493) with AES-256 or SM4, 32 hexadecimal digits, or HMAC with SHA-256 or SM3, 64 of
 * them, over the value's injective encoding. Equal values have equal tokens within a join domain, and tokens of two
 * domains tell nothing of one another. It hides a value from those without the key only: whoever holds the key finds a
 * phone or identity number by trying them all.
 */
export const token: RuleDefinition<TokenRule> = {
  keyed: true,
  scope: 'chunk',
  resultType(_, type) {
    requireEncodable('token', type)
    return TEXT
  },
  bind({ key, domain, algorithm }, binding) {
    const mac = pseudorandomFunction(binding.key(key), domain, algorithm)
    return chunk => {
      const values = encodedValues('token', chunk)
      const column = hexColumn(mac(values), values.fits)
      const hidden = misfits(chunk, values.fits)
      let changed = 0
      for (const fits of values.fits) changed += fits
      return { column, changed, hidden, fixedPoints: 0 }
    }
  },
}

function pseudorandomFunction(
  secret: Uint8Array,
  domain: string,
  algorithm: TokenRule['algorithm'],
): (messages: Messages) => Messages {
  const derive = (size: number, digest: 'sha256' | 'sm3') =>
    deriveKey(secret, { rule: 'token', algorithm, domain }, size, { digest })
  switch (algorithm) {
    case 'aes-cmac': {
      const cipher = blockCipher('aes', derive(32, 'sha256'))
      return messages => fixedSize(cmacColumn(cipher, messages), 16)
    }
    case 'sm4-cmac': {
      const cipher = blockCipher('sm4', derive(16, 'sm3'))
      return messages => fixedSize(cmacColumn(cipher, messages), 16)
    }
    case 'hmac-sha256': {
      const key = derive(32, 'sha256')
      return messages => fixedSize(hmacColumn('sha256', key, messages), HMAC_BYTES)
    }
    case 'hmac-sm3': {
      const key = derive(32, 'sm3')
      return messages => fixedSize(hmacColumn('sm3', key, messages), HMAC_BYTES)
    }
  }
}

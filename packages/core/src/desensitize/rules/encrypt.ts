import { z } from 'zod'
import { canonicalBytes } from '../../canonical.js'
import { deriveKey } from '../cipher/derive.js'
import { type Gcm, NONCE_BYTES } from '../cipher/gcm.js'
import { messagesOf } from '../cipher/messages.js'
import { TEXT } from '../column.js'
import { encodedValues, hexColumn, misfits, requireEncodable } from '../keyed/encoding.js'
import { KeyName } from '../keyed/fields.js'
import type { RuleDefinition } from '../rule.js'

/** Every encrypted cell begins with its cipher's. */
export const CELL_MARKS = { 'aes-256-gcm': 'ec1a.', 'sm4-gcm': 'ec1s.' } as const
export const SALT_BYTES = 16

export type CellCipher = keyof typeof CELL_MARKS

/** The form of its description. */
export const EncryptRule = z
  .strictObject({
    kind: z.literal('encrypt'),
    key: KeyName,
    cipher: z.enum(['aes-256-gcm', 'sm4-gcm']).default('aes-256-gcm').describe('of every cell'),
  })
  .describe('{kind: encrypt, key}: every cell encrypted for itself, bound to dataset, column and row')

export type EncryptRule = z.infer<typeof EncryptRule>

/** Where a cell stands; all of it is authenticated. */
export interface CellPlace {
  readonly dataset: string
  readonly column: string
}

/**
 * AES-256-GCM or SM4-GCM of every cell. A run of rows has a key of its own, derived with 128 random bits that its cells
 * carry; the nonce is the row's number, so that none comes twice under a key. Dataset, column and row are authenticated:
 * a cell that was moved is not opened. Equal values look unequal; a cell's length tells that of its value.
 */
export const encrypt: RuleDefinition<EncryptRule> = {
  keyed: true,
  scope: 'chunk',
  resultType(_, type) {
    requireEncodable('encrypt', type)
    return TEXT
  },
  async bind({ key, cipher }, { key: secretOf, dataset, column, random }) {
    const secret = secretOf(key)
    const cellKey = await cellKeys(cipher)
    return (chunk, { row }) => {
      const values = encodedValues('encrypt', chunk)
      const salt = random(SALT_BYTES)
      const gcm = cellKey(secret, { dataset, column }, salt)
      let changed = 0
      const cells = Array.from(values.fits, (fits, i) => {
        if (fits === 0) return NOTHING
        changed++
        const value = values.bytes.subarray(values.offsets[i]!, values.offsets[i + 1]!)
        const { nonce, associated } = cellBinding({ dataset, column }, row + i)
        return Buffer.concat([salt, gcm.seal(nonce, value, associated)])
      })
      const hidden = misfits(chunk, values.fits)
      return {
        column: hexColumn(messagesOf(cells), values.fits, CELL_MARKS[cipher]),
        changed,
        hidden,
        fixedPoints: 0,
      }
    }
  },
}

const NOTHING = new Uint8Array(0)

/** Makes the cipher of the cells that carry a salt. The library behind SM4-GCM loads here. */
export async function cellKeys(
  cipher: CellCipher,
): Promise<(secret: Uint8Array, place: CellPlace, salt: Uint8Array) => Gcm> {
  const { aesGcm, sm4Gcm } = await import('../cipher/gcm.js')
  const [mode, size, digest] =
    cipher === 'aes-256-gcm' ? ([aesGcm, 32, 'sha256'] as const) : ([sm4Gcm, 16, 'sm3'] as const)
  return (secret, { dataset, column }, salt) =>
    mode(
      deriveKey(secret, { rule: 'encrypt', algorithm: cipher, domain: '', dataset, column }, size, {
        digest,
        salt,
      }),
    )
}

/** The nonce of a cell, and what is authenticated with it. */
export function cellBinding(
  { dataset, column }: CellPlace,
  row: number,
): { readonly nonce: Uint8Array; readonly associated: Uint8Array } {
  const nonce = new Uint8Array(NONCE_BYTES)
  new DataView(nonce.buffer).setBigUint64(NONCE_BYTES - 8, BigInt(row))
  return { nonce, associated: canonicalBytes({ use: 'sluice/cell/1', dataset, column, row }) }
}

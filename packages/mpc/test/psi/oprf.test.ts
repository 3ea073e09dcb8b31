import { loadRistretto, Oprf } from '@sluice/mpc/psi'
import { describe, expect, it } from 'vitest'
import vectors from './rfc9497-ristretto255.json' with { type: 'json' }

const group = await loadRistretto()
const oprf = new Oprf(group)
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')

describe('OPRF(ristretto255, SHA-512) of RFC 9497', () => {
  const key = oprf.deriveKey(bytes(vectors.seed), bytes(vectors.info))

  it('derives the key of the vectors', () => {
    expect(hex(key)).toBe(vectors.key)
    expect(hex(oprf.deriveKey(bytes(vectors.seed), bytes('00')))).not.toBe(vectors.key)
  })

  it.each(vectors.cases)(
    'blinds, evaluates and finalizes $input',
    ({ input, blind, blinded, evaluated, output }) => {
      expect(hex(oprf.blind(bytes(input), bytes(blind)))).toBe(blinded)
      expect(hex(oprf.blindEvaluate(key, bytes(blinded)))).toBe(evaluated)
      expect(hex(oprf.finalize(bytes(input), bytes(blind), bytes(evaluated)))).toBe(output)
      expect(hex(oprf.evaluate(key, bytes(input)))).toBe(output)
      // another key, another value
      expect(hex(oprf.evaluate(bytes(blind), bytes(input)))).not.toBe(output)
    },
  )

  it('refuses elements that are none', async () => {
    for (const bad of ['00'.repeat(32), 'ff'.repeat(32)]) {
      await expect(() => oprf.blindEvaluate(key, bytes(bad))).toThrowWithCode('PROTOCOL_VIOLATION')
      const finalize = () => oprf.finalize(bytes('00'), bytes(vectors.cases[0]!.blind), bytes(bad))
      await expect(finalize).toThrowWithCode('PROTOCOL_VIOLATION')
    }
  })
})

import { aessiv as nobleSiv } from '@noble/ciphers/aes.js'
import { aesGcm, aesSiv, messagesOf, sm4Gcm } from '@sluice/core/desensitize/cipher'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, hex, seeded, vectors } from './vectors.ts'

interface SivVector {
  readonly key: string
  readonly associated: readonly string[]
  readonly message: string
  readonly sealed: string
  readonly authentic: boolean
}

describe('AES-SIV', () => {
  it.each(['siv-rfc5297', 'siv-wycheproof'])('%s', name => {
    for (const { key, associated, message, sealed, authentic } of vectors<SivVector>(name)) {
      const siv = aesSiv(bytes(key), ...associated.map(bytes))
      if (authentic) expect(hex(siv.seal(messagesOf([bytes(message)])).bytes)).toBe(sealed)
      const opened = siv.open(messagesOf([bytes(sealed)]))
      expect([...opened.authentic]).toEqual([authentic ? 1 : 0])
      expect(hex(opened.messages.bytes)).toBe(authentic ? message : '')
    }
  })

  it('of a column is that of every message, as @noble/ciphers has it', () => {
    const associated = new TextEncoder().encode('domain')
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 20 }),
        fc.constantFrom(32, 48, 64),
        (messages, size) => {
          const key = seeded(size)(size)
          const sealed = aesSiv(key, associated).seal(messagesOf(messages))
          expect(hex(sealed.bytes)).toBe(
            messages.map(message => hex(nobleSiv(key, associated).encrypt(message))).join(''),
          )
        },
      ),
      { seed: 5297, numRuns: 60 },
    )
  })

  it('opens what is authentic of a column, and nothing of the rest', () => {
    const siv = aesSiv(seeded(3)(64))
    const messages = Array.from({ length: 5000 }, (_, i) => seeded(i + 1)(1 + (i % 50)))
    const sealed = siv.seal(messagesOf(messages))
    for (let row = 0; row < 5000; row += 3) {
      const start = sealed.offsets[row]!
      const at = start + (row % (sealed.offsets[row + 1]! - start))
      sealed.bytes[at]! ^= 1 << (row % 8)
    }
    const opened = siv.open(sealed)
    for (let row = 0; row < 5000; row++) {
      const [start, end] = [opened.messages.offsets[row]!, opened.messages.offsets[row + 1]!]
      const message = hex(opened.messages.bytes.subarray(start, end))
      expect(message).toBe(row % 3 === 0 ? '' : hex(messages[row]!))
      expect(opened.authentic[row]).toBe(row % 3 === 0 ? 0 : 1)
    }
    expect([...siv.open(messagesOf([new Uint8Array(15), new Uint8Array(0)])).authentic]).toEqual([0, 0])
  })
})

interface GcmVector {
  readonly key: string
  readonly nonce: string
  readonly associated: string
  readonly message: string
  readonly sealed: string
  readonly authentic: boolean
}

describe('GCM', () => {
  it.each([
    ['aes-256-gcm-wycheproof', aesGcm],
    ['sm4-gcm-rfc8998', sm4Gcm],
    ['sm4-gcm-wycheproof', sm4Gcm],
  ] as const)('%s', (name, mode) => {
    for (const { key, nonce, associated, message, sealed, authentic } of vectors<GcmVector>(name)) {
      const gcm = mode(bytes(key))
      const opened = gcm.open(bytes(nonce), bytes(sealed), bytes(associated))
      expect(opened === null ? null : hex(opened)).toBe(authentic ? message : null)
      if (authentic) expect(hex(gcm.seal(bytes(nonce), bytes(message), bytes(associated)))).toBe(sealed)
    }
  })

  it('SM4-GCM is that of sm-crypto-v2', async () => {
    const { sm4 } = await import('sm-crypto-v2')
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 70 }),
        fc.uint8Array({ maxLength: 40 }),
        (message, associated) => {
          const [key, nonce] = [seeded(message.length)(16), seeded(associated.length + 1)(12)]
          const { output, tag } = sm4.encrypt(message, key, {
            mode: 'gcm',
            iv: nonce,
            associatedData: associated,
            output: 'array',
            outputTag: true,
          })
          expect(hex(sm4Gcm(key).seal(nonce, message, associated))).toBe(hex(output) + hex(tag!))
        },
      ),
      { seed: 8998, numRuns: 40 },
    )
  })

  it.each([
    ['AES', aesGcm, 32],
    ['SM4', sm4Gcm, 16],
  ] as const)(
    '%s: any changed bit, another nonce or other associated data is not opened',
    (_, mode, size) => {
      const gcm = mode(seeded(2)(size))
      const [nonce, associated] = [seeded(3)(12), seeded(4)(20)]
      const sealed = gcm.seal(nonce, seeded(5)(21), associated)
      expect(gcm.open(nonce, sealed, associated)).toEqual(Buffer.from(seeded(5)(21)))
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const changed = Uint8Array.from(sealed)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        expect(gcm.open(nonce, changed, associated)).toBeNull()
      }
      expect(gcm.open(seeded(6)(12), sealed, associated)).toBeNull()
      expect(gcm.open(nonce, sealed, seeded(7)(20))).toBeNull()
      expect(gcm.open(nonce, sealed.subarray(0, 15), associated)).toBeNull()
    },
  )
})

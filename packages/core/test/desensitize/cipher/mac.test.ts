import { createCipheriv, createHash } from 'node:crypto'
import { cmac as nobleCmac } from '@noble/ciphers/aes.js'
import { blockCipher, cmacColumn, hmacColumn, messagesOf } from '@sluice/core/desensitize/cipher'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, hex, seeded, vectors } from './vectors.ts'

interface MacVector {
  readonly key: string
  readonly message: string
  readonly tag: string
}

describe('CMAC', () => {
  it.each(['cmac-rfc4493', 'cmac-wycheproof'])('%s', name => {
    for (const { key, message, tag } of vectors<MacVector>(name)) {
      const tags = cmacColumn(blockCipher('aes', bytes(key)), messagesOf([bytes(message)]))
      expect(hex(tags)).toBe(tag)
      const other = cmacColumn(blockCipher('aes', bytes(key)), messagesOf([bytes(`${message}00`)]))
      expect(hex(other)).not.toBe(tag)
    }
  })

  it('of a column is that of every message, whatever lengths stand beside one another', () => {
    const key = seeded(7)(32)
    const cipher = blockCipher('aes', key)
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 40 }), messages => {
        const expected = messages.map(message => hex(nobleCmac(message, key))).join('')
        expect(hex(cmacColumn(cipher, messagesOf(messages)))).toBe(expected)
      }),
      { seed: 4493, numRuns: 60 },
    )
  })

  it('of more rows than one bulk call takes', () => {
    const key = seeded(8)(16)
    const messages = Array.from({ length: 9000 }, (_, i) => seeded(i + 1)(i % 40))
    const tags = cmacColumn(blockCipher('aes', key), messagesOf(messages))
    for (const i of [0, 39, 4095, 4096, 8191, 8192, 8999]) {
      expect(hex(tags.subarray(i * 16, i * 16 + 16))).toBe(hex(nobleCmac(messages[i]!, key)))
    }
  })

  it('with SM4 is CBC-MAC with the subkeys of the standard', () => {
    const key = seeded(9)(16)
    for (const size of [0, 1, 15, 16, 17, 32, 47]) {
      const message = seeded(size + 1)(size)
      expect(hex(cmacColumn(blockCipher('sm4', key), messagesOf([message])))).toBe(hex(sm4Cmac(key, message)))
    }
  })
})

describe('HMAC', () => {
  it.each([
    ['sha256', 'hmac-sha256-rfc4231'],
    ['sm3', 'hmac-sm3-wycheproof'],
  ] as const)('with %s: %s', (digest, name) => {
    for (const { key, message, tag } of vectors<MacVector>(name)) {
      expect(
        hex(hmacColumn(digest, bytes(key), messagesOf([bytes(message), bytes(`${message}00`)]))),
      ).toMatch(new RegExp(`^${tag}(?!${tag})`))
    }
  })
})

describe('what is built upon', () => {
  it('SM4 (GB/T 32907), once and a million times', () => {
    interface Vector {
      readonly key: string
      readonly plain: string
      readonly times: number
      readonly cipher: string
    }
    for (const { key, plain, times, cipher } of vectors<Vector>('sm4-gbt32907')) {
      const sm4 = blockCipher('sm4', bytes(key))
      let block = bytes(plain)
      for (let i = 0; i < times; i++) block = sm4.encrypt(block) as Uint8Array<ArrayBuffer>
      expect(hex(block)).toBe(cipher)
    }
  })

  it('SM3 (GB/T 32905)', () => {
    for (const { message, digest } of vectors<{ message: string; digest: string }>('sm3-gbt32905')) {
      expect(createHash('sm3').update(bytes(message)).digest('hex')).toBe(digest)
    }
  })

  it('refuses keys of a wrong length', async () => {
    for (const size of [0, 15, 17, 31, 64]) {
      await expect(() => blockCipher('aes', new Uint8Array(size))).toThrowWithCode(
        'KEY_INVALID',
        'key.length',
      )
    }
    await expect(() => blockCipher('sm4', new Uint8Array(32))).toThrowWithCode('KEY_INVALID', 'key.length')
  })
})

/** SP 800-38B, section 6.2, by OpenSSL's CBC: a second way to the same. */
function sm4Cmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const cbc = (data: Uint8Array) => {
    const cipher = createCipheriv('sm4-cbc', key, new Uint8Array(16)).setAutoPadding(false)
    return Buffer.concat([cipher.update(data), cipher.final()]).subarray(-16)
  }
  const number = (block: Uint8Array) => BigInt(`0x${hex(block)}`)
  const twice = (value: bigint) => BigInt.asUintN(128, value << 1n) ^ (value >> 127n === 1n ? 0x87n : 0n)
  const first = twice(number(cbc(new Uint8Array(16))))
  const whole = message.length > 0 && message.length % 16 === 0
  const padded = whole
    ? message
    : Buffer.concat([message, Uint8Array.of(0x80), new Uint8Array(15 - (message.length % 16))])
  const last = number(padded.subarray(-16)) ^ (whole ? first : twice(first))
  return cbc(Buffer.concat([padded.subarray(0, -16), bytes(last.toString(16).padStart(32, '0'))]))
}

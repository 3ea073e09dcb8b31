import { blake3 } from '@noble/hashes/blake3.js'
import { describe, expect, it } from 'vitest'
import { arena, blake3Rows, domainKey } from '../../dist/psi/parts.js'
import { seeded } from '../protocols/local.js'
import { SESSION } from './local.js'

const key = domainKey(SESSION, 'a test')

describe('the keyed hash of a column', () => {
  it.each([16, 32, 48, 64])('is that of BLAKE3, of rows of %i bytes', width => {
    for (const count of [0, 1, 2, 3, 4, 5, 7, 4095, 4097]) {
      const rows = seeded(`${width}`)(count * width)
      for (const take of [16, 32, 48, 64]) {
        const hashes = blake3Rows(key, rows, width, take)
        expect(hashes.length).toBe(count * take)
        const looked = [0, 1, 2, 3, count - 2, count - 1].filter(index => index >= 0 && index < count)
        for (const index of looked) {
          const row = rows.subarray(index * width, (index + 1) * width)
          expect(hashes.subarray(index * take, (index + 1) * take)).toEqual(
            new Uint8Array(blake3(row, { key, dkLen: take })),
          )
        }
      }
    }
  })

  it('at a counter is that block of the extendable output', () => {
    const counters = [0, 5, 1, 2, 9, 3, 7]
    const { kernels, at, bytes } = arena({ key: 32, rows: 7 * 64, counters: 28, out: 7 * 64 })
    const rows = seeded('counted')(7 * 64)
    bytes.key.set(key)
    bytes.rows.set(rows)
    bytes.counters.set(new Uint8Array(new Uint32Array(counters).buffer))
    kernels.blake3Keyed(at.key, at.rows, 64, at.counters, at.out, 64, 7)
    counters.forEach((counter, index) => {
      const stream = blake3(rows.subarray(64 * index, 64 * index + 64), { key, dkLen: 64 * (counter + 1) })
      expect(bytes.out.subarray(64 * index, 64 * index + 64)).toEqual(new Uint8Array(stream.slice(-64)))
    })
  })
})

describe('keys by domain', () => {
  it('differ by session, purpose and number, and cannot be shifted into one another', () => {
    const other = 'b1'.repeat(32)
    const keys = [
      domainKey(SESSION, 'a'),
      domainKey(other, 'a'),
      domainKey(SESSION, 'b'),
      domainKey(SESSION, 'a', 1),
      domainKey(SESSION, 'a\0', 0),
      domainKey(SESSION, '', 0),
    ]
    expect(new Set(keys.map(bytes => Buffer.from(bytes).toString('hex'))).size).toBe(keys.length)
    expect(domainKey(SESSION, 'a')).toEqual(keys[0])
  })
})

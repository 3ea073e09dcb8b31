import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { loadRistretto } from '@sluice/mpc/psi'
import { describe, expect, it } from 'vitest'
import { receiveBaseOts, sendBaseOts } from '../../dist/psi/parts.js'
import { seeded } from '../protocols/local.js'
import { channels, SESSION, two } from './local.js'
import vectors from './vectors/rfc9496.json' with { type: 'json' }

const ristretto = await loadRistretto()
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const littleEndian = (value: number) => {
  const scalar = new Uint8Array(32)
  scalar[0] = value
  return scalar
}

describe('ristretto255', () => {
  it('has the multiples of the generator of RFC 9496, A.1', () => {
    vectors.multiples.slice(1).forEach((multiple, index) => {
      expect(hex(ristretto.multiplyBase(littleEndian(index + 1)))).toBe(multiple)
    })
    expect(vectors.multiples).toHaveLength(16)
  })

  it('refuses the encodings that RFC 9496, A.2 calls bad, and the identity', async () => {
    expect(vectors.bad.length).toBeGreaterThan(20)
    const good = ristretto.multiplyBase(littleEndian(7))
    for (const encoding of [...vectors.bad, vectors.multiples[0]!]) {
      await expect(() => ristretto.multiply(littleEndian(1), bytes(encoding))).toThrowWithCode(
        'PROTOCOL_VIOLATION',
      )
    }
    for (const encoding of vectors.bad) {
      await expect(() => ristretto.add(good, bytes(encoding))).toThrowWithCode('PROTOCOL_VIOLATION')
      await expect(() => ristretto.subtract(bytes(encoding), good)).toThrowWithCode('PROTOCOL_VIOLATION')
    }
  })

  it('derives elements as RFC 9496, A.3', () => {
    expect(vectors.derived.length).toBeGreaterThan(6)
    for (const { uniform, point } of vectors.derived) {
      expect(hex(ristretto.derive(bytes(uniform)))).toBe(point)
    }
  })

  it('agrees with another implementation', () => {
    const random = seeded('oracle')
    for (let round = 0; round < 20; round++) {
      const uniform = random(64)
      const point = ristretto.derive(uniform)
      expect(hex(point)).toBe(hex(ristretto255_hasher.deriveToCurve!(uniform).toBytes()))
      const scalar = ristretto.randomScalar(random)
      const known = BigInt(`0x${hex(scalar.toReversed())}`)
      const there = ristretto255.Point.fromBytes(point)
      expect(hex(ristretto.multiply(scalar, point))).toBe(hex(there.multiply(known).toBytes()))
      const base = ristretto.multiplyBase(scalar)
      expect(hex(base)).toBe(hex(ristretto255.Point.BASE.multiply(known).toBytes()))
      expect(hex(ristretto.add(point, base))).toBe(
        hex(there.add(ristretto255.Point.BASE.multiply(known)).toBytes()),
      )
    }
  })
})

describe('base oblivious transfer', () => {
  const choices = Uint8Array.from({ length: 40 }, (_, index) => (index * 7 + (index >> 2)) & 1)
  const run = (alter?: Parameters<typeof two>[2], session = SESSION) => {
    const [receiving, sending] = channels('base', session)
    return two(receiveBaseOts(receiving, choices), sendBaseOts(sending, choices.length), alter)
  }

  it('gives the receiver the key that it chose and not the other, in one round', () => {
    const { outputs, rounds, bytesSent } = run()
    const [chosen, pairs] = outputs
    choices.forEach((choice, index) => {
      const key = (which: number) =>
        hex(pairs.subarray(32 * index + 16 * which, 32 * index + 16 * which + 16))
      expect(hex(chosen.subarray(16 * index, 16 * index + 16))).toBe(key(choice))
      expect(key(0)).not.toBe(key(1))
    })
    expect(new Set(Array.from({ length: 80 }, (_, i) => hex(pairs.subarray(16 * i, 16 * i + 16)))).size).toBe(
      80,
    )
    expect(rounds).toBe(1)
    expect(bytesSent).toEqual([64 * 40, 32 * 40])
  })

  it('gives other keys in another session', () => {
    expect(hex(run().outputs[0])).not.toBe(hex(run(undefined, '01'.repeat(32)).outputs[0]))
  })

  it.each([
    ['no point', (message: Uint8Array) => message.fill(0xff, 64, 96)],
    ['the identity', (message: Uint8Array) => message.fill(0, 64, 96)],
  ])('refuses a sender’s message with %s in it', async (_, spoil) => {
    await expect(() =>
      run((message, from) => (from === 1 ? spoil(message) && message : message)),
    ).toThrowWithCode('PROTOCOL_VIOLATION')
  })

  it('refuses a receiver’s message with no point in it', async () => {
    await expect(() =>
      run((message, from) => (from === 0 ? message.fill(0xff, 64, 96) : message)),
    ).toThrowWithCode('PROTOCOL_VIOLATION')
  })
})

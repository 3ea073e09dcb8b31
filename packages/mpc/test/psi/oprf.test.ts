import { messagesOf } from '@sluice/core/desensitize/cipher'
import { type Protocol, runLocally } from '@sluice/mpc'
import {
  answerPrepared,
  askPrepared,
  decodePrepared,
  distinct,
  encodePrepared,
  itemHashes,
  loadRistretto,
  newPreparedKey,
  Oprf,
  type PreparedKey,
  type PreparedSet,
  prepareSet,
} from '@sluice/mpc/psi'
import fc from 'fast-check'
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

describe('a set that is prepared once', () => {
  const hashesOf = (items: readonly string[], key: PreparedKey) =>
    distinct(itemHashes(messagesOf(items.map(item => Buffer.from(item))), key.set)).hashes

  function prepared(items: readonly string[], key: PreparedKey): PreparedSet {
    const steps = prepareSet(key, hashesOf(items, key), group)
    for (;;) {
      const step = steps.next()
      if (step.done) return step.value
    }
  }

  function ask(set: PreparedSet, items: readonly string[], key: PreparedKey, other = key) {
    const hashes = hashesOf(items, key)
    const protocols: Protocol<unknown>[] = [
      askPrepared({ peer: 1, prepared: set, hashes, group }),
      answerPrepared(0, other, hashes.length / 16, group),
    ]
    const { outputs, bytesSent } = runLocally(protocols)
    return { matched: outputs[0] as Uint8Array, bytesSent }
  }

  const key = newPreparedKey(group)
  const large = Array.from({ length: 700 }, (_, i) => `company ${i}`)
  const set = prepared(large, key)

  it('answers which of a small one are in it, in several messages and none', () => {
    const small = Array.from({ length: 300 }, (_, i) => `company ${i * 5}`)
    const run = ask(set, small, key)
    expect([...run.matched]).toEqual(small.map((_, i) => (i < 140 ? 1 : 0)))
    expect(run.bytesSent).toEqual([32 + 300 * 32, 300 * 32])
    expect(ask(set, [], key).matched).toEqual(new Uint8Array(0))
  })

  it('agrees with a plain look-up, whatever the sets', () => {
    const items = fc.uniqueArray(fc.nat(15).map(String), { maxLength: 10 })
    fc.assert(
      fc.property(items, items, (left, right) => {
        const { matched: found } = ask(prepared(left, key), right, key)
        expect([...found]).toEqual(right.map(item => (left.includes(item) ? 1 : 0)))
      }),
      { numRuns: 15 },
    )
  })

  it('goes into a file and comes back, ascending, and is refused when it is not whole', async () => {
    const file = encodePrepared(set)
    const read = decodePrepared(file)
    expect(read).toEqual(set)
    const values = Array.from({ length: 700 }, (_, i) => hex(read.values.subarray(i * 12, (i + 1) * 12)))
    expect(values).toEqual([...values].sort())
    for (const bad of [file.slice(0, -1), file.slice(1), new Uint8Array(0), bytes('7b7d0a')]) {
      await expect(() => decodePrepared(bad)).toThrowWithCode('FILE_FORMAT')
    }
  })

  it('is void once its key is rotated', async () => {
    const rotated = { ...newPreparedKey(group), set: key.set }
    await expect(() => ask(set, ['company 1'], key, rotated)).toThrowWithCode('JOB_MISMATCH')
    expect(ask(prepared(large, rotated), ['company 1'], rotated).matched).toEqual(Uint8Array.of(1))
  })
})

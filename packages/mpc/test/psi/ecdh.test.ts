import { ristretto255_hasher } from '@noble/curves/ed25519.js'
import { messagesOf } from '@sluice/core/desensitize/cipher'
import { type Protocol, runLocally } from '@sluice/mpc'
import {
  boundToSession,
  distinct,
  ecdhPsi,
  expandMessage,
  type Intersection,
  itemHashes,
  type Learns,
  loadRistretto,
  POINT_BYTES,
} from '@sluice/mpc/psi'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openAll } from '../session/parties.js'
import vectors from './vectors/rfc9380.json' with { type: 'json' }

const group = await loadRistretto()
const SESSION = 'ab'.repeat(32)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function hashesOf(items: readonly string[], session = SESSION) {
  const { hashes } = distinct(itemHashes(messagesOf(items.map(item => Buffer.from(item))), '11'.repeat(32)))
  return boundToSession(hashes, session)
}

function pair(own: readonly string[], other: readonly string[], learns: readonly [Learns, Learns]) {
  const sets = [hashesOf(own), hashesOf(other)]
  return [0, 1].map(self =>
    ecdhPsi({
      peer: 1 - self,
      hashes: sets[self]!,
      peerCount: sets[1 - self]!.length / 16,
      learns: { own: learns[self]!, peer: learns[1 - self]! },
      session: SESSION,
      group,
    }),
  )
}

const named = (items: readonly string[], { matched }: Intersection) =>
  [...new Set(items)].filter((_, i) => matched?.[i] === 1)

describe('hashing to the group', () => {
  const domain = Buffer.from(vectors.domain)
  it('expands the messages of RFC 9380, appendix K.3', () => {
    expect(vectors.cases).toHaveLength(10)
    for (const { message, expanded } of vectors.cases) {
      expect(hex(expandMessage(Buffer.from(message), domain, expanded.length / 2))).toBe(expanded)
      expect(hex(expandMessage(Buffer.from(`${message}.`), domain, expanded.length / 2))).not.toBe(expanded)
    }
  })

  it('gives the elements that another implementation gives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), message => {
        const other = ristretto255_hasher.hashToCurve(message, { DST: 'sluice test' })
        expect(hex(group.hashToGroup(message, Buffer.from('sluice test')))).toBe(hex(other.toBytes()))
      }),
      { numRuns: 20 },
    )
  })

  it('multiplies points of the group alone', async () => {
    const scalar = group.randomScalar()
    const point = group.hashToGroup(Buffer.from('a'), domain)
    expect(hex(group.multiply(group.invert(scalar), group.multiply(scalar, point)))).toBe(hex(point))
    const scalars = Array.from({ length: 9 }, () => group.randomScalar())
    expect(group.invertAll(scalars).map(hex)).toEqual(scalars.map(each => hex(group.invert(each))))
    expect(group.invertAll([])).toEqual([])
    // RFC 9496, appendix A.2: encodings that are refused; the first is the identity, which is none here either
    for (const bad of [
      '00'.repeat(32),
      `00${'ff'.repeat(31)}`,
      `${'ff'.repeat(31)}7f`,
      `f3${'ff'.repeat(30)}7f`,
      `01${'00'.repeat(31)}`,
      `ed${'ff'.repeat(30)}7f`,
      '26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371',
    ]) {
      await expect(() => group.multiply(scalar, Buffer.from(bad, 'hex'))).toThrowWithCode(
        'PROTOCOL_VIOLATION',
      )
    }
  })
})

describe('intersection by Diffie and Hellman', () => {
  const own = ['甲公司', '乙公司', 'c', 'd', 'd']
  const other = ['d', 'e', '乙公司', 'f', 'g', 'h']

  it('tells each side which of its items the other has', () => {
    const [a, b] = runLocally(pair(own, other, ['which', 'which'])).outputs
    expect(named(own, a!)).toEqual(['乙公司', 'd'])
    expect(named(other, b!)).toEqual(['d', '乙公司'])
  })

  it.each<[Learns, Learns]>([
    ['which', 'nothing'],
    ['count', 'nothing'],
    ['nothing', 'which'],
    ['count', 'count'],
    ['which', 'count'],
  ])('tells no more than was agreed: %s and %s', (...learns) => {
    const run = runLocally(pair(own, other, learns))
    run.outputs.forEach((output, self) => {
      expect(Object.keys(output)).toEqual(
        { which: ['matched', 'count'], count: ['count'], nothing: [] }[learns[self]!],
      )
      if (learns[self] !== 'nothing') expect(output.count).toBe(2)
    })
    const sizes = [4, 6]
    const sent = sizes.map(
      (size, self) => size * 32 + (learns[1 - self] === 'nothing' ? 0 : sizes[1 - self]! * 16),
    )
    expect(run.bytesSent).toEqual(sent)
  })

  it('gives the other’s answers in an order that only the other knows, where they are to be counted', () => {
    // the party that counts could otherwise line the answers up with its own items
    const items = Array.from({ length: 40 }, (_, i) => `item ${i}`)
    const answers = (learns: Learns) => {
      const { views } = runLocally(pair(items, items, [learns, 'nothing']))
      return hex(views[0]!.at(-1)!)
    }
    const tagsOf = (text: string) => new Set(text.match(/.{32}/g))
    expect(tagsOf(answers('count')).size).toBe(40)
    const fixed = (bytes: number) => new Uint8Array(bytes).fill(7)
    const replayed = (learns: Learns) => {
      const protocols = [0, 1].map(self =>
        ecdhPsi({
          peer: 1 - self,
          hashes: hashesOf(items),
          peerCount: items.length,
          learns: self === 0 ? { own: learns, peer: 'nothing' } : { own: 'nothing', peer: learns },
          session: SESSION,
          group,
          random: fixed,
        }),
      )
      return hex(runLocally(protocols).views[0]!.at(-1)!)
    }
    expect(tagsOf(replayed('which'))).toEqual(tagsOf(replayed('count')))
    expect(replayed('which')).not.toBe(replayed('count'))
  })

  it('agrees with a plain intersection, whatever the sets', () => {
    const set = fc.array(fc.nat(20).map(String), { maxLength: 15 })
    fc.assert(
      fc.property(set, set, (left, right) => {
        const [a, b] = runLocally(pair(left, right, ['which', 'count'])).outputs
        const common = [...new Set(left)].filter(item => right.includes(item))
        expect(named(left, a!)).toEqual(common)
        expect(b!.count).toBe(common.length)
      }),
      { numRuns: 25 },
    )
  })

  it('goes over sessions, in several messages', async () => {
    const left = Array.from({ length: 700 }, (_, i) => `${i}`)
    const right = Array.from({ length: 30 }, (_, i) => `${i * 50}`)
    const opened = await openAll()
    const sessions = opened.map(each => (each.status === 'fulfilled' ? each.value : undefined)!)
    const outputs = await Promise.all(
      [left, right].map(async (items, self) => {
        const session = sessions[self]!
        const output = await session.run(
          ecdhPsi({
            peer: 1 - self,
            hashes: hashesOf(items, session.id),
            peerCount: [right, left][self]!.length,
            learns: { own: 'which', peer: 'which' },
            session: session.id,
            group,
          }),
        )
        return named(items, output)
      }),
    )
    await Promise.all(sessions.map(session => session.end()))
    expect(outputs[0]).toEqual(right.filter(item => Number(item) < 700))
    expect(outputs[1]).toEqual(outputs[0])
  })

  it.each<[Learns, Learns]>([
    ['count', 'nothing'],
    ['nothing', 'count'],
    ['which', 'which'],
  ])('refuses a set with one item twice, whoever learns: %s and %s', async (...learns) => {
    const run = () =>
      runLocally(pair(own, other, learns), (bytes, from) => {
        if (from === 1 && bytes.length === 6 * POINT_BYTES) bytes.copyWithin(POINT_BYTES, 0, POINT_BYTES)
        return bytes
      })
    await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
  })

  it.each<Learns>(['which', 'count'])('refuses an answer that has one item twice: %s', async learns => {
    const run = () =>
      runLocally(pair(own, own, [learns, 'nothing']), (bytes, from) => {
        if (from === 1 && bytes.length === 4 * 16) bytes.copyWithin(16, 0, 16)
        return bytes
      })
    await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
  })

  it('refuses points that are none, and the identity', async () => {
    for (const bad of [new Uint8Array(POINT_BYTES), new Uint8Array(POINT_BYTES).fill(255)]) {
      const protocols: Protocol<Intersection>[] = pair(own, other, ['which', 'which'])
      const run = () =>
        runLocally(protocols, (bytes, from) => {
          if (from === 1 && bytes.length % POINT_BYTES === 0) bytes.set(bad, POINT_BYTES)
          return bytes
        })
      await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
    }
  })
})

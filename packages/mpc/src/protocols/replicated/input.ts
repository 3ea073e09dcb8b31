import { randomBytes } from 'node:crypto'
import { AesCtrPrg, bytesOf, PRG_KEY_BYTES, wordsOf } from '../../prg/aes-ctr.js'
import { combine, type Words } from '../../ring/kernels.js'
import type { Protocol } from '../../session/protocol.js'
import { type Index, next, type Party } from './party.js'
import { type Arithmetic, arithmetic, type Binary, binary } from './shares.js'

/**
 * A column of one of the three parties becomes shared: share p is drawn from the key that party p shares with the
 * one before it, share p+1 is the rest, and share p+2 is zero. The next party sees the column under a mask that it
 * does not know; the previous one sees the mask.
 *
 * One round; the owner sends one ring element for each value, the others nothing.
 *
 * @param values the column, at its owner; its length, at the others
 */
export function* inputOf(party: Party, owner: Index, values: Words | number): Protocol<Arithmetic> {
  return arithmetic(...(yield* masked(party, owner, values, 'sub')))
}

/** The same for packed bits, with ⊕ for the difference. */
export function* bitsOf(party: Party, owner: Index, values: Words | number): Protocol<Binary> {
  return binary(...(yield* masked(party, owner, values, 'xor')))
}

function* masked(
  party: Party,
  owner: Index,
  values: Words | number,
  minus: 'sub' | 'xor',
): Protocol<[Words, Words]> {
  const length = typeof values === 'number' ? values : values.length
  switch (party.index) {
    case owner: {
      const mask = party.own.words(length)
      const rest = combine(minus, values as Words, mask)
      yield { send: [{ to: next(owner), bytes: bytesOf(rest) }], receive: [] }
      return [mask, rest]
    }
    case next(owner): {
      const [rest] = yield { send: [], receive: [{ from: owner, bytes: length * 8 }] }
      return [wordsOf(rest!), new BigUint64Array(length)]
    }
    default: {
      // drawn before the round, as the owner does: protocols that run together draw from the same streams
      const mask = party.next.words(length)
      yield { send: [], receive: [] }
      return [new BigUint64Array(length), mask]
    }
  }
}

/**
 * A column of somebody who computes nothing: shares 0 and 1 come from two fresh seeds, share 2 is the rest. This is
 * the owner's side; `receiveFrom` is that of the three.
 *
 * One round; the owner sends two ring elements for each value, and 64 bytes.
 */
export function* provide(values: Words, random: (bytes: number) => Uint8Array = randomBytes): Protocol<void> {
  const seeds = [0, 1].map(() => new Uint8Array(random(PRG_KEY_BYTES)))
  const [first, second] = seeds.map(seed => new AesCtrPrg(seed).words(values.length))
  const rest = bytesOf(combine('sub', combine('sub', values, first!), second!))
  yield {
    send: [
      { to: 0, bytes: seeds[0]! },
      { to: 0, bytes: seeds[1]! },
      { to: 1, bytes: seeds[1]! },
      { to: 1, bytes: rest },
      { to: 2, bytes: rest },
      { to: 2, bytes: seeds[0]! },
    ],
    receive: [],
  }
}

/** @param provider index of the participant who runs `provide`, 3 or above */
export function* receiveFrom(party: Party, provider: number, length: number): Protocol<Arithmetic> {
  const sizes = [PRG_KEY_BYTES, PRG_KEY_BYTES, length * 8]
  const received = yield {
    send: [],
    receive: [party.index, next(party.index)].map(share => ({ from: provider, bytes: sizes[share]! })),
  }
  const [own, after] = [party.index, next(party.index)].map((share, position) =>
    share === 2 ? wordsOf(received[position]!) : new AesCtrPrg(received[position]!).words(length),
  )
  return arithmetic(own!, after!)
}

import { randomBytes } from 'node:crypto'
import { combine, reduce, uniform } from '../../field/kernels.js'
import { AesCtrPrg, bytesOf, PRG_KEY_BYTES, wordsOf } from '../../prg/aes-ctr.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import { type DealtParty, partiesOf } from './party.js'

/**
 * A column of one of the parties becomes shared: the others' shares come from the keys that they have in common with
 * the owner, whose own share is the rest. No round and no byte.
 *
 * @param values field elements, see `fromSigned`, at the owner; their number, at the others
 */
export function inputOf(party: DealtParty, owner: number, values: Words | number): Words {
  if (party.index !== owner) return uniform(party.taken.get(owner)!.words(values as number))
  let rest = values as Words
  for (const given of party.given.values()) rest = combine('sub', rest, uniform(given.words(rest.length)))
  return rest
}

/**
 * A column of somebody who computes nothing: all shares but the last party's come from fresh seeds. This is the
 * owner's side; `receiveFrom` is that of the parties.
 *
 * One round; the owner sends one element for each value, and 16 bytes to every party but the last.
 *
 * @param size how many parties compute
 */
export function* provide(
  values: Words,
  size: number,
  random: (bytes: number) => Uint8Array = randomBytes,
): Protocol<void> {
  const seeds = partiesOf({ size: size - 1 }).map(() => new Uint8Array(random(PRG_KEY_BYTES)))
  const shares = seeds.map(seed => uniform(new AesCtrPrg(seed).words(values.length)))
  const rest = shares.reduce((left, share) => combine('sub', left, share), values)
  yield { send: [...seeds, bytesOf(rest)].map((bytes, to) => ({ to, bytes })), receive: [] }
}

/** @param provider index of the participant who runs `provide` */
export function* receiveFrom(party: DealtParty, provider: number, length: number): Protocol<Words> {
  const last = party.index === party.size - 1
  const [bytes] = yield {
    send: [],
    receive: [{ from: provider, bytes: last ? length * 8 : PRG_KEY_BYTES }],
  }
  return last ? reduce(wordsOf(bytes!)) : uniform(new AesCtrPrg(bytes!).words(length))
}

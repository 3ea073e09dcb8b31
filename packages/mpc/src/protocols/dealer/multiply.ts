import { combine, reduce } from '../../field/kernels.js'
import { bytesOf, wordsOf } from '../../prg/aes-ctr.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import type { Supply } from '../field/supply.js'
import { type DealtParty, partiesOf } from './party.js'

/**
 * Products, element by element (Beaver 1991): with a triple (a, b, c) the parties open d = x − a and e = y − b, which
 * say nothing to whoever knows neither a nor b, and x·y = c + d·b + e·a + d·e. A triple serves once.
 *
 * One round; a party sends two elements for each product to every other party.
 */
export function* multiply(party: DealtParty, x: Words, y: Words, supply: Supply): Protocol<Words> {
  const { index } = party
  const [a, b, c] = supply.take(x.length) as [Words, Words, Words]
  const masked = [combine('sub', x, a), combine('sub', y, b)] as const
  const others = partiesOf(party).filter(other => other !== index)
  const received = yield {
    send: others.flatMap(to => masked.map(share => ({ to, bytes: bytesOf(share) }))),
    receive: others.flatMap(from => masked.map(() => ({ from, bytes: x.length * 8 }))),
  }
  const [d, e] = masked.map((own, which) =>
    others.reduce(
      (sum, _, position) => combine('add', sum, reduce(wordsOf(received[2 * position + which]!))),
      own,
    ),
  ) as [Words, Words]
  // d·e belongs to one share only: d·b + d·e = d·(b + e)
  const factor = index === 0 ? combine('add', b, e) : b
  return combine('add', c, combine('add', combine('mul', d, factor), combine('mul', e, a)))
}

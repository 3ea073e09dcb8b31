import { SluiceError } from '@sluice/core'
import { combine, reduce, sum, uniform } from '../../field/kernels.js'
import { bytesOf, wordsOf } from '../../prg/aes-ctr.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import { Supply } from '../field/supply.js'
import type { Pair } from '../field/totals.js'
import { gather, open, reconstruct } from './open.js'
import type { Committee, ShamirParty } from './party.js'
import { evaluate, extract } from './polynomial.js'

/**
 * Random elements that nobody knows, each shared by a polynomial of degree t − 1 and by one of degree 2t − 2 (Damgård
 * and Nielsen, "Scalable and Unconditionally Secure Multiparty Computation", CRYPTO 2007, protocol Double-Random for
 * passive security and t < n/2): one for each product or random element to come. Everybody has to be there.
 *
 * One round; of every n − t + 1 elements a party sends two elements to every other party.
 *
 * @throws SluiceError JOB_INVALID where fewer than 2t − 1 parties take part
 */
export function* prepareProducts(party: ShamirParty, count: number): Protocol<Supply> {
  const { index, size, threshold, coefficients } = party
  checkMajority(party)
  const rows = size - threshold + 1
  const length = Math.ceil(count / rows)
  const secrets = uniform(coefficients.words(length))
  const dealt = [threshold - 1, 2 * threshold - 2].map(degree =>
    evaluate(secrets, degree, size, coefficients),
  )
  const others = Array.from({ length: size }, (_, other) => other).filter(other => other !== index)
  const received = yield {
    send: others.flatMap(to => dealt.map(shares => ({ to, bytes: bytesOf(shares[to]!) }))),
    receive: others.flatMap(from => dealt.map(() => ({ from, bytes: length * 8 }))),
  }
  const columns = dealt.map((shares, which) => {
    const all = others.map((_, position) => reduce(wordsOf(received[2 * position + which]!)))
    all.splice(index, 0, shares[index]!)
    const column = new BigUint64Array(rows * length)
    for (const [row, extracted] of extract(all, rows).entries()) column.set(extracted, row * length)
    return column
  })
  return new Supply(columns)
}

/** Shares of random elements that nobody knows, out of the supply. */
export function random(supply: Supply, length: number): Words {
  return supply.take(length)[0]!
}

/**
 * Products, element by element (Damgård and Nielsen 2007, the multiplication for passive security). The
 * product of two shares has twice the degree; under a random mask it is opened to one party, the king, and what it
 * says comes off the mask's sharing of the lower degree. Any party but the king may have left, as long as 2t − 1 are
 * there.
 *
 * Two rounds; every party sends one element for each product to the king, and the king one to every party.
 *
 * @throws SluiceError PEER_LOST where the king has left, or at the king where too few are
 */
export function* multiply(party: ShamirParty, a: Words, b: Words, supply: Supply): Protocol<Words> {
  const { index, king, size, threshold } = party
  const [lower, higher] = supply.take(a.length)
  const masked = combine('add', combine('mul', a, b), higher!)
  if (index !== king) {
    yield { send: [{ to: king, bytes: bytesOf(masked) }], receive: [] }
    const [opened] = yield { send: [], receive: [{ from: king, bytes: a.length * 8 }] }
    return combine('sub', reduce(wordsOf(opened!)), lower!)
  }
  const shares = yield* gather(party, a.length, [], new Map([[index, masked]]))
  const opened = reconstruct(shares, 2 * threshold - 1)
  const others = Array.from({ length: size }, (_, to) => to).filter(to => to !== king)
  yield { send: others.map(to => ({ to, bytes: bytesOf(opened) })), receive: [] }
  return combine('sub', opened, lower!)
}

/**
 * Inner products, one for each pair of columns, as sharings of twice the degree: they add up, and open only after
 * `lowered`. Nothing is sent.
 */
export function innerProducts(pairs: readonly Pair[]): Words {
  return new BigUint64Array(pairs.map(([a, b]) => sum(combine('mul', a, b))))
}

/**
 * Sharings of at most twice the degree, such as `innerProducts`, as sharings of degree t − 1 again: the degree
 * reduction of Damgård and Nielsen 2007 without a king, so that it needs 2t − 1 parties, whichever they are.
 *
 * One round; every party sends one element for each value to every other party.
 *
 * @throws SluiceError PEER_LOST where fewer than 2t − 1 parties are left
 */
export function* lowered(party: ShamirParty, doubled: Words, supply: Supply): Protocol<Words> {
  const [lower, higher] = supply.take(doubled.length)
  const twice = { ...party, threshold: 2 * party.threshold - 1 }
  const opened = yield* open(twice, combine('add', doubled, higher!), everyoneOf(party))
  return combine('sub', opened!, lower!)
}

export function everyoneOf({ size }: Committee): number[] {
  return Array.from({ length: size }, (_, index) => index)
}

function checkMajority({ size, threshold }: Committee): void {
  if (size >= 2 * threshold - 1) return
  throw new SluiceError('JOB_INVALID', `Products of ${size} parties need a lower threshold`, {
    rule: 'shamir.products',
    remedy: 'Take a threshold t such that 2t − 1 parties take part, or have sums alone.',
  })
}

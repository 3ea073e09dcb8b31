import { randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import { blockCipher } from '@sluice/core/desensitize/cipher'
import { bytesOf, wordsOf } from '../prg/aes-ctr.js'
import { inputOf } from '../protocols/replicated/input.js'
import { establish, type Index } from '../protocols/replicated/party.js'
import { openAtLeast, totals } from '../protocols/replicated/totals.js'
import type { Words } from '../ring/kernels.js'
import { type Protocol, renamed } from '../session/protocol.js'
import { HashIndex, scattering } from './hash-index.js'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'
import { permuted, randomPermutation } from './permutation.js'

export interface HelperOptions {
  /** this participant's index */
  readonly self: number
  /** the helper's index, and the owners' in their order */
  readonly helper: number
  readonly owners: readonly number[]
  /** what an owner is called, by its index */
  readonly nameOf: (owner: number) => string
  /** the size of every owner's set, as padded, by index */
  readonly sizes: ReadonlyMap<number, number>
  /** the owner who learns the outcome, and what */
  readonly receiver: number
  readonly learns: 'which' | 'count' | 'sum'
  /** below this the receiver learns only that it is below */
  readonly minimum: number
  /** this owner's items, distinct, padded, bound to the session; the helper has none */
  readonly hashes?: ItemHashes
  /** of a total: whose values, and at the owner of them, one for each item, scaled */
  readonly sumOwner?: number
  readonly values?: Words
  readonly session: string
  readonly random?: (bytes: number) => Uint8Array
}

/** What the receiver learns; everybody else learns nothing. */
export interface HelperOutcome {
  /** the intersection is below the minimum, and nothing else is known of it */
  readonly withheld?: boolean
  /** 1 for each own item that all others have too */
  readonly matched?: Uint8Array
  readonly count?: number
  /** two's complement, scaled */
  readonly sum?: bigint
}

/**
 * Intersection of any number of sets with a helper (Kamara, Mohassel, Raykova and Sadeghian, "Scaling Private Set
 * Intersection to Billion-Element Sets", FC 2014, section 3): the owners share a fresh key that the helper does not
 * have, and send it their items' encryptions under it, each in an order of its own. The helper sees which are equal
 * and no item; it enforces the minimum.
 *
 * A total runs on among the helper, the values' owner and one other: the helper shares, by replicated secret sharing,
 * which of the encryptions are in the intersection, and their owner shares the values in the same order. Their inner
 * product is opened to the receiver, and the minimum is enforced under the protocol.
 *
 * Secure against one party that follows the protocol. The helper learns the padded sizes and how many items each
 * group of owners has in common, even where it must not tell. The helper together with an owner can test every item.
 *
 * Rounds: the key, the encryptions, the answer; 18 for a total. 16 bytes an item, and for a total 8 more
 * of each of the helper and the values' owner.
 *
 * @throws SluiceError PROTOCOL_VIOLATION where a set comes with an item twice, or more are said to be shared than there are
 */
export function* helperPsi(options: HelperOptions): Protocol<HelperOutcome> {
  return options.self === options.helper ? yield* helping(options) : yield* owning(options)
}

function* helping(options: HelperOptions): Protocol<HelperOutcome> {
  const { owners, nameOf, sizes, receiver, learns, minimum, sumOwner, random } = options
  yield { send: [], receive: [] }
  const tags = (yield {
    send: [],
    receive: owners.map(from => ({ from, bytes: sizes.get(from)! * ITEM_BYTES })),
  }).map(scattering(random))
  const subject = learns === 'sum' ? sumOwner! : receiver
  const own = tags[owners.indexOf(subject)]!
  const flags = new Uint8Array(own.length / ITEM_BYTES).fill(1)
  tags.forEach((set, i) => {
    const index = new HashIndex(set)
    refuseRepeated(index.places(set), nameOf(owners[i]!))
    if (set === own) return
    const places = index.places(own)
    for (let item = 0; item < flags.length; item++) if (places[item]! < 0) flags[item] = 0
  })
  if (learns === 'sum') return yield* total(options, asWords(flags))
  let count = 0
  for (let item = 0; item < flags.length; item++) count += flags[item]!
  const answer = new Uint8Array(answerBytes(learns, flags.length))
  if (count >= minimum) {
    answer[0] = 1
    if (learns === 'which') {
      for (let i = 0; i < flags.length; i++) setBit(answer, i, flags[i]!)
    } else new DataView(answer.buffer).setUint32(1, count, true)
  }
  yield { send: [{ to: receiver, bytes: answer }], receive: [] }
  return {}
}

function* owning(options: HelperOptions): Protocol<HelperOutcome> {
  const { self, helper, receiver, learns, sumOwner, random = randomBytes } = options
  const hashes = options.hashes!
  const count = hashes.length / ITEM_BYTES
  const key = yield* agreedKey(options)
  const order = randomPermutation(count, random)
  const encrypted = count === 0 ? hashes : new Uint8Array(blockCipher('aes', key).encrypt(hashes))
  yield { send: [{ to: helper, bytes: permuted(encrypted, order, ITEM_BYTES) }], receive: [] }
  if (learns === 'sum') {
    const { values } = options
    return yield* total(options, self === sumOwner ? inOrder(values!, order) : undefined)
  }
  if (self !== receiver) {
    yield { send: [], receive: [] }
    return {}
  }
  const [answer] = yield { send: [], receive: [{ from: helper, bytes: answerBytes(learns, count) }] }
  if (answer![0] !== 1) return { withheld: true }
  if (learns === 'count') {
    const shared = new DataView(answer!.buffer, answer!.byteOffset).getUint32(1, true)
    if (shared > Math.min(...options.sizes.values())) throw tooMany()
    return { count: shared }
  }
  const matched = new Uint8Array(count)
  let found = 0
  for (let i = 0; i < count; i++) {
    const flag = bitOf(answer!, i)
    matched[order[i]!] = flag
    found += flag
  }
  return { matched, count: found }
}

/** The first owner draws it and gives it to the others, past the helper. */
function* agreedKey({ self, owners, random = randomBytes }: HelperOptions): Protocol<Uint8Array> {
  const [first, ...others] = owners
  if (self !== first) {
    const [key] = yield { send: [], receive: [{ from: first!, bytes: KEY_BYTES }] }
    return key!
  }
  const key = new Uint8Array(random(KEY_BYTES))
  yield { send: others.map(to => ({ to, bytes: key.slice() })), receive: [] }
  return key
}

const KEY_BYTES = 32

/**
 * Runs among three: the helper, the owner of the values, and the receiver, or another where the receiver owns them.
 *
 * @param column flags at the helper, values at their owner, nothing at the third
 */
function* total(options: HelperOptions, column: Words | undefined): Protocol<HelperOutcome> {
  const { self, helper, owners, sumOwner, receiver } = options
  const third = receiver === sumOwner ? owners.find(owner => owner !== sumOwner)! : receiver
  const three = [helper, sumOwner!, third].sort((a, b) => a - b)
  if (!three.includes(self)) return {}
  return yield* renamed(amongThree(options, three, column), three)
}

function* amongThree(
  { self, helper, sizes, sumOwner, receiver, minimum, session, random = randomBytes }: HelperOptions,
  three: readonly number[],
  column: Words | undefined,
): Protocol<HelperOutcome> {
  const indexOf = (participant: number) => three.indexOf(participant) as Index
  const party = yield* establish(indexOf(self), session, random)
  const length = sizes.get(sumOwner!)!
  const flags = yield* inputOf(party, indexOf(helper), self === helper ? column! : length)
  const values = yield* inputOf(party, indexOf(sumOwner!), self === sumOwner ? column! : length)
  const cells = yield* totals(party, [[flags]], [{ values }])
  const opened = yield* openAtLeast(party, cells, BigInt(minimum), [indexOf(receiver)])
  if (opened === undefined) return {}
  if (opened.passed[0]![0] !== 1n) return { withheld: true }
  return { count: Number(opened.counts[0]![0]!), sum: opened.sums[0]![0]! }
}

function inOrder(values: Words, order: Uint32Array): Words {
  // items that only pad have no value
  const padded = new BigUint64Array(order.length)
  padded.set(values)
  return wordsOf(permuted(bytesOf(padded), order, 8))
}

/** Flags as words: 1 or 0 each. */
function asWords(flags: Uint8Array): Words {
  const words = new BigUint64Array(flags.length)
  const halves = new Uint32Array(words.buffer)
  for (let i = 0; i < flags.length; i++) halves[2 * i] = flags[i]!
  return words
}

/**
 * An item twice would count twice in a total.
 *
 * @param firsts by item, the place of the first that is equal
 */
function refuseRepeated(firsts: Int32Array, owner: string): void {
  for (let item = 0; item < firsts.length; item++) {
    if (firsts[item] === item) continue
    throw new SluiceError('PROTOCOL_VIOLATION', `the set of "${owner}" came with one item twice`, {
      rule: 'psi.distinct',
      remedy: 'Ask that party which version runs there, then start the job again at every party.',
      facts: { party: owner },
    })
  }
}

function tooMany(): SluiceError {
  return new SluiceError('PROTOCOL_VIOLATION', 'more items are said to be shared than there are', {
    rule: 'psi.helper',
    remedy: 'Ask the helper which version runs there, then start the job again at every party.',
  })
}

function answerBytes(learns: 'which' | 'count' | 'sum', count: number): number {
  return learns === 'which' ? 1 + Math.ceil(count / 8) : 5
}

function setBit(answer: Uint8Array, bit: number, flag: number): void {
  answer[1 + (bit >> 3)]! |= flag << (bit & 7)
}

function bitOf(answer: Uint8Array, bit: number): number {
  return (answer[1 + (bit >> 3)]! >> (bit & 7)) & 1
}

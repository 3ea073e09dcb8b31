import { randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import { blockCipher } from '@sluice/core/desensitize/cipher'
import { bytesOf, wordsOf } from '../prg/aes-ctr.js'
import { inputOf } from '../protocols/replicated/input.js'
import { establish, type Index, type Party } from '../protocols/replicated/party.js'
import type { Arithmetic } from '../protocols/replicated/shares.js'
import { type Cells, openAtLeast, totals } from '../protocols/replicated/totals.js'
import type { Words } from '../ring/kernels.js'
import { type Protocol, renamed } from '../session/protocol.js'
import { HashIndex, scattering } from './hash-index.js'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'
import { permuted, randomPermutation } from './permutation.js'

/** Who does what, and what is learned. */
export interface HelperRoles {
  /** this participant's index */
  readonly self: number
  /** the helper's index, and the owners' in their order */
  readonly helper: number
  readonly owners: readonly number[]
  /** what an owner is called, by its index */
  readonly nameOf: (owner: number) => string
  /** the owner who learns the outcome, and what */
  readonly receiver: number
  readonly learns: 'which' | 'count' | 'sum'
  /** below this the receiver learns only that it is below */
  readonly minimum: number
  /** of a total: whose values */
  readonly sumOwner?: number
}

export interface HelperOptions extends HelperRoles {
  /** the size of every owner's set, as padded, by index */
  readonly sizes: ReadonlyMap<number, number>
  /** this owner's items, distinct, padded, bound to the session; the helper has none */
  readonly hashes?: ItemHashes
  /** of a total, at the owner of the values, one for each item, scaled */
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
  yield { send: [], receive: [] }
  const flags = yield* compareTags(options, options.sizes, options.random)
  if (options.learns === 'sum') return yield* total(options, asWords(flags))
  yield* tellReceiver(options, [flags])
  return {}
}

function* owning(options: HelperOptions): Protocol<HelperOutcome> {
  const { self, receiver, learns, sumOwner, random = randomBytes } = options
  const hashes = options.hashes!
  const count = hashes.length / ITEM_BYTES
  const key = yield* agreedKey(options)
  const order = randomPermutation(count, random)
  yield* giveTags(options, permuted(tagsOf(hashes, key), order, ITEM_BYTES))
  if (learns === 'sum') {
    const { values } = options
    return yield* total(options, self === sumOwner ? inOrder(values!, order) : undefined)
  }
  if (self !== receiver) {
    yield { send: [], receive: [] }
    return {}
  }
  const { flags, ...heard } = yield* hearHelper(options, count, Math.min(...options.sizes.values()))
  return { ...heard, ...(flags !== undefined && { matched: placed(flags, order) }) }
}

/** Items as the helper sees them. @param key which the owners alone have */
export function tagsOf(hashes: ItemHashes, key: Uint8Array): ItemHashes {
  return hashes.length === 0 ? hashes : new Uint8Array(blockCipher('aes', key).encrypt(hashes))
}

/** An owner's part: the items' encryptions, in an order that says nothing. */
export function* giveTags({ helper }: HelperRoles, tags: ItemHashes): Protocol<void> {
  yield { send: [{ to: helper, bytes: tags }], receive: [] }
}

/** Where there are several parts: the helper tells the owners that it comes to the next, having finished those before. */
export function* comeToNext({ self, helper, owners }: HelperRoles): Protocol<void> {
  if (self === helper) {
    yield { send: owners.map(to => ({ to, bytes: new Uint8Array(1) })), receive: [] }
  } else yield { send: [], receive: [{ from: helper, bytes: 1 }] }
}

/** Everybody waits until everybody is here. */
export function* together({ self, helper, owners }: HelperRoles): Protocol<void> {
  const peers = [helper, ...owners].filter(index => index !== self)
  yield {
    send: peers.map(to => ({ to, bytes: new Uint8Array(1) })),
    receive: peers.map(from => ({ from, bytes: 1 })),
  }
}

/**
 * The helper's part: which of the receiver's items, or of the values' owner's, are in all sets, a byte each, in the order in
 * which they came.
 *
 * @param sizes by owner, how many come
 * @throws SluiceError PROTOCOL_VIOLATION where a set comes with an item twice
 */
export function* compareTags(
  { owners, nameOf, receiver, learns, sumOwner }: HelperRoles,
  sizes: ReadonlyMap<number, number>,
  random?: (bytes: number) => Uint8Array,
): Protocol<Uint8Array> {
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
  return flags
}

/** The helper's answer where no total is asked for. @param parts flags of all of the receiver's items */
export function* tellReceiver(
  { receiver, learns, minimum }: HelperRoles,
  parts: readonly Uint8Array[],
): Protocol<void> {
  const count = parts.reduce((sum, flags) => sum + countOf(flags), 0)
  const answer = new Uint8Array(
    answerBytes(
      learns,
      parts.reduce((sum, { length }) => sum + length, 0),
    ),
  )
  if (count >= minimum) {
    answer[0] = 1
    let bit = 0
    if (learns !== 'which') new DataView(answer.buffer).setUint32(1, count, true)
    else for (const flags of parts) for (const flag of flags) setBit(answer, bit++, flag)
  }
  yield { send: [{ to: receiver, bytes: answer }], receive: [] }
}

/** What a receiver hears of so many items, of which at most `most` are shared; flags in the order of its tags. */
export function* hearHelper(
  { helper, learns }: HelperRoles,
  items: number,
  most: number,
): Protocol<Omit<HelperOutcome, 'matched'> & { readonly flags?: Uint8Array }> {
  const [answer] = yield { send: [], receive: [{ from: helper, bytes: answerBytes(learns, items) }] }
  if (answer![0] !== 1) return { withheld: true }
  if (learns === 'count') {
    const shared = new DataView(answer!.buffer, answer!.byteOffset).getUint32(1, true)
    if (shared > most) throw tooMany()
    return { count: shared }
  }
  const flags = Uint8Array.from({ length: items }, (_, i) => bitOf(answer!, i))
  return { flags, count: countOf(flags) }
}

/** Flags of tags, as those of the items that were put in this order. */
export function placed(flags: Uint8Array, order: Uint32Array): Uint8Array {
  const matched = new Uint8Array(flags.length)
  for (let i = 0; i < flags.length; i++) matched[order[i]!] = flags[i]!
  return matched
}

/** The first owner draws it and gives it to the others, past the helper. */
function agreedKey({ self, owners, random = randomBytes }: HelperOptions): Protocol<Uint8Array> {
  const isFirst = self === owners[0]
  return fromFirst({ owners }, isFirst ? new Uint8Array(random(TAG_KEY_BYTES)) : TAG_KEY_BYTES)
}

/** What the first owner gives to all others; those say how many bytes it has. */
export function* fromFirst(
  { owners }: Pick<HelperRoles, 'owners'>,
  given: Uint8Array<ArrayBuffer> | number,
): Protocol<Uint8Array> {
  const [first, ...others] = owners
  if (typeof given === 'number') {
    const [received] = yield { send: [], receive: [{ from: first!, bytes: given }] }
    return received!
  }
  yield { send: others.map(to => ({ to, bytes: given.slice() })), receive: [] }
  return given
}

export const TAG_KEY_BYTES = 32

/** @param column flags at the helper, values at their owner, nothing at the third */
function* total(options: HelperOptions, column: Words | undefined): Protocol<HelperOutcome> {
  const party = yield* amongThree(options, options.session, options.random)
  if (party === undefined) return {}
  const cells = yield* shareMatched(options, party, column ?? options.sizes.get(options.sumOwner!)!)
  return yield* openShared(options, party, cells)
}

/**
 * A total runs among three: the helper, the owner of the values, and the receiver, or another where the receiver owns them.
 *
 * @returns undefined at an owner beyond these
 */
export function* amongThree(
  roles: HelperRoles,
  session: string,
  random: (bytes: number) => Uint8Array = randomBytes,
): Protocol<Party | undefined> {
  const three = threeOf(roles)
  if (!three.includes(roles.self)) return undefined
  return yield* renamed(establish(three.indexOf(roles.self) as Index, session, random), three)
}

/**
 * Shares of how many items of the values' owner are in all sets, and of their values' total.
 *
 * @param column flags at the helper, values at their owner in the order of its tags; their number at the third
 */
export function* shareMatched(roles: HelperRoles, party: Party, column: Words | number): Protocol<Cells> {
  const { self, helper, sumOwner } = roles
  const three = threeOf(roles)
  const length = typeof column === 'number' ? column : column.length
  const of = (owner: number): Protocol<Arithmetic> =>
    inputOf(party, three.indexOf(owner) as Index, self === owner ? column : length)
  const sharing = function* (): Protocol<Cells> {
    const flags = yield* of(helper)
    const values = yield* of(sumOwner!)
    return yield* totals(party, [[flags]], [{ values }])
  }
  return yield* renamed(sharing(), three)
}

/** Opens them to the receiver, unless there are fewer items than the minimum: the protocol judges that. */
export function* openShared(roles: HelperRoles, party: Party, cells: Cells): Protocol<HelperOutcome> {
  const { receiver, minimum } = roles
  const three = threeOf(roles)
  const opened = yield* renamed(
    openAtLeast(party, cells, BigInt(minimum), [three.indexOf(receiver) as Index]),
    three,
  )
  if (opened === undefined) return {}
  if (opened.passed[0]![0] !== 1n) return { withheld: true }
  return { count: Number(opened.counts[0]![0]!), sum: opened.sums[0]![0]! }
}

/** Indices of the three, ascending. */
function threeOf({ helper, owners, sumOwner, receiver }: HelperRoles): readonly number[] {
  const third = receiver === sumOwner ? owners.find(owner => owner !== sumOwner)! : receiver
  return [helper, sumOwner!, third].sort((a, b) => a - b)
}

/** Values in the order of the tags. */
export function inOrder(values: Words, order: Uint32Array): Words {
  // items that only pad have no value
  const padded = new BigUint64Array(order.length)
  padded.set(values)
  return wordsOf(permuted(bytesOf(padded), order, 8))
}

/** Flags as words: 1 or 0 each. */
export function asWords(flags: Uint8Array): Words {
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

function countOf(flags: Uint8Array): number {
  let count = 0
  for (const flag of flags) count += flag
  return count
}

function setBit(answer: Uint8Array, bit: number, flag: number): void {
  answer[1 + (bit >> 3)]! |= flag << (bit & 7)
}

function bitOf(answer: Uint8Array, bit: number): number {
  return (answer[1 + (bit >> 3)]! >> (bit & 7)) & 1
}

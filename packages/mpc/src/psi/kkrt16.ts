import { randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import { type BlockCipher, blockCipher } from '@sluice/core/desensitize/cipher'
import { AesCtrPrg, PRG_KEY_BYTES } from '../prg/aes-ctr.js'
import type { Protocol } from '../session/protocol.js'
import { arena } from './arena.js'
import { receiveBaseOts, sendBaseOts } from './base-ot.js'
import { BitColumns, bitsOf, everyOther, wholeWords } from './bit-columns.js'
import { domainKey } from './domain.js'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'
import { permuted, randomPermutation } from './permutation.js'
import type { PsiChannel, PsiProtocol, PsiReceiver, PsiSender } from './protocol.js'
import { STATISTICAL_BITS, statisticalBits, valueBytes } from './value-bytes.js'

/**
 * Private set intersection by a batched oblivious pseudorandom function (Kolesnikov, Kumaresan, Rosulek and Trieu,
 * "Efficient Batched Oblivious PRF with Applications to Private Set Intersection", CCS 2016, figures 2 and 4, without
 * a stash): the receiver puts its items into bins by cuckoo hashing and gets the function of one item a bin, over an
 * extension of 512 base transfers whose code is four AES encryptions; the sender sends the function of each of its
 * items in each of the item's three bins, in a random order.
 *
 * Secure against either side alone, which follows the protocol and remembers everything (random oracle: BLAKE3 keyed
 * by session and run). The receiver learns which of its items the sender has; both learn how many items there are.
 *
 * Set-up: one round. A run: the receiver sends 64 bytes a bin, the sender three values an item (`valueBytes`), in
 * messages of some megabytes.
 */
export const kkrt16: PsiProtocol = {
  name: 'kkrt16',

  *receiver(channel: PsiChannel): Protocol<PsiReceiver> {
    const pairs = yield* sendBaseOts(channel, COLUMNS)
    const columns = [0, 1].map(choice => new BitColumns(everyOther(pairs, choice)))
    let runs = 0
    return (hashes, peerCount) => receive(channel, columns, runs++, hashes, peerCount)
  },

  *sender(channel: PsiChannel): Protocol<PsiSender> {
    const { random = randomBytes } = channel
    const mask = new Uint8Array(random(ROW_BYTES))
    const columns = new BitColumns(yield* receiveBaseOts(channel, bitsOf(mask)))
    let runs = 0
    return (hashes, peerCount) => send(channel, columns, mask, runs++, hashes, peerCount)
  },
}

/** The columns of the pseudorandom code: 512 leave codewords 128 apart in nearly every pair (section 3.3, table 1). */
const COLUMNS = 512
const ROW_BYTES = COLUMNS / 8
const CODES = ROW_BYTES / ITEM_BYTES

/** Bins a message; a multiple of 64. */
const BINS_AT_ONCE = 1 << 15
const ITEMS_AT_ONCE = 1 << 14

/**
 * How many bins n items of the receiver get: e · n with e = (bits + log2 n + 256) / 240, by which three functions
 * without a stash find no place with probability below 2^-`bits` (a line through experiments, as implementations of
 * Pinkas, Schneider and Zohner, "Scalable Private Set Intersection Based on OT Extension", TOPS 2018, have it; the tests
 * count failures). Few items get the bins of 1024: below, four items that share three bins are likelier than that.
 */
export function cuckooBins(count: number, bits = STATISTICAL_BITS): number {
  const counted = Math.max(count, FEWEST)
  return wholeWords(Math.ceil((counted * (bits + Math.log2(counted) + 256)) / 240))
}

const FEWEST = 1024
const LIMIT = 10_000

function* receive(
  { session, peer, runs, random = randomBytes }: PsiChannel,
  columns: readonly BitColumns[],
  run: number,
  hashes: ItemHashes,
  peerCount: number,
): Protocol<Uint8Array> {
  const count = hashes.length / ITEM_BYTES
  if (count === 0 || peerCount === 0) return new Uint8Array(count)
  const bits = statisticalBits(runs)
  const bins = cuckooBins(count, bits)
  const chunk = Math.min(bins, BINS_AT_ONCE)
  const width = valueBytes(3 * count, peerCount, bits)
  const slots = 2 ** Math.ceil(Math.log2(count * 2))
  const memory = arena({
    ...{ key: 32, items: hashes.length, hashed: hashes.length, places: hashes.length, table: bins * 4 },
    ...{ columns: chunk * ROW_BYTES, zeros: chunk * ROW_BYTES, ones: chunk * ROW_BYTES },
    ...{ contents: chunk * ITEM_BYTES, code: chunk * ITEM_BYTES, counters: chunk * 4 },
    ...{ values: hashes.length, index: slots * 8, matched: count },
    theirs: Math.min(peerCount, ITEMS_AT_ONCE) * 3 * width,
  })
  const { kernels, at, bytes } = memory
  bytes.items.set(hashes)
  bytes.key.set(domainKey(session, 'kkrt16 bins', run))
  kernels.blake3Keyed(at.key, at.items, ITEM_BYTES, 0, at.hashed, ITEM_BYTES, count)
  kernels.threeBins(at.hashed, count, bins, at.places)
  if (kernels.cuckooInsert(at.places, count, at.table, bins, LIMIT) < count) throw noPlace()

  const codes = codeOf(session, run)
  const dummies = new AesCtrPrg(new Uint8Array(random(PRG_KEY_BYTES)))
  bytes.key.set(domainKey(session, 'kkrt16 values', run))
  for (let from = 0; from < bins; from += chunk) {
    const rows = Math.min(chunk, bins - from)
    columns[0]!.draw(memory, at.zeros, rows)
    columns[1]!.draw(memory, at.ones, rows)
    kernels.xorInto(at.ones, at.zeros, rows * ROW_BYTES)
    dummies.fill(bytes.contents.subarray(0, rows * ITEM_BYTES))
    kernels.fillBins(at.table, from, rows, at.items, at.contents, at.counters)
    codes.forEach((cipher, part) => {
      bytes.code.set(cipher.encrypt(bytes.contents.subarray(0, rows * ITEM_BYTES)))
      kernels.xorIntoStrided(at.ones + part * ITEM_BYTES, ROW_BYTES, at.code, rows)
    })
    kernels.blake3Keyed(at.key, at.zeros, ROW_BYTES, at.counters, at.contents, ITEM_BYTES, rows)
    kernels.binsToItems(at.table, from, rows, at.contents, at.values)
    yield { send: [{ to: peer, bytes: bytes.ones.slice(0, rows * ROW_BYTES) }], receive: [] }
  }

  kernels.buildTable(at.values, count, at.index, slots - 1)
  for (let start = 0; start < peerCount; start += ITEMS_AT_ONCE) {
    const there = 3 * Math.min(ITEMS_AT_ONCE, peerCount - start)
    const [theirs] = yield { send: [], receive: [{ from: peer, bytes: there * width }] }
    bytes.theirs.set(theirs!)
    kernels.markMatches(at.values, at.index, slots - 1, at.theirs, width, there, at.matched)
  }
  return bytes.matched.slice()
}

function* send(
  { session, peer, runs, random = randomBytes }: PsiChannel,
  columns: BitColumns,
  mask: Uint8Array,
  run: number,
  hashes: ItemHashes,
  peerCount: number,
): Protocol<void> {
  const count = hashes.length / ITEM_BYTES
  if (count === 0 || peerCount === 0) return
  const bits = statisticalBits(runs)
  const bins = cuckooBins(peerCount, bits)
  const chunk = Math.min(bins, BINS_AT_ONCE)
  const width = valueBytes(3 * count, peerCount, bits)
  const most = Math.min(count, ITEMS_AT_ONCE)
  const memory = arena({
    ...{ key: 32, mask: ROW_BYTES, rows: bins * ROW_BYTES },
    ...{ columns: chunk * ROW_BYTES, received: chunk * ROW_BYTES },
    ...{ items: most * ITEM_BYTES, hashed: most * ITEM_BYTES, places: most * ITEM_BYTES },
    ...{ codes: most * ROW_BYTES, inputs: most * ROW_BYTES, counters: most * 4 },
    values: 3 * most * width,
  })
  const { kernels, at, bytes } = memory
  bytes.mask.set(mask)
  for (let from = 0; from < bins; from += chunk) {
    const rows = Math.min(chunk, bins - from)
    const target = at.rows + from * ROW_BYTES
    columns.draw(memory, target, rows)
    const [received] = yield { send: [], receive: [{ from: peer, bytes: rows * ROW_BYTES }] }
    bytes.received.set(received!)
    kernels.xorMasked(target, at.received, at.mask, ROW_BYTES, rows)
  }

  const codes = codeOf(session, run)
  const keys = ['kkrt16 bins', 'kkrt16 values'].map(purpose => domainKey(session, purpose, run))
  const shuffled = permuted(hashes, randomPermutation(count, random), ITEM_BYTES)
  for (let start = 0; start < count; start += most) {
    const here = Math.min(most, count - start)
    const items = shuffled.subarray(start * ITEM_BYTES, (start + here) * ITEM_BYTES)
    bytes.items.set(items)
    bytes.key.set(keys[0]!)
    kernels.blake3Keyed(at.key, at.items, ITEM_BYTES, 0, at.hashed, ITEM_BYTES, here)
    kernels.threeBins(at.hashed, here, bins, at.places)
    bytes.codes.fill(0)
    codes.forEach((cipher, part) => {
      bytes.hashed.set(cipher.encrypt(items))
      kernels.xorIntoStrided(at.codes + part * ITEM_BYTES, ROW_BYTES, at.hashed, here)
    })
    bytes.key.set(keys[1]!)
    for (let which = 0; which < 3; which++) {
      kernels.kkrtInputs(at.rows, at.places, which, at.codes, at.mask, at.inputs, at.counters, here)
      kernels.blake3Keyed(at.key, at.inputs, ROW_BYTES, at.counters, at.hashed, ITEM_BYTES, here)
      kernels.compact(at.hashed, width, at.values + which * here * width, here)
    }
    yield { send: [{ to: peer, bytes: bytes.values.slice(0, 3 * here * width) }], receive: [] }
  }
}

/** The pseudorandom code (section 3.2): codeword of x is AES(k1, x), …, AES(k4, x). */
function codeOf(session: string, run: number): BlockCipher[] {
  return Array.from({ length: CODES }, (_, part) => {
    const key = domainKey(session, `kkrt16 code ${part}`, run)
    return blockCipher('aes', key.subarray(0, PRG_KEY_BYTES))
  })
}

function noPlace(): SluiceError {
  return new SluiceError('INTERNAL', 'the items of this side did not fit into their bins', {
    rule: 'psi.bins',
    remedy: 'Start the job again on both sides: with distinct items this happens once in 2^40 runs.',
  })
}

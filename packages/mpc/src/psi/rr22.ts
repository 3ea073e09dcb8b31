import { randomBytes } from 'node:crypto'
import { AesCtrPrg, PRG_KEY_BYTES } from '../prg/aes-ctr.js'
import type { Protocol } from '../session/protocol.js'
import { arena } from './arena.js'
import { domainHash, domainKey } from './domain.js'
import { correlatedReceiver, correlatedSender } from './iknp.js'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'
import { OKVS_COLUMN_BYTES, OKVS_ROW_BYTES, okvsEncode, okvsEncodingSizes, okvsSizes } from './okvs.js'
import { allColumns, okvsParameters } from './okvs-parameters.js'
import { permuted, randomPermutation } from './permutation.js'
import type { PsiChannel, PsiProtocol, PsiReceiver, PsiSender } from './protocol.js'
import { statisticalBits, valueBytes } from './value-bytes.js'
import { receiverStock, senderStock } from './vole-stock.js'

/**
 * Private set intersection from an oblivious key-value store and a vector oblivious linear evaluation (Raghuraman and
 * Rindal, "Blazing Fast PSI from Improved OKVS and Subfield VOLE", CCS 2022, section 4, over GF(2^128), semi-honest):
 * the receiver encodes its items' hashes into a store P and sends it under a; both can then compute one pseudorandom
 * function, the receiver at its own items alone. The sender sends the function of its items, in a random order.
 *
 * Secure against either side alone, which follows the protocol and remembers everything; under what `voleSender` and
 * `correlatedSender` assume, and with keyed BLAKE3 as a random oracle. The receiver learns which of its items the
 * sender has; both learn how many items there are.
 *
 * Set-up: one round. A run: the receiver sends 16 bytes a column (about 1.3 an item) and a few hundred kilobytes for the
 * linear evaluation (which small runs of one session share), the sender a value an item (`valueBytes`), in messages
 * of some megabytes.
 */
export const rr22: PsiProtocol = {
  name: 'rr22',

  *receiver(channel: PsiChannel): Protocol<PsiReceiver> {
    const correlated = yield* correlatedReceiver(channel)
    const evaluate = receiverStock(channel, correlated)
    let runs = 0
    return (hashes, peerCount) => receive(channel, evaluate, runs++, hashes, peerCount)
  },

  *sender(channel: PsiChannel): Protocol<PsiSender> {
    const correlated = yield* correlatedSender(channel)
    const evaluate = senderStock(channel, correlated)
    let runs = 0
    return (hashes, peerCount) => {
      return send(channel, { delta: correlated.delta, evaluate }, runs++, hashes, peerCount)
    }
  },
}

const SEED_BYTES = 32
const MESSAGE_BYTES = 1 << 21
const ITEMS_AT_ONCE = 1 << 14

function* receive(
  channel: PsiChannel,
  evaluate: ReturnType<typeof receiverStock>,
  run: number,
  hashes: ItemHashes,
  peerCount: number,
): Protocol<Uint8Array> {
  const { session, peer, random = randomBytes } = channel
  const count = hashes.length / ITEM_BYTES
  if (count === 0 || peerCount === 0) return new Uint8Array(count)
  const bits = statisticalBits(channel.runs)
  const parameters = okvsParameters(count, bits)
  const width = valueBytes(count, peerCount, bits)
  const slots = 2 ** Math.ceil(Math.log2(count * 2))
  const evaluation = yield* evaluate(allColumns(parameters))
  const seed = new Uint8Array(random(SEED_BYTES))
  yield { send: [{ to: peer, bytes: seed }], receive: [] }

  // the other side works on the evaluation meanwhile
  const memory = arena({
    ...okvsEncodingSizes(parameters, count),
    ...{ key: 32, items: hashes.length, values: hashes.length },
    ...{ index: slots * 8, matched: count, theirs: Math.min(peerCount, ITEMS_AT_ONCE) * width },
  })
  const { kernels, at, bytes } = memory
  bytes.items.set(hashes)
  bytes.key.set(rowKey(session, run, seed))
  kernels.blake3Keyed(at.key, at.items, ITEM_BYTES, 0, at.rows, OKVS_ROW_BYTES, count)
  new AesCtrPrg(new Uint8Array(random(PRG_KEY_BYTES))).fill(bytes.okvs)
  okvsEncode(memory, parameters, count)

  const { a, c } = yield* evaluation()
  xor(a, bytes.okvs)
  for (let start = 0; start < a.length; start += MESSAGE_BYTES) {
    yield { send: [{ to: peer, bytes: a.slice(start, start + MESSAGE_BYTES) }], receive: [] }
  }
  bytes.okvs.set(c)
  kernels.okvsTables(at.okvs, parameters.parts, parameters.sparse, at.tables)
  kernels.okvsDecode(at.grouped, count, at.okvs, at.tables, at.items)
  bytes.key.set(domainKey(session, 'rr22 values', run))
  kernels.blake3Keyed(at.key, at.items, ITEM_BYTES, 0, at.values, ITEM_BYTES, count)

  kernels.buildTable(at.values, count, at.index, slots - 1)
  for (let start = 0; start < peerCount; start += ITEMS_AT_ONCE) {
    const there = Math.min(ITEMS_AT_ONCE, peerCount - start)
    const [theirs] = yield { send: [], receive: [{ from: peer, bytes: there * width }] }
    bytes.theirs.set(theirs!)
    kernels.markMatches(at.values, at.index, slots - 1, at.theirs, width, there, at.matched)
  }
  // the store has the items by parts
  const order = new Uint32Array(bytes.order.buffer, at.order, count)
  const matched = new Uint8Array(count)
  for (let place = 0; place < count; place++) matched[order[place]!] = bytes.matched[place]!
  return matched
}

function* send(
  channel: PsiChannel,
  { delta, evaluate }: { readonly delta: Uint8Array; readonly evaluate: ReturnType<typeof senderStock> },
  run: number,
  hashes: ItemHashes,
  peerCount: number,
): Protocol<void> {
  const { session, peer, random = randomBytes } = channel
  const count = hashes.length / ITEM_BYTES
  if (count === 0 || peerCount === 0) return
  const bits = statisticalBits(channel.runs)
  const parameters = okvsParameters(peerCount, bits)
  const width = valueBytes(count, peerCount, bits)
  const most = Math.min(count, ITEMS_AT_ONCE)
  const b = yield* evaluate(allColumns(parameters))

  const memory = arena({
    ...okvsSizes(parameters),
    ...{ key: 32, delta: OKVS_COLUMN_BYTES, products: 1 << 16, received: Math.min(MESSAGE_BYTES, b.length) },
    ...{ items: most * ITEM_BYTES, rows: count * OKVS_ROW_BYTES, hashed: most * ITEM_BYTES },
    ...{ decoded: most * ITEM_BYTES, values: most * width },
  })
  const { kernels, at, bytes } = memory
  bytes.delta.set(delta)
  kernels.gfTable(at.delta, at.products)
  bytes.okvs.set(b)
  const [seed] = yield { send: [], receive: [{ from: peer, bytes: SEED_BYTES }] }
  const chunks = Array.from({ length: Math.ceil(count / most) }, (_, chunk) => {
    const start = chunk * most
    return { start, here: Math.min(most, count - start), rows: at.rows + start * OKVS_ROW_BYTES }
  })

  // the other side works on its store meanwhile
  const shuffled = permuted(hashes, randomPermutation(count, random), ITEM_BYTES)
  bytes.key.set(rowKey(session, run, seed!))
  for (const { start, here, rows } of chunks) {
    bytes.items.set(shuffled.subarray(start * ITEM_BYTES, (start + here) * ITEM_BYTES))
    kernels.blake3Keyed(at.key, at.items, ITEM_BYTES, 0, rows, OKVS_ROW_BYTES, here)
    kernels.okvsRows(rows, here, parameters.parts, parameters.sparse)
  }
  for (let start = 0; start < b.length; start += MESSAGE_BYTES) {
    const size = Math.min(MESSAGE_BYTES, b.length - start)
    const [received] = yield { send: [], receive: [{ from: peer, bytes: size }] }
    bytes.received.set(received!)
    kernels.gfMultiplyInto(at.received, at.products, at.okvs + start, size / OKVS_COLUMN_BYTES)
  }
  kernels.okvsTables(at.okvs, parameters.parts, parameters.sparse, at.tables)

  bytes.key.set(domainKey(session, 'rr22 values', run))
  for (const { here, rows } of chunks) {
    kernels.okvsDecode(rows, here, at.okvs, at.tables, at.decoded)
    kernels.okvsValues(rows, here, at.hashed)
    kernels.gfMultiplyInto(at.hashed, at.products, at.decoded, here)
    kernels.blake3Keyed(at.key, at.decoded, ITEM_BYTES, 0, at.hashed, ITEM_BYTES, here)
    kernels.compact(at.hashed, width, at.values, here)
    yield { send: [{ to: peer, bytes: bytes.values.slice(0, here * width) }], receive: [] }
  }
}

/** Key of the hash that gives an item's row and value; the receiver's fresh seed makes it one that nobody knew before. */
function rowKey(session: string, run: number, seed: Uint8Array): Uint8Array {
  return new Uint8Array(domainHash(session, 'rr22 rows', run).update(seed).digest())
}

/** a ⊕= b, in words: both are as long and 8-byte aligned. */
function xor(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): void {
  const left = new Uint32Array(a.buffer, a.byteOffset, a.length / 4)
  const right = new Uint32Array(b.buffer, b.byteOffset, b.length / 4)
  for (let i = 0; i < left.length; i++) left[i]! ^= right[i]!
}

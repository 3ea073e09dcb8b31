import { SluiceError } from '@sluice/core'
import { Table, tableFromIPC, tableToIPC, type Vector, vectorFromArray } from 'apache-arrow'
import type { Protocol } from '../../session/protocol.js'
import { boundToSession, ITEM_BYTES } from '../item-hash.js'
import type { PsiItems } from './items.js'

/** The most that one party may hand to another. */
export const PAYLOAD_BYTES = 2 ** 30

/**
 * The shared items in an order that both sides know: that of their hashes under the session.
 *
 * @param matched by own item, 1 where it is shared
 */
export function sharedItems({ hashes }: PsiItems, matched: Uint8Array, session: string): Uint32Array {
  const bound = Buffer.from(boundToSession(hashes, session))
  const piece = (item: number) => bound.subarray(item * ITEM_BYTES, (item + 1) * ITEM_BYTES)
  const items = [...matched.keys()].filter(item => matched[item] === 1)
  return Uint32Array.from(items.sort((a, b) => Buffer.compare(piece(a), piece(b))))
}

/** Hands rows over: two messages, the length and an Arrow stream, whose first column is the item's place. */
export function* sendPayload(to: number, places: Uint32Array, columns: Table): Protocol<void> {
  const indexed = withPlaces(places, columns)
  const bytes = new Uint8Array(tableToIPC(indexed, 'stream'))
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true)
  yield {
    send: [
      { to, bytes: length },
      { to, bytes },
    ],
    receive: [],
  }
}

/**
 * @param shared how many items are shared
 * @param columns the job's names of what is to come
 * @throws SluiceError PROTOCOL_VIOLATION where other columns come, places that are none, or more than allowed
 */
export function* receivePayload(
  from: number,
  shared: number,
  columns: readonly string[],
): Protocol<{ readonly places: Uint32Array; readonly columns: Table }> {
  const [head] = yield { send: [], receive: [{ from, bytes: 8 }] }
  const length = new DataView(head!.buffer, head!.byteOffset).getBigUint64(0, true)
  if (length > BigInt(PAYLOAD_BYTES)) throw violated('it is larger than is allowed')
  const [bytes] = yield { send: [], receive: [{ from, bytes: Number(length) }] }
  const table = decoded(bytes!)
  const names = table.schema.fields.map(({ name }) => name)
  if (names.join('\0') !== [PLACE, ...columns].join('\0')) throw violated('it has other columns')
  const places = Uint32Array.from(table.getChildAt(0)!.toArray() as Uint32Array)
  if (places.some(place => place >= shared)) throw violated('it names items that are not shared')
  return { places, columns: table.select([...columns]) }
}

const PLACE = 'sluice.item'

function withPlaces(places: Uint32Array, columns: Table): Table {
  return new Table({ [PLACE]: vectorFromArray(places), ...vectorsOf(columns) })
}

function vectorsOf(table: Table): Record<string, Vector> {
  return Object.fromEntries(table.schema.fields.map((field, i) => [field.name, table.getChildAt(i)!]))
}

function decoded(bytes: Uint8Array): Table {
  try {
    return tableFromIPC(bytes)
  } catch {
    throw violated('it is no Arrow stream')
  }
}

function violated(reason: string): SluiceError {
  return new SluiceError('PROTOCOL_VIOLATION', `the columns that were handed over are refused: ${reason}`, {
    rule: 'psi.payload',
    remedy: 'Ask that party which version runs there, then start the job again on both sides.',
  })
}

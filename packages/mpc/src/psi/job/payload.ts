import { SluiceError } from '@sluice/core'
import { DataType, Table, Utf8, vectorFromArray } from 'apache-arrow'
import type { Protocol } from '../../session/protocol.js'
import { boundToSession, ITEM_BYTES } from '../item-hash.js'
import type { PsiItems } from './items.js'

/** The most that one party may hand to another. */
export const PAYLOAD_BYTES = 2 ** 28

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

/** Rows of one party for another: the place of each one's item, and its columns, all of text. */
export interface PsiPayload {
  readonly places: Uint32Array
  readonly columns: Table
}

/**
 * Hands rows over: two messages, the length and a JSON text. Arrow's own form is not for strangers: its reader trusts
 * the lengths that it finds.
 *
 * @throws SluiceError SCHEMA_INVALID where a column is no text, RESULT_TOO_LARGE
 */
export function* sendPayload(to: number, { places, columns }: PsiPayload): Protocol<void> {
  const bytes = encodePayload({ places, columns })
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, bytes.length, true)
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
): Protocol<PsiPayload> {
  const [head] = yield { send: [], receive: [{ from, bytes: 4 }] }
  const length = new DataView(head!.buffer, head!.byteOffset).getUint32(0, true)
  if (length > PAYLOAD_BYTES) throw violated('it is larger than is allowed')
  const [bytes] = yield { send: [], receive: [{ from, bytes: length }] }
  return decodePayload(bytes!, shared, columns)
}

export function encodePayload({ places, columns }: PsiPayload): Uint8Array<ArrayBuffer> {
  const texts = columns.schema.fields.map(({ type, name }, i) => {
    if (DataType.isUtf8(type)) return [...columns.getChildAt(i)!]
    throw new SluiceError('SCHEMA_INVALID', `the column "${name}" is handed over as text, and is none`, {
      rule: 'psi.payload',
      remedy: 'Give its values as text.',
    })
  })
  const bytes = new Uint8Array(Buffer.from(JSON.stringify({ places: [...places], columns: texts })))
  if (bytes.length <= PAYLOAD_BYTES) return bytes
  throw new SluiceError('RESULT_TOO_LARGE', 'the columns to hand over are too large', {
    rule: 'psi.payload',
    remedy: 'Agree on fewer columns, or on smaller sets.',
  })
}

/** What `encodePayload` made, taken apart with suspicion: whoever wrote the bytes may mean ill. */
export function decodePayload(bytes: Uint8Array, shared: number, names: readonly string[]): PsiPayload {
  const { places, columns } = parsed(bytes)
  if (!Array.isArray(places) || !Array.isArray(columns) || columns.length !== names.length)
    throw violated('it has other columns')
  const isPlace = (place: unknown) => Number.isInteger(place) && Number(place) >= 0 && Number(place) < shared
  if (!places.every(isPlace)) throw violated('it names items that are not shared')
  const isColumn = (column: unknown) =>
    Array.isArray(column) &&
    column.length === places.length &&
    column.every(text => text === null || typeof text === 'string')
  if (!columns.every(isColumn)) throw violated('it has other columns')
  const vectors = names.map((name, i) => [name, vectorFromArray(columns[i] as string[], new Utf8())] as const)
  return { places: Uint32Array.from(places as number[]), columns: new Table(Object.fromEntries(vectors)) }
}

function parsed(bytes: Uint8Array): { places?: unknown; columns?: unknown } {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // told below, like any other text
  }
  throw violated('it cannot be read')
}

function violated(reason: string): SluiceError {
  return new SluiceError('PROTOCOL_VIOLATION', `the columns that were handed over are refused: ${reason}`, {
    rule: 'psi.payload',
    remedy: 'Ask that party which version runs there, then start the job again on both sides.',
  })
}

import { createHash, createHmac, type Hmac } from 'node:crypto'
import { canonicalBytes, SluiceError } from '@sluice/core'
import type { Signer } from '@sluice/ledger/keys'
import type { Table } from 'apache-arrow'
import type { Chunk } from './clear.js'
import { codeBits } from './code.js'
import { type PreparedColumn, prepare } from './columns.js'
import { EntityOrder } from './entity-order.js'
import { type JointColumn, type JointInput, sharesEntity } from './job.js'

/** An owner's rows: a table, or a function that reads them anew, batch by batch, in the order of their entities. */
export type InputSource = Table | (() => AsyncIterable<Table> | Iterable<Table>)

/** What a job says of an input before its rows are known. */
export type InputForm = Omit<JointInput, 'rows' | 'fingerprint'>

/** What a pass over an input finds. */
export interface Examined {
  readonly rows: number
  readonly fingerprint: string
  /** SHA-256 over the entities in their order, 32 bytes */
  readonly entities: Uint8Array
}

/**
 * The secret under which an owner's fingerprints are made, so that nobody can guess a table and check: SHA-256 of the
 * owner's signature over a fixed statement. Ed25519 signatures are deterministic (RFC 8032, section 5.1.6), so there is
 * nothing to keep; showing the signature opens the fingerprint to an auditor.
 */
export async function fingerprintKey(signer: Signer): Promise<Uint8Array> {
  const statement = canonicalBytes({ purpose: 'sluice.joint.fingerprint/1', participant: signer.name })
  return createHash('sha256')
    .update(await signer.sign(statement))
    .digest()
}

/**
 * Reads an input from end to end: do its columns hold what the job says, does every row name another entity, in
 * ascending order by code points, where the entity is not one of the columns; and which table is it.
 *
 * The fingerprint is HMAC-SHA-256 under the owner's key over the form, the number of rows and an HMAC of each column.
 *
 * @throws SluiceError NAME_UNKNOWN, SCHEMA_INVALID, PARAMETER_INVALID; no value is shown
 */
export async function examine(
  source: InputSource,
  form: InputForm,
  key: Uint8Array,
  onRows: (rows: number) => void = () => undefined,
): Promise<Examined> {
  const order = sharesEntity(form) ? undefined : new EntityOrder(form)
  const columns = form.columns.map(() => [0, 1].map(() => createHmac('sha256', key)))
  let rows = 0
  for await (const batch of batchesOf(source)) {
    order?.add(child(batch, form.entity, form))
    form.columns.forEach((column, place) => {
      hashed(columns[place]!, prepare(child(batch, column.name, form), column))
    })
    rows += batch.numRows
    onRows(rows)
  }
  const { entity, columns: described, reference } = form
  // an entity that is shared is one of the columns
  const entities = order?.digest() ?? createHash('sha256').digest()
  const whole = {
    version: 'sluice.joint.fingerprint/1',
    entity,
    ...(reference === true && { reference }),
    columns: described,
    rows,
    entities: createHmac('sha256', key).update(entities).digest('hex'),
    digests: columns.flat().map(part => part.digest('hex')),
  }
  return {
    rows,
    fingerprint: createHmac('sha256', key).update(canonicalBytes(whole)).digest('hex'),
    entities,
  }
}

/** The rows so many at a time, and what is left; one empty chunk where there are none. */
export async function* chunksOf(
  source: InputSource,
  { columns, ...form }: InputForm,
  size: number,
): AsyncGenerator<Chunk, void, undefined> {
  let gathered: PreparedColumn[] = []
  let filled = 0
  let given = 0
  const chunk = (): Chunk => ({
    rows: filled,
    columns: new Map(columns.map((column, place) => [column, part(gathered[place]!, 0, filled)])),
  })
  for await (const batch of batchesOf(source)) {
    const prepared = columns.map(column => prepare(child(batch, column.name, form), column))
    for (let start = 0; start < batch.numRows; ) {
      // no room for rows that do not come
      if (filled === 0) gathered = columns.map(column => emptyColumn(column, size))
      const taken = Math.min(size - filled, batch.numRows - start)
      prepared.forEach((column, place) => {
        copy(gathered[place]!, filled, part(column, start, start + taken))
      })
      filled += taken
      start += taken
      if (filled < size) continue
      yield chunk()
      given += filled
      filled = 0
    }
  }
  if (given === 0 && filled === 0) gathered = columns.map(column => emptyColumn(column, 0))
  if (filled > 0 || given === 0) yield chunk()
}

/** Ascending by code points. */
export function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (left === right) continue
    // a surrogate stands for what lies beyond all other units
    return turned(left) - turned(right)
  }
  return a.length - b.length
}

function turned(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit
}

async function* batchesOf(source: InputSource): AsyncGenerator<Table, void, undefined> {
  if (typeof source === 'function') yield* source()
  else yield source
}

function child(batch: Table, name: string, { name: input }: Pick<InputForm, 'name'>) {
  const vector = batch.getChild(name)
  if (vector) return vector
  throw new SluiceError('NAME_UNKNOWN', `the table for "${input}" has no column "${name}"`, {
    rule: 'job.columns',
    remedy: 'Give the columns that the job names, by these names.',
  })
}

/** Values and presence each have their own, so that it does not matter how the rows come in batches. */
function hashed([values, present]: readonly Hmac[], column: PreparedColumn): void {
  if (column.kind === 'category') values!.update(bytes(column.codes))
  else {
    values!.update(bytes(column.values))
    present!.update(bytes(column.present))
  }
}

function bytes(array: BigUint64Array | Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

function emptyColumn({ type }: JointColumn, rows: number): PreparedColumn {
  if (type.kind === 'category') return { kind: 'category', codes: new Int32Array(rows) }
  const present = new BigUint64Array(rows)
  if (type.kind === 'number') return { kind: 'number', values: new BigUint64Array(rows), present }
  const width = codeBits(type).length
  return { kind: 'code', width, values: new BigUint64Array(rows * width), present }
}

function part(column: PreparedColumn, start: number, end: number): PreparedColumn {
  if (column.kind === 'category') return { kind: 'category', codes: column.codes.subarray(start, end) }
  const present = column.present.subarray(start, end)
  if (column.kind === 'number') return { kind: 'number', values: column.values.subarray(start, end), present }
  const { width, values } = column
  return { kind: 'code', width, values: values.subarray(start * width, end * width), present }
}

function copy(into: PreparedColumn, at: number, from: PreparedColumn): void {
  if (into.kind === 'category') {
    if (from.kind === 'category') into.codes.set(from.codes, at)
  } else if (from.kind !== 'category') {
    into.values.set(from.values, into.kind === 'code' ? at * into.width : at)
    into.present.set(from.present, at)
  }
}

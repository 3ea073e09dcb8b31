import { SluiceError } from '@sluice/core'
import type { Arena } from './arena.js'
import { solveCore } from './okvs-core.js'
import { type OkvsParameters, partColumns } from './okvs-parameters.js'

/** Bytes of a row: hash of a key, of which the first 16 are its value. */
export const OKVS_ROW_BYTES = 48
/** Bytes of the tables of a part. */
const TABLE_BYTES = 8 * 256 * 16
export const OKVS_COLUMN_BYTES = 16

/** The memory of a store that is to be read. */
export type OkvsColumns = 'okvs' | 'tables'
/** The memory of one that is to be written. */
export type OkvsEncoding =
  | OkvsColumns
  | 'rows'
  | 'grouped'
  | 'order'
  | 'starts'
  | 'degrees'
  | 'queue'
  | 'stack'

export function okvsSizes({ parts, sparse, dense }: OkvsParameters): Record<OkvsColumns, number> {
  return { okvs: parts * (sparse + dense) * OKVS_COLUMN_BYTES, tables: parts * TABLE_BYTES }
}

export function okvsEncodingSizes(parameters: OkvsParameters, count: number): Record<OkvsEncoding, number> {
  return {
    ...okvsSizes(parameters),
    rows: count * OKVS_ROW_BYTES,
    grouped: count * OKVS_ROW_BYTES,
    order: count * 4,
    starts: (parameters.parts + 1) * 4,
    degrees: parameters.sparse * 8,
    queue: parameters.sparse * 4,
    stack: parameters.load * 8,
  }
}

/**
 * An oblivious key-value store (Raghuraman and Rindal, "Blazing Fast PSI from Improved OKVS and Subfield VOLE", CCS
 * 2022, section 2 and figure 1): columns such that the sum of those that a key names is the key's value. A key names three
 * sparse columns of its part and, by 64 bits, some of the part's dense ones. Written by peeling (triangulation), and
 * what cannot be peeled by elimination over GF(2); columns that no key decides stay random.
 *
 * @param memory its `rows` hold `count` uniform hashes of 48 bytes, and its `okvs` random bytes; afterwards `okvs` holds
 *   the store, `grouped` the rows with their columns by parts, and `order` which row came to each place there
 * @throws SluiceError INTERNAL where a part has too many rows or they cannot be solved: with distinct keys once in
 *   2^40 times
 */
export function okvsEncode(memory: Arena<OkvsEncoding>, parameters: OkvsParameters, count: number): void {
  if (!okvsTryEncode(memory, parameters, count)) {
    throw new SluiceError('INTERNAL', 'the items of this side could not be encoded', {
      rule: 'psi.okvs',
      remedy: 'Start the job again on both sides: with distinct items this happens once in 2^40 runs.',
    })
  }
}

/** The same, saying whether it could be done: to count how often it cannot. */
export function okvsTryEncode(
  { kernels, at, bytes }: Arena<OkvsEncoding>,
  parameters: OkvsParameters,
  count: number,
): boolean {
  const { parts, sparse, load } = parameters
  kernels.okvsRows(at.rows, count, parts, sparse)
  kernels.okvsGroup(at.rows, count, parts, at.starts, at.order, at.grouped)
  const starts = new Uint32Array(bytes.starts.buffer, at.starts, parts + 1)
  for (let part = 0; part < parts; part++) {
    const [from, to] = [starts[part]!, starts[part + 1]!]
    if (to - from > load) return false
    const rows = at.grouped + from * OKVS_ROW_BYTES
    const first = part * partColumns(parameters)
    const peeled = kernels.okvsPeel(rows, to - from, first, sparse, at.degrees, at.queue, at.stack)
    if (peeled < to - from) {
      const stack = new Uint32Array(bytes.stack.buffer, at.stack, 2 * peeled)
      const gone = new Set(stack.filter((_, place) => place % 2 === 0))
      const places = Uint32Array.from({ length: to - from }, (_, place) => place)
      const core = places.filter(place => !gone.has(place)).map(place => from + place)
      if (!solveCore(bytes.grouped, bytes.okvs, core, first + sparse, parameters)) return false
    }
    const columns = at.okvs + first * OKVS_COLUMN_BYTES
    kernels.okvsTables(columns, 1, sparse, at.tables)
    kernels.okvsSubstitute(rows, at.stack, peeled, at.okvs, at.tables)
  }
  return true
}

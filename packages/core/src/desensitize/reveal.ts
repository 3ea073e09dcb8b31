import type { Messages } from './cipher/messages.js'
import { isValid, TextBuilder, type TextColumn } from './column.js'
import { textOf } from './keyed/encoding.js'
import {
  CELL_MARKS,
  type CellCipher,
  type CellPlace,
  cellBinding,
  cellKeys,
  SALT_BYTES,
} from './rules/encrypt.js'
import { REVERSIBLE_TOKEN_MARK, reversibleTokenCipher } from './rules/reversible-token.js'

/** What was behind tokens or cells: text, null where nothing was or where it was refused. */
export interface Revealed {
  readonly column: TextColumn
  /** values that were opened */
  readonly opened: number
  /** values that are no token or cell of this key, domain and place, or were changed */
  readonly refused: number
}

/**
 * Opens reversible tokens. Whoever calls this keeps the record of it: see `sluice token reveal`.
 *
 * @throws SluiceError KEY_INVALID where the secret is not one
 */
export function revealTokens(tokens: TextColumn, secret: Uint8Array, domain: string): Revealed {
  const sealed = unhexed(tokens, REVERSIBLE_TOKEN_MARK)
  const { messages, authentic } = reversibleTokenCipher(secret, domain).open(sealed)
  return revealed(tokens, row =>
    authentic[row] === 1 ? messages.bytes.subarray(messages.offsets[row]!, messages.offsets[row + 1]!) : null,
  )
}

/**
 * Opens encrypted cells in the place where they were encrypted: one that was moved to another dataset, column or row is
 * refused.
 *
 * @param row the first cell's row in the whole file, from 0
 * @throws SluiceError KEY_INVALID where the secret is not one
 */
export async function revealCells(
  cells: TextColumn,
  secret: Uint8Array,
  place: CellPlace,
  cipher: CellCipher,
  row: number,
): Promise<Revealed> {
  const cellKey = await cellKeys(cipher)
  const sealed = unhexed(cells, CELL_MARKS[cipher])
  let last: { readonly salt: Uint8Array; readonly gcm: ReturnType<typeof cellKey> } | undefined
  return revealed(cells, i => {
    const cell = sealed.bytes.subarray(sealed.offsets[i]!, sealed.offsets[i + 1]!)
    if (cell.length < SALT_BYTES) return null
    const salt = cell.subarray(0, SALT_BYTES)
    if (last === undefined || !Buffer.from(salt).equals(last.salt)) {
      last = { salt, gcm: cellKey(secret, place, salt) }
    }
    const { nonce, associated } = cellBinding(place, row + i)
    return last.gcm.open(nonce, cell.subarray(SALT_BYTES), associated)
  })
}

function revealed(column: TextColumn, open: (row: number) => Uint8Array | null): Revealed {
  const builder = new TextBuilder(column.length, column.bytes.length >> 1)
  let opened = 0
  let refused = 0
  for (let row = 0; row < column.length; row++) {
    const value = isValid(column, row) ? open(row) : undefined
    if (value === undefined) builder.appendNull()
    else if (value === null) {
      builder.appendNull()
      refused++
    } else {
      builder.append(textOf(value))
      opened++
    }
  }
  return { column: builder.finish(), opened, refused }
}

/** What stands in hexadecimal behind the mark; nothing where it is not exactly that. */
function unhexed(column: TextColumn, mark: string): Messages {
  const decoder = new TextDecoder('latin1')
  const values = Array.from({ length: column.length }, (_, row) => {
    if (!isValid(column, row)) return NOTHING
    const text = decoder.decode(column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!))
    if (!text.startsWith(mark) || !LOWER_HEX.test(text.slice(mark.length))) return NOTHING
    return Buffer.from(text.slice(mark.length), 'hex')
  })
  const offsets = new Int32Array(column.length + 1)
  for (const [row, value] of values.entries()) offsets[row + 1] = offsets[row]! + value.length
  return { bytes: Buffer.concat(values), offsets }
}

const NOTHING = Buffer.alloc(0)
const LOWER_HEX = /^(?:[0-9a-f]{2})+$/

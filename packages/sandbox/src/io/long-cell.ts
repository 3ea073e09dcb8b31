import { createReadStream } from 'node:fs'
import { SluiceError, visibleText } from '@sluice/core'
import type { CsvDialect } from './csv.js'

/** No record is longer: the engine reads whole ones. */
export const RECORD_LIMIT = 2 * 2 ** 20

const [QUOTE, LINE_FEED, CARRIAGE_RETURN] = [0x22, 0x0a, 0x0d]

/**
 * Looks for the record that is too long for the engine, which itself only tells that it could not go on.
 *
 * @throws SluiceError FILE_TOO_LARGE with the column of the record's longest cell and the row, from 1 below the header
 */
export async function refuseLongRecord(path: string, { delimiter, header }: CsvDialect): Promise<void> {
  const separator = delimiter.charCodeAt(0)
  let [row, column, size, cell, quoted] = [0, 0, 0, 0, false]
  let longest = { column: 0, size: -1 }
  const endCell = () => {
    if (cell > longest.size) longest = { column, size: cell }
    cell = 0
  }
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    for (const byte of chunk as Uint8Array) {
      size++
      if (size > RECORD_LIMIT) {
        endCell()
        throw tooLong(header[longest.column], row)
      }
      if (byte === QUOTE) quoted = !quoted
      if (!quoted && byte === separator) {
        endCell()
        column++
      } else if (!quoted && (byte === LINE_FEED || byte === CARRIAGE_RETURN)) {
        if (size > 1) row++
        size = 0
        column = 0
        cell = 0
        longest = { column: 0, size: -1 }
      } else cell++
    }
  }
}

function tooLong(name: string | undefined, row: number): SluiceError {
  const column = visibleText(name ?? '')
  const where = row === 0 ? 'the header' : `column "${column}" in row ${row}`
  return new SluiceError('FILE_TOO_LARGE', `the cell of ${where} is too long`, {
    rule: 'cell.size',
    remedy: `Give records of at most ${RECORD_LIMIT} bytes; leave out the column, or keep documents outside of the table.`,
    facts: { limit: RECORD_LIMIT, ...(row > 0 && { column, row }) },
  })
}

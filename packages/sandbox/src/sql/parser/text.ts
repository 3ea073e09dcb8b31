import { type Position, SluiceError } from '@sluice/core'

/** Longest query text, in bytes of UTF-8. */
export const TEXT_LIMIT = 65_536

/** What must not stand in a query: the engine and a reader could take it for different texts. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const LINE_ENDS_AND_TABS = /[\t\n\r]/g

/**
 * The bytes of a query text that may be shown to the parser: not empty, at most {@link TEXT_LIMIT}, whole Unicode,
 * without control characters (a NUL ends the text for the engine, but not for the reader), and without
 * bidirectional or invisible ones.
 *
 * @throws SluiceError SQL_REFUSED rule `sql.text`
 */
export function checkText(sql: string): Uint8Array {
  const bytes = new TextEncoder().encode(sql)
  if (bytes.length > TEXT_LIMIT) {
    throw new SluiceError('SQL_REFUSED', `the query is longer than ${TEXT_LIMIT} bytes`, {
      rule: 'sql.text',
      position: positionAt(bytes, TEXT_LIMIT),
      remedy: 'Write a shorter query; lists of values belong in a registered dataset.',
    })
  }
  if (!sql.isWellFormed()) {
    throw new SluiceError('SQL_REFUSED', 'the query is not whole Unicode text', {
      rule: 'sql.text',
      position: positionAfter(sql.slice(0, sql.search(/\p{Surrogate}/u))),
      remedy: 'Save the query as UTF-8.',
    })
  }
  const at = hiddenCharacter(sql)
  if (at !== -1) {
    throw new SluiceError(
      'SQL_REFUSED',
      'the query contains a control, bidirectional or invisible character',
      {
        rule: 'sql.text',
        position: positionAt(bytes, new TextEncoder().encode(sql.slice(0, at)).length),
        remedy: 'Remove the character; only tabs and line ends are allowed besides visible text.',
      },
    )
  }
  return bytes
}

/** Index of the first character of a text that a reader would not see, tabs and line ends apart; else -1. */
export function hiddenCharacter(text: string): number {
  return text.replace(LINE_ENDS_AND_TABS, ' ').search(HIDDEN)
}

/** Line and column, counted from 1 in code points, of a byte offset in UTF-8 text. */
export function positionAt(bytes: Uint8Array, offset: number): Position {
  return positionAfter(new TextDecoder().decode(bytes.subarray(0, offset)))
}

/** The same, of an offset in code points. */
export function positionAtCharacter(bytes: Uint8Array, offset: number): Position {
  return positionAfter([...new TextDecoder().decode(bytes)].slice(0, offset).join(''))
}

function positionAfter(before: string): Position {
  const lines = before.split(/\r\n|\n|\r/)
  return { line: lines.length, column: [...lines.at(-1)!].length + 1 }
}

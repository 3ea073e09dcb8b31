import { styleText } from 'node:util'
import { visibleText } from '@sluice/core'
import stringWidth from 'string-width'
import { type Language, message } from '../messages/catalogue.js'
import type { MessageKey } from '../messages/en.js'
import { type GridColumn, grid } from './grid.js'

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

/** How text is laid out for people: language, colour, and columns that hold East Asian characters. */
export class Ui {
  readonly language: Language
  readonly #color: boolean

  constructor(language: Language, color: boolean) {
    this.language = language
    this.#color = color
  }

  t(key: MessageKey, values?: Readonly<Record<string, string | number>>): string {
    return message(this.language, key, values)
  }

  style(style: Style, text: string): string {
    // whether there is colour was decided once, from the stream and NO_COLOR
    return this.#color ? styleText(style, text, { validateStream: false }) : text
  }

  heading(key: MessageKey): string {
    return this.style('bold', this.t(key))
  }

  /** Rows under a header: see `grid`. A column's head is a message, or a text in itself (`{head}`). */
  grid(columns: readonly (MessageKey | GridColumn)[], rows: readonly (readonly string[])[]): string {
    return grid(
      columns.map(column => (typeof column === 'string' ? { head: this.t(column) } : column)),
      rows,
    )
  }

  /** One `label  value` a line, the values in one column. Null values are left out; a list takes a line each. */
  fields(entries: readonly (readonly [MessageKey, string | number | readonly string[] | null])[]): string {
    const shown = entries.filter(([, value]) => value !== null)
    const width = Math.max(0, ...shown.map(([key]) => stringWidth(this.t(key))))
    return shown
      .map(([key, value]) => {
        const label = this.style('dim', padEnd(this.t(key), width))
        const lines = Array.isArray(value) ? value : [String(value)]
        const [first = this.t('text.none'), ...others] = lines
        return [`${label}  ${first}`, ...others.map(line => `${' '.repeat(width)}  ${line}`)].join('\n')
      })
      .join('\n')
  }
}

/** Pads to a width on the screen, where a Chinese character takes two columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)))
}

/** `visibleText` a line at a time: for SQL and plans, whose line breaks and tabs are layout. */
export function visibleLines(text: string): string[] {
  return text.replace(/\r\n/g, '\n').replace(/\t/g, '  ').replace(/\n$/, '').split('\n').map(visibleText)
}

export function indented(lines: readonly string[]): string {
  return lines.map(line => (line === '' ? '' : `  ${line}`)).join('\n')
}

import { type Io, write } from '../io.js'
import type { Ui } from './ui.js'

/** What a command has to say: one JSON document for machines, text for people. */
export interface Reply {
  readonly json: unknown
  readonly text: (ui: Ui) => string
  /** where what was done ended badly all the same (a record that does not verify) */
  readonly exitCode?: number
}

export async function printReply(io: Io, reply: Reply, ui: Ui, json: boolean): Promise<void> {
  const text = json ? jsonText(reply.json) : reply.text(ui)
  if (text !== '') await write(io.stdout, `${text}\n`)
}

/** One JSON document. Integers beyond 2^53 and bytes travel as text. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item), 2)
}

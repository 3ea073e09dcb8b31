import type { TableFile } from '@sluice/sandbox/table'
import type { Context } from '../context.js'
import { withTable } from './input.js'

/** A file's table that stays open until `close`. */
export interface HeldTable {
  /** rejects as `withTable` does */
  readonly opened: Promise<TableFile>
  close(): Promise<void>
}

/**
 * Starts the engine, so that it is there when the job is read, and still when the result is written. Returns when its
 * process is started, or was not: before anything else is loaded, which would hold it up.
 */
export async function holdTable(context: Context, file: string): Promise<HeldTable> {
  let letGo = (): void => undefined
  const over = new Promise<void>(resolve => {
    letGo = resolve
  })
  let ended: Promise<void> = Promise.resolve()
  let opened!: Promise<TableFile>
  await new Promise<void>(started => {
    opened = new Promise((resolve, reject) => {
      const use = (table: TableFile) => {
        resolve(table)
        return over
      }
      ended = withTable(context, file, use, started).catch(reject).finally(started)
    })
    // whoever asks for the table is told; who fails before has another error to tell
    opened.catch(() => undefined)
  })
  return {
    opened,
    close() {
      letGo()
      return ended
    },
  }
}

import { dirname } from 'node:path'
import type { TableFile } from '@sluice/sandbox/table'
import type { Context } from '../context.js'
import { type PsiInput, withTable } from './input.js'

/** A file's table that stays open until `close`. */
export interface HeldTable {
  /** rejects as `withTable` does */
  readonly opened: Promise<TableFile>
  close(): Promise<void>
}

/**
 * The own file for a run that reads it and writes from it at its end, opened once: where an engine that waits meanwhile
 * owns nothing that a killed process would leave. Else it is opened each time.
 *
 * @param out where rows go; not given where none do
 */
export async function holdForOutput(
  context: Context,
  { file }: PsiInput,
  out: string | undefined,
): Promise<HeldTable | undefined> {
  if (out === undefined) return undefined
  const { canHold } = await import('@sluice/sandbox/table')
  return (await canHold(context.path(file))) ? holdTable(context, file, out) : undefined
}

/**
 * Starts the engine, so that it is there when the job is read, and still when the result is written. Returns when its
 * process is started, or was not: before anything else is loaded, which would hold it up.
 */
export async function holdTable(context: Context, file: string, out: string | undefined): Promise<HeldTable> {
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
      ended = opening(context, file, out, use, started).catch(reject).finally(started)
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

async function opening(
  context: Context,
  file: string,
  out: string | undefined,
  use: (table: TableFile) => Promise<void>,
  onStart: () => void,
): Promise<void> {
  const { canHold, holdTable } = await import('@sluice/sandbox/table')
  const path = context.path(file)
  if (out === undefined || !(await canHold(path))) return withTable(context, file, use, onStart)
  const output = dirname(context.path(out))
  return holdTable(path, { output, signal: context.signal, onStart }, use)
}

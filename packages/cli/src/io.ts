import type { Readable, Writable } from 'node:stream'
import { SluiceError } from '@sluice/core'

/** Everything that a command touches of its process. Tests give their own. */
export interface Io {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Sink
  readonly stderr: Sink
  /** aborted by SIGINT and SIGTERM; the reason says which: an `Interruption` */
  readonly signal: AbortSignal
  readonly now: () => Date
}

export type Sink = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** Why a command was cut short; `exitCode` is 128 and the signal's number. */
export class Interruption extends SluiceError {
  readonly #name: 'SIGINT' | 'SIGTERM'

  constructor(name: 'SIGINT' | 'SIGTERM', message = 'interrupted; nothing was left behind', remedy = UNDONE) {
    super('INTERRUPTED', message, { remedy })
    this.#name = name
  }

  override get exitCode(): number {
    return this.#name === 'SIGINT' ? 130 : 143
  }

  /** As what was cut short tells it, where it left something that it goes on with. */
  saying({ message, remedy }: SluiceError): Interruption {
    return new Interruption(this.#name, message, remedy)
  }
}

const UNDONE = 'Run the same command again: what was recorded stays, the rest was undone.'

/** Resolves when the stream has taken the bytes, so that a large result does not pile up in memory. */
export function write(sink: Writable, bytes: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(bytes, error => (error ? reject(error) : resolve()))
  })
}

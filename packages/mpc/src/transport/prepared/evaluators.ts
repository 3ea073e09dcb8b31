import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { SluiceError } from '@sluice/core'
import type { ItemHashes } from '../../psi/item-hash.js'

/**
 * Threads that evaluate the function of a key on items, one piece at a time each, so that the caller's own thread stays
 * free. The key is in the memory of this process alone.
 */
export class Evaluators {
  readonly #workers: readonly Worker[]

  /** @param threads all cores where it is not given */
  constructor(scalar: Uint8Array, threads = availableParallelism()) {
    // by the package's own name, for bundling moves this module
    const manifest = createRequire(import.meta.url).resolve('@sluice/mpc/package.json')
    const file = join(dirname(manifest), 'dist', 'transport', 'prepared', 'evaluator.js')
    this.#workers = Array.from(
      { length: threads },
      () => new Worker(file, { workerData: { scalar }, env: {}, execArgv: [], name: 'sluice-oprf' }),
    )
    // until a piece is given to it, a thread's end is nobody's failure
    for (const worker of this.#workers) worker.on('error', () => undefined)
  }

  /**
   * Takes pieces as threads become free, and gives each with its values to `done`, in any order.
   *
   * @throws SluiceError INTERRUPTED, ENGINE_KILLED where a thread ends early, and what `pieces` and `done` throw
   */
  async each<T extends { readonly hashes: ItemHashes }>(
    pieces: AsyncIterator<T>,
    done: (piece: T, values: Uint8Array<ArrayBuffer>) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    let failed = false
    const lanes = this.#workers.map(async worker => {
      while (!failed) {
        const { value: piece, done: over } = await pieces.next()
        if (over === true) return
        await done(piece, await answerOf(worker, piece.hashes, signal))
      }
    })
    await Promise.all(
      lanes.map(lane =>
        lane.catch((error: unknown) => {
          failed = true
          throw error
        }),
      ),
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.terminate()))
  }
}

function answerOf(
  worker: Worker,
  hashes: ItemHashes,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => () => {
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      signal?.removeEventListener('abort', onAbort)
      action()
    }
    const onMessage = (values: Uint8Array<ArrayBuffer>) => settle(() => resolve(values))()
    const onExit = settle(() => reject(ended()))
    const onAbort = settle(() => reject(stopped()))
    worker.on('message', onMessage)
    worker.on('exit', onExit)
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted) onAbort()
    else worker.postMessage(hashes, [hashes.buffer])
  })
}

export function stopped(): SluiceError {
  return new SluiceError('INTERRUPTED', 'the preparation was interrupted', {
    rule: 'psi.prepare',
    remedy: 'Run the same command again; it goes on where it was.',
  })
}

function ended(): SluiceError {
  return new SluiceError('ENGINE_KILLED', 'a thread that prepares the set ended early', {
    rule: 'psi.prepare',
    remedy: 'Run the same command again; it goes on where it was.',
  })
}

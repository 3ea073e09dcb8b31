import { setTimeout } from 'node:timers/promises'
import { SluiceError } from '@sluice/core'
import type { Files, Lock } from './files.js'
import type { ExclusiveOptions } from './types.js'

const WAIT = 30_000
const POLL = 25

/**
 * Waits for the lock by asking again: a blocking wait would hold a thread of Node's pool, and could not be
 * cancelled.
 *
 * @throws SluiceError LOCKED when the wait is over, INTERRUPTED when the signal fires
 */
export async function acquire(files: Files, path: string, options: ExclusiveOptions): Promise<Lock> {
  const { wait = WAIT, onWait, signal } = options
  const deadline = performance.now() + wait
  for (let waited = false; ; waited = true) {
    if (signal?.aborted) throw interrupted()
    const lock = await files.tryLock(path)
    if (lock !== null) return lock
    if (performance.now() >= deadline) {
      throw new SluiceError('LOCKED', 'another process is writing to this ledger', {
        remedy: 'Try again later, or wait longer (--wait).',
        facts: { waitedMilliseconds: wait },
      })
    }
    if (!waited) onWait?.()
    await setTimeout(Math.min(POLL, Math.max(1, deadline - performance.now())), undefined, { signal }).catch(
      () => {
        throw interrupted()
      },
    )
  }
}

function interrupted(): SluiceError {
  return new SluiceError('INTERRUPTED', 'interrupted while waiting for another process')
}

import { parentPort } from 'node:worker_threads'
import { isSluiceError } from '@sluice/core'
import type { Answer } from './pool.js'
import { type ScanTask, scan } from './scan.js'

/** One verifying thread: takes tasks, gives answers. */
parentPort?.on('message', async ({ id, task }: { id: number; task: ScanTask }) => {
  parentPort?.postMessage(await answer(id, task))
})

async function answer(id: number, task: ScanTask): Promise<Answer> {
  try {
    return { id, scanned: await scan(task) }
  } catch (error) {
    if (!isSluiceError(error))
      return { id, error: ['INTERNAL', 'a verifying thread failed', { cause: error }] }
    const { code, message, rule, remedy, facts } = error
    const details = { ...(rule && { rule }), ...(remedy && { remedy }), ...(facts && { facts }) }
    return { id, error: [code, message, details] }
  }
}

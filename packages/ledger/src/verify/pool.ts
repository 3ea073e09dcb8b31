import { Worker } from 'node:worker_threads'
import { SluiceError } from '@sluice/core'
import { type ScannedBundle, type ScanTask, scan } from './scan.js'

/** Scans on other threads, or on this one. */
export interface Pool {
  readonly width: number
  scan(task: ScanTask): Promise<ScannedBundle[]>
  close(): Promise<void>
}

/** What a thread answers. */
export type Answer =
  | { readonly id: number; readonly scanned: ScannedBundle[] }
  | { readonly id: number; readonly error: ConstructorParameters<typeof SluiceError> }

/** @param threads 0: everything here */
export function startPool(threads: number): Pool {
  if (threads === 0) return { width: 1, scan, close: async () => undefined }
  const workers = Array.from({ length: threads }, () => startWorker())
  let next = 0
  return {
    width: threads,
    scan: task => workers[next++ % threads]!.scan(task),
    async close() {
      await Promise.all(workers.map(worker => worker.close()))
    },
  }
}

function startWorker() {
  // by the package's own name, for bundling moves this module
  const manifest = import.meta.resolve('@sluice/ledger/package.json')
  const worker = new Worker(new URL('dist/verify/worker.js', manifest))
  const waiting = new Map<number, { resolve(scanned: ScannedBundle[]): void; reject(error: unknown): void }>()
  let ids = 0
  const fail = (error: unknown) => {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('message', (answer: Answer) => {
    const task = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('scanned' in answer) task?.resolve(answer.scanned)
    else task?.reject(new SluiceError(...answer.error))
  })
  worker.on('error', fail)
  worker.on('exit', () => fail(new SluiceError('INTERNAL', 'a verifying thread ended early')))
  return {
    scan: (task: ScanTask) =>
      new Promise<ScannedBundle[]>((resolve, reject) => {
        const id = ids++
        waiting.set(id, { resolve, reject })
        worker.postMessage({ id, task })
      }),
    async close() {
      waiting.clear()
      await worker.terminate()
    },
  }
}

import { type KeyObject, sign } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import type { Batch, Signed } from './signing-thread.js'

const SIGNATURE_BYTES = 64

/** One signing thread: takes messages laid end to end, gives their signatures laid end to end. */
parentPort?.on('message', ({ id, bytes, lengths }: Batch) => {
  const { key } = workerData as { key: KeyObject }
  const signatures = new Uint8Array(lengths.length * SIGNATURE_BYTES)
  let at = 0
  lengths.forEach((length, index) => {
    signatures.set(sign(null, bytes.subarray(at, at + length), key), index * SIGNATURE_BYTES)
    at += length
  })
  const answer: Signed = { id, signatures }
  parentPort?.postMessage(answer, [signatures.buffer])
})

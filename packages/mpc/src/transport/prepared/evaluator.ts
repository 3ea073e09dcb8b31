import { parentPort, workerData } from 'node:worker_threads'
import type { ItemHashes } from '../../psi/item-hash.js'
import { evaluateItems } from '../../psi/prepared.js'
import { loadRistretto } from '../../psi/ristretto.js'

/** One evaluating thread: takes items' hashes, gives their values in the same order. */
const { scalar } = workerData as { scalar: Uint8Array }
const loading = loadRistretto()

parentPort?.on('message', async (hashes: ItemHashes) => {
  const values = evaluateItems(scalar, hashes, await loading)
  parentPort?.postMessage(values, [values.buffer])
})

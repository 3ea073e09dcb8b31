import { parentPort, workerData } from 'node:worker_threads'
import { isSluiceError } from '../errors.js'
import { Lane } from './lane.js'
import { parameterSet } from './parameters.js'
import { prepareContexts } from './scheme.js'
import { loadSeal } from './scope.js'
import type { Order, Reply, ThreadStart } from './threads.js'

/** One lane on a thread of its own, which can be thrown away: hostile bytes meet SEAL here and nowhere else. */
const { set, keyed } = workerData as ThreadStart
const preparing = keyed ? prepare() : Promise.resolve()
// whoever waits for the lane is told
preparing.catch(() => undefined)
let lane: Promise<Lane> | undefined

parentPort?.on('message', async (order: Order) => {
  if ('role' in order) {
    lane = preparing.then(() => Lane.open(order.role))
    lane.catch(() => undefined)
    return
  }
  const reply = await answer(order)
  const travelling = 'answer' in reply ? [reply.answer.bytes.buffer, reply.answer.values.buffer] : []
  parentPort?.postMessage(reply, travelling.filter(buffer => buffer.byteLength > 0) as ArrayBuffer[])
})

async function prepare(): Promise<void> {
  prepareContexts(await loadSeal(), parameterSet(set))
}

async function answer({ id, task }: Extract<Order, { id: number }>): Promise<Reply> {
  try {
    return { id, answer: (await lane!).run(task) }
  } catch (error) {
    if (!isSluiceError(error)) {
      // what SEAL or the engine says of it could quote what it worked on
      return {
        id,
        error: ['ENGINE_FAILED', 'a thread of the homomorphic engine failed', { rule: 'he.thread' }],
      }
    }
    const { code, message, rule, remedy, facts } = error
    const details = { ...(rule && { rule }), ...(remedy && { remedy }), ...(facts && { facts }) }
    return { id, error: [code, message, details] }
  }
}

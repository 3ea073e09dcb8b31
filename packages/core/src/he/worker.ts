import { parentPort, workerData } from 'node:worker_threads'
import { isSluiceError } from '../errors.js'
import { Lane, type LaneRole, type Task } from './lane.js'
import type { Reply } from './threads.js'

/** One lane on a thread of its own, which can be thrown away: hostile bytes meet SEAL here and nowhere else. */
const opening = Lane.open(workerData as LaneRole)

parentPort?.on('message', async ({ id, task }: { id: number; task: Task }) => {
  const reply = await answer(id, task)
  const travelling = 'answer' in reply ? [reply.answer.bytes.buffer, reply.answer.values.buffer] : []
  parentPort?.postMessage(reply, travelling.filter(buffer => buffer.byteLength > 0) as ArrayBuffer[])
})

async function answer(id: number, task: Task): Promise<Reply> {
  try {
    return { id, answer: (await opening).run(task) }
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

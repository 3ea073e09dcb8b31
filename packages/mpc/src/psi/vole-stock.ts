import type { Protocol } from '../session/protocol.js'
import { NODE_BYTES } from './ggm.js'
import type { CorrelatedReceiver, CorrelatedSender } from './iknp.js'
import type { PsiChannel } from './protocol.js'
import { type VoleReceived, voleReceiver, voleSender } from './vole.js'

/**
 * Linear evaluations for the runs of a session, one after the other. One of few elements costs nearly as much as one
 * of ten thousand, so that from the second on an evaluation has at least as many as the session has used: small runs
 * that follow share it. Each element serves one run. Both sides compute from public sizes when the next is due, and
 * a session with one run has exactly what it needs.
 */
export function receiverStock(
  channel: PsiChannel,
  correlated: CorrelatedReceiver,
): (count: number) => Protocol<() => Protocol<VoleReceived>> {
  const a = new Stock()
  const c = new Stock()
  const sizes = evaluationSizes()
  return function* (count) {
    const next = sizes(count)
    const asked = next && (yield* voleReceiver(channel, correlated, next.number, next.size))
    return function* () {
      const received = asked && (yield* asked())
      if (received !== undefined) {
        a.fill(received.a)
        c.fill(received.c)
      }
      return { a: a.take(count), c: c.take(count) }
    }
  }
}

/** The same of the side that knows Δ. */
export function senderStock(
  channel: PsiChannel,
  correlated: CorrelatedSender,
): (count: number) => Protocol<Uint8Array<ArrayBuffer>> {
  const b = new Stock()
  const sizes = evaluationSizes()
  return function* (count) {
    const next = sizes(count)
    if (next !== undefined) b.fill(yield* voleSender(channel, correlated, next.number, next.size))
    return b.take(count)
  }
}

/** What runs share at most: an evaluation of so many elements costs ten times that of one. */
const MOST_SHARED = 1 << 16

/** Says before each run which evaluation is due, if one is. */
function evaluationSizes(): (count: number) => { number: number; size: number } | undefined {
  let [left, used, evaluations] = [0, 0, 0]
  return count => {
    const due = left < count
    const size = Math.max(count, Math.min(used, MOST_SHARED))
    left = (due ? size : left) - count
    used += count
    return due ? { number: evaluations++, size } : undefined
  }
}

/** Elements of 16 bytes that were not used. What is left when more come is thrown away. */
class Stock {
  #elements = new Uint8Array(0)

  fill(elements: Uint8Array<ArrayBuffer>): void {
    this.#elements = elements
  }

  take(count: number): Uint8Array<ArrayBuffer> {
    const elements = this.#elements
    const bytes = count * NODE_BYTES
    this.#elements = elements.subarray(bytes)
    return bytes === elements.length ? elements : elements.slice(0, bytes)
  }
}

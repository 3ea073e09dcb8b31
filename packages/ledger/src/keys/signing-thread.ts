import { type KeyObject, sign } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Messages laid end to end. */
export interface Batch {
  readonly id: number
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly lengths: Uint32Array
}

/** Their signatures, 64 bytes each. */
export interface Signed {
  readonly id: number
  readonly signatures: Uint8Array<ArrayBuffer>
}

interface Waiting {
  readonly message: Uint8Array
  resolve(signature: Uint8Array): void
  reject(error: unknown): void
}

/** so many that wait in one turn are worth a message to another thread */
const BATCH = 128
const IDLE_MILLISECONDS = 5_000
const SIGNATURE_BYTES = 64

/**
 * Signs with Ed25519 beside the thread that asks. A few messages go to Node's pool, one by one; where many wait, whole
 * batches go to one thread of their own, since waking the pool for each costs as much as the signature. The thread
 * starts with the first batch, ends when it has been idle, and keeps no program alive. Where none can be started, the
 * pool signs.
 */
export class SigningThread {
  readonly #key: KeyObject
  readonly #batches = new Map<number, readonly Waiting[]>()
  #queue: Waiting[] = []
  #worker: Worker | null = null
  #idle: NodeJS.Timeout | undefined
  #next = 0

  constructor(key: KeyObject) {
    this.#key = key
  }

  sign(message: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ message, resolve, reject })
      if (this.#queue.length === BATCH) this.#send(this.#take())
      else if (this.#queue.length === 1) queueMicrotask(() => this.#signEach(this.#take()))
    })
  }

  #take(): readonly Waiting[] {
    const taken = this.#queue
    this.#queue = []
    return taken
  }

  #signEach(waiting: readonly Waiting[]): void {
    for (const { message, resolve, reject } of waiting) {
      sign(null, message, this.#key, (error, signature) => {
        if (error) reject(error)
        else resolve(signature)
      })
    }
  }

  #send(waiting: readonly Waiting[]): void {
    const worker = this.#start()
    const id = this.#next++
    const bytes = new Uint8Array(waiting.reduce((sum, { message }) => sum + message.length, 0))
    const lengths = new Uint32Array(waiting.length)
    let at = 0
    waiting.forEach(({ message }, index) => {
      bytes.set(message, at)
      lengths[index] = message.length
      at += message.length
    })
    this.#batches.set(id, waiting)
    clearTimeout(this.#idle)
    worker.ref()
    const batch: Batch = { id, bytes, lengths }
    worker.postMessage(batch, [bytes.buffer])
  }

  #start(): Worker {
    if (this.#worker !== null) return this.#worker
    // by the package's own name, for bundling moves this module
    const manifest = createRequire(import.meta.url).resolve('@sluice/ledger/package.json')
    const file = join(dirname(manifest), 'dist', 'keys', 'signing-worker.js')
    const worker = new Worker(file, { workerData: { key: this.#key }, env: {}, execArgv: [] })
    worker.on('message', (answer: Signed) => this.#answered(worker, answer))
    worker.on('error', () => this.#ended(worker))
    worker.on('exit', () => this.#ended(worker))
    this.#worker = worker
    return worker
  }

  #answered(worker: Worker, { id, signatures }: Signed): void {
    const waiting = this.#batches.get(id) ?? []
    this.#batches.delete(id)
    waiting.forEach(({ resolve }, index) => {
      resolve(signatures.subarray(index * SIGNATURE_BYTES, (index + 1) * SIGNATURE_BYTES))
    })
    if (this.#batches.size > 0) return
    worker.unref()
    this.#idle = setTimeout(() => void worker.terminate(), IDLE_MILLISECONDS).unref()
  }

  /** What it has not signed is signed without it. */
  #ended(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = null
    const left = [...this.#batches.values()].flat()
    this.#batches.clear()
    this.#signEach(left)
  }
}

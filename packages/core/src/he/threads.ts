import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { SluiceError } from '../errors.js'
import { type Answer, Lane, type LaneRole, type Task } from './lane.js'
import type { ParameterSetName } from './parameters.js'

/** Lanes that work at once. */
export interface Lanes {
  readonly width: number
  run(task: Task): Promise<Answer>
  close(): Promise<void>
}

/** What a thread is started with, before it is told its role. */
export interface ThreadStart {
  readonly set: ParameterSetName
  /** it will have a key, and so needs SEAL */
  readonly keyed: boolean
}

/** What a thread is told: its role first, then tasks. */
export type Order = { readonly role: LaneRole } | { readonly id: number; readonly task: Task }

/** What a thread answers. */
export type Reply =
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly error: ConstructorParameters<typeof SluiceError> }

export interface LaneOptions {
  /** threads; all cores where it is not given. 0 works in the caller's own thread: for the caller's own data only */
  readonly threads?: number
  readonly signal?: AbortSignal
  /** longest time that a task may take before its thread is thrown away, in milliseconds */
  readonly patience?: number
}

const PATIENCE = 60_000
/** JavaScript heap of a thread, in MiB: the arrays of a task and SEAL's module lie beside it */
const HEAP = 256

/** Threads that load SEAL and make its contexts, which takes a fifth of a second, before anybody has a key for them. */
export class ReadyThreads {
  readonly set: ParameterSetName
  readonly #threads: Worker[]

  constructor(set: ParameterSetName, threads = availableParallelism()) {
    this.set = set
    this.#threads = Array.from({ length: threads }, () => thread({ set, keyed: true }))
    for (const worker of this.#threads) {
      worker.unref()
      // whoever takes it listens; until then its end is nobody's failure
      worker.on('error', () => undefined)
    }
  }

  /** One of them, or none where all are taken. */
  take(): Worker | undefined {
    const worker = this.#threads.pop()
    worker?.ref()
    return worker
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map(worker => worker.terminate()))
  }
}

/**
 * @param most more lanes than this would have nothing to do
 * @param ready threads to begin with
 */
export async function openLanes(
  role: LaneRole,
  most: number,
  options: LaneOptions = {},
  ready?: ReadyThreads,
): Promise<Lanes> {
  options.signal?.throwIfAborted()
  if (options.threads === 0) return inline(await Lane.open(role), options.signal)
  const width = Math.max(1, Math.min(most, options.threads ?? availableParallelism()))
  return new ThreadLanes(role, width, options, ready?.set === role.set ? ready : undefined)
}

function thread(start: ThreadStart): Worker {
  // by the package's own name, for bundling moves this module
  const manifest = import.meta.resolve('@sluice/core/package.json')
  return new Worker(new URL('dist/he/worker.js', manifest), {
    workerData: start,
    name: 'sluice-he',
    resourceLimits: { maxOldGenerationSizeMb: HEAP },
  })
}

function inline(lane: Lane, signal: AbortSignal | undefined): Lanes {
  return {
    width: 1,
    async run(task) {
      signal?.throwIfAborted()
      return lane.run(task)
    },
    close: async () => lane.close(),
  }
}

interface Waiting {
  readonly timer: NodeJS.Timeout
  resolve(answer: Answer): void
  reject(error: unknown): void
}

class ThreadLanes implements Lanes {
  readonly width: number
  readonly #workers: Worker[]
  readonly #busy: number[]
  readonly #waiting = new Map<number, Waiting>()
  readonly #patience: number
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = () => this.#fail(this.#signal!.reason)
  #ids = 0
  #failed: { readonly error: unknown } | undefined

  constructor(
    role: LaneRole,
    width: number,
    { signal, patience = PATIENCE }: LaneOptions,
    ready: ReadyThreads | undefined,
  ) {
    this.width = width
    this.#patience = patience
    this.#signal = signal
    this.#busy = new Array(width).fill(0)
    this.#workers = Array.from({ length: width }, () => this.#start(role, ready?.take()))
    signal?.addEventListener('abort', this.#onAbort)
  }

  run(task: Task): Promise<Answer> {
    if (this.#failed) return Promise.reject(this.#failed.error)
    const lane = this.#busy.indexOf(Math.min(...this.#busy))
    const id = this.#ids++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#fail(killed('a thread of the homomorphic engine took too long')),
        this.#patience * (this.#busy[lane]! + 1),
      )
      const settle = () => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        this.#busy[lane]!--
      }
      this.#waiting.set(id, {
        timer,
        resolve: answer => {
          settle()
          resolve(answer)
        },
        reject: error => {
          settle()
          reject(error)
        },
      })
      this.#busy[lane]!++
      this.#workers[lane]!.postMessage({ id, task } satisfies Order, travelling(task))
    })
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#failed ??= { error: killed('the homomorphic engine was closed') }
    await Promise.all(this.#workers.map(worker => worker.terminate()))
  }

  #start(role: LaneRole, ready: Worker | undefined): Worker {
    const keyed = role.publicKey !== undefined || role.secretKey !== undefined
    const worker = ready ?? thread({ set: role.set, keyed })
    worker.postMessage({ role } satisfies Order)
    worker.on('message', (reply: Reply) => {
      const task = this.#waiting.get(reply.id)
      if ('answer' in reply) task?.resolve(reply.answer)
      else task?.reject(new SluiceError(...reply.error))
    })
    worker.on('error', () => this.#fail(killed('a thread of the homomorphic engine crashed')))
    worker.on('exit', () => this.#fail(killed('a thread of the homomorphic engine ended early')))
    return worker
  }

  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = { error }
    for (const task of [...this.#waiting.values()]) task.reject(error)
    for (const worker of this.#workers) void worker.terminate()
  }
}

function killed(message: string): SluiceError {
  return new SluiceError('ENGINE_KILLED', message, {
    rule: 'he.thread',
    remedy: 'Run it again; where it fails again, the machine lacks memory or a file was made to harm.',
  })
}

/** Arrays that are given away instead of copied: those that own their memory. */
function travelling(task: Task): ArrayBuffer[] {
  const arrays = task.kind === 'encrypt' ? [task.values] : task.kind === 'add' ? task.parts : [task.bytes]
  return arrays
    .filter(array => array.byteLength === array.buffer.byteLength)
    .map(array => array.buffer as ArrayBuffer)
}

import { availableParallelism, totalmem } from 'node:os'
import { SluiceError } from '@sluice/core'
import { Child, type ChildSettings, type OpenInput } from './child.js'
import { CHILD_NODE_OPTIONS, isolationCommand, type Programs } from './command.js'
import { detectIsolation, findPrograms, requireIsolation } from './detect.js'
import { watchMemory } from './memory.js'
import { type IsolationMode, requiredIsolation, stronger } from './mode.js'
import { packageFolders } from './packages.js'

export interface PoolOptions {
  /** absolute path of the child's program, and the packages that it imports */
  readonly program: { readonly entry: string; readonly dependencies: readonly string[] }
  /** where staging directories are made: on the data's file system, so that files are linked and not copied */
  readonly stagingRoot: string
  /** the least isolation that the zone names; null: decided by the data's grade */
  readonly minimum?: IsolationMode | null
  /** the least isolation that whoever opens the zone wants: it can tighten what the zone says, and never loosen it */
  readonly atLeast?: IsolationMode
  /** runs under this one even where a stronger one works */
  readonly mode?: IsolationMode
  /** children kept ready; 0 starts one when a job comes */
  readonly warm?: number
  /** ceiling of a child's data segment; default: half the machine's memory */
  readonly memoryBytes?: number
  /** of the engine; default: as many as the machine runs at once */
  readonly threads?: number
  /** ceiling of everything that a child may send */
  readonly outputBytes?: number
}

export interface Job {
  /** the highest grade of the data that the job touches */
  readonly grade: string
  readonly milliseconds: number
  readonly signal?: AbortSignal | undefined
  /** descriptors of open files that the child gets instead of a staging directory; then it is started for this job */
  readonly files?: readonly number[] | undefined
  /** open files that such a child reads: see `Child` */
  readonly inputs?: readonly OpenInput[] | undefined
}

const MIB = 1024 * 1024
const DEFAULT_OUTPUT_BYTES = 1024 * MIB
const JSON_BYTES = 4 * MIB
const LEAST_MEMORY = 512 * MIB
// Node with the engine loaded, its threads' stacks and the result on its way out
const PROCESS_BYTES = 256 * MIB

/**
 * Single-use children, started ahead. A child sees its own empty staging directory; when a job comes, exactly the
 * job's files are put there. A child is never given a second job.
 */
export class ChildPool {
  readonly memoryBytes: number
  readonly threads: number
  readonly #options: PoolOptions
  readonly #programs: Programs
  readonly #ready: Promise<Child>[] = []
  readonly #busy = new Set<Child>()
  #mode: Promise<IsolationMode> | undefined
  #folders: string[] | undefined
  #closed = false

  constructor(options: PoolOptions, programs: Programs = findPrograms()) {
    this.#options = options
    this.#programs = programs
    this.threads = options.threads ?? availableParallelism()
    this.memoryBytes = Math.max(LEAST_MEMORY, options.memoryBytes ?? Math.floor(totalmem() / 2))
  }

  /** The engine's own limit: what is left for it below the ceiling, so that it spills before it dies. */
  get engineMemoryBytes(): number {
    return Math.floor((this.memoryBytes - PROCESS_BYTES) * 0.8)
  }

  /** The isolation that this pool's children run under. */
  isolation(): Promise<IsolationMode> {
    this.#mode ??= this.#options.mode ? Promise.resolve(this.#options.mode) : detectIsolation()
    return this.#mode
  }

  /** @throws SluiceError ISOLATION_MISSING where data of this grade may not run under what the machine gives */
  async admit(grade: string): Promise<IsolationMode> {
    const mode = await this.isolation()
    const { minimum = null, atLeast = 'process' } = this.#options
    requireIsolation(mode, stronger(requiredIsolation(grade, minimum), atLeast))
    return mode
  }

  /** Starts children until as many are ready as were asked for. Returns at once. */
  warm(): void {
    while (!this.#closed && this.#ready.length < (this.#options.warm ?? 1)) {
      const child = this.#start()
      // whoever takes it sees the failure
      child.catch(() => undefined)
      this.#ready.push(child)
    }
  }

  /** Waits until the children that were started ahead could take a job at once. */
  async ready(): Promise<void> {
    this.warm()
    await Promise.all(this.#ready.map(async starting => (await starting).firstFrame()))
  }

  /**
   * Runs one job in one child. Whatever happens, afterwards the child has ended and its directory is gone.
   *
   * @throws SluiceError ISOLATION_MISSING, TIME_EXCEEDED, MEMORY_EXCEEDED, ENGINE_KILLED, INTERRUPTED, and what
   *   `work` throws
   */
  async run<T>(job: Job, work: (child: Child) => Promise<T>): Promise<T> {
    await this.admit(job.grade)
    if (job.signal?.aborted) throw interrupted()
    const child = job.files === undefined ? await this.#take() : await this.#start(job)
    this.#busy.add(child)
    child.hold()
    const timer = setTimeout(() => child.kill(timeExceeded(job.milliseconds)), job.milliseconds)
    const onAbort = () => child.kill(interrupted())
    job.signal?.addEventListener('abort', onAbort, { once: true })
    const stopWatching = this.#programs.prlimit === null ? watchMemory(child, this.memoryBytes) : null
    try {
      if (job.signal?.aborted) onAbort()
      return await work(child)
    } finally {
      stopWatching?.()
      clearTimeout(timer)
      job.signal?.removeEventListener('abort', onAbort)
      await child.end()
      this.#busy.delete(child)
      this.warm()
    }
  }

  /** Ends every child, waiting and busy, and waits until nothing of them is left. */
  async close(): Promise<void> {
    this.#closed = true
    const waiting = await Promise.allSettled(this.#ready.splice(0))
    const children = waiting.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    await Promise.all([...children, ...this.#busy].map(child => child.end()))
  }

  async #take(): Promise<Child> {
    if (this.#closed) throw new SluiceError('INTERNAL', 'the pool of children is closed')
    for (;;) {
      const waiting = this.#ready.shift()
      if (waiting === undefined) return this.#start()
      const child = await waiting
      if (child.alive) return child
      await child.end()
    }
  }

  async #start({ files, inputs }: Pick<Job, 'files' | 'inputs'> = {}): Promise<Child> {
    const mode = await this.isolation()
    const { entry, dependencies } = this.#options.program
    this.#folders ??= packageFolders(entry, dependencies)
    const settings: ChildSettings = {
      mode,
      stagingRoot: this.#options.stagingRoot,
      ...(files !== undefined && { files }),
      ...(inputs !== undefined && { inputs }),
      limits: { jsonBytes: JSON_BYTES, totalBytes: this.#options.outputBytes ?? DEFAULT_OUTPUT_BYTES },
      command: staging => {
        const view = {
          ...{ entry, readOnly: this.#folders ?? [], staging, nodeOptions: CHILD_NODE_OPTIONS },
          inputs: inputs?.map(({ path }) => path),
        }
        const command = isolationCommand(mode, view, this.#programs, this.memoryBytes)
        if (command === null)
          throw new SluiceError('ISOLATION_MISSING', `"${mode}" does not work on this machine`)
        return command
      },
    }
    return Child.start(settings)
  }
}

function timeExceeded(milliseconds: number): SluiceError {
  return new SluiceError('TIME_EXCEEDED', 'the run took longer than it may', {
    rule: 'wall-clock',
    remedy: 'Group more coarsely, filter first, or have the operator raise the limit.',
    facts: { limitMilliseconds: milliseconds },
  })
}

function interrupted(): SluiceError {
  return new SluiceError('INTERRUPTED', 'the run was cancelled')
}

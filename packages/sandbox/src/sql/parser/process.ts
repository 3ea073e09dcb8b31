import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { ENGINE_VERSION, type Request, type Response } from './protocol.js'

export interface ParserOptions {
  /** longest time that one text may take in the child, in milliseconds; then the child is killed and replaced */
  readonly timeout: number
  /** longest time that a child may take to start, in milliseconds */
  readonly startTimeout: number
}

/** A warm child process that parses and binds, one text at a time. It is replaced when it dies or overruns. */
export class ParserProcess {
  readonly #options: ParserOptions
  #child: Promise<Child> | null = null
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: ParserOptions) {
    this.#options = options
  }

  /** Starts the child if there is none, so that the first query does not wait for it. */
  async warm(): Promise<void> {
    await this.#start()
  }

  /**
   * @throws SluiceError ENGINE_FAILED, ENGINE_KILLED where the child died, TIME_EXCEEDED where it overran,
   * ENGINE_VERSION, INTERRUPTED
   */
  ask(request: Request, signal?: AbortSignal): Promise<Response> {
    const turn = this.#last.then(() => this.#ask(request, signal))
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async close(): Promise<void> {
    this.#closed = true
    const child = await this.#child?.catch(() => null)
    this.#child = null
    await child?.kill()
  }

  async #ask(request: Request, signal: AbortSignal | undefined): Promise<Response> {
    if (signal?.aborted) throw interrupted()
    const child = await this.#start()
    try {
      return await child.ask(request, this.#options.timeout, signal)
    } catch (error) {
      this.#child = null
      await child.kill()
      throw error
    }
  }

  #start(): Promise<Child> {
    if (this.#closed) throw new SluiceError('ENGINE_FAILED', 'the gate is closed')
    if (this.#child === null) {
      const starting = Child.start(this.#options.startTimeout)
      this.#child = starting
      starting.catch(() => {
        if (this.#child === starting) this.#child = null
      })
    }
    return this.#child
  }
}

/** One child: it answers until something goes wrong, then it is thrown away. */
class Child {
  readonly #process: ChildProcess
  readonly #exited: Promise<void>
  #settle: { resolve(response: Response): void; reject(error: SluiceError): void } | null = null
  #dead = false
  #ending = false

  private constructor() {
    this.#process = fork(childEntry(), [], {
      // Nothing of our environment, arguments or streams is the child's business.
      env: {},
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#exited = new Promise(resolve => {
      this.#process.once('exit', () => resolve())
      this.#process.once('error', () => resolve())
    })
    this.#process.on('message', (response: Response) => this.#settle?.resolve(response))
    void this.#exited.then(() => {
      this.#dead = true
      this.#settle?.reject(new SluiceError('ENGINE_KILLED', 'the process that parses queries ended'))
    })
    this.#hold(false)
  }

  static async start(timeout: number): Promise<Child> {
    const child = new Child()
    try {
      const ready = await child.#answer(timeout)
      if (ready.kind !== 'ready') {
        throw new SluiceError('ENGINE_FAILED', 'the process that parses queries did not start')
      }
      if (ready.version !== ENGINE_VERSION) {
        throw new SluiceError('ENGINE_VERSION', `the gate knows DuckDB ${ENGINE_VERSION} and no other`, {
          rule: 'engine.version',
          remedy: 'install the exact version of @duckdb/node-api that @sluice/sandbox names',
          facts: { expected: ENGINE_VERSION, found: ready.version },
        })
      }
      return child
    } catch (error) {
      await child.kill()
      throw error
    }
  }

  ask(request: Request, timeout: number, signal: AbortSignal | undefined): Promise<Response> {
    const answer = this.#answer(timeout, signal)
    if (!this.#dead) this.#process.send(request, () => undefined)
    return answer
  }

  async kill(): Promise<void> {
    if (this.#dead) return
    // an idle child holds no program; while its end is awaited, it has to
    this.#ending = true
    this.#process.ref()
    this.#process.kill('SIGKILL')
    await this.#exited
  }

  #answer(timeout: number, signal?: AbortSignal): Promise<Response> {
    return new Promise<Response>((resolve, reject) => {
      if (this.#dead) {
        reject(new SluiceError('ENGINE_KILLED', 'the process that parses queries ended'))
        return
      }
      const finish = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.#settle = null
        this.#hold(false)
      }
      const fail = (error: SluiceError) => {
        finish()
        reject(error)
      }
      const abort = () => fail(interrupted())
      const timer = setTimeout(() => {
        fail(
          new SluiceError('TIME_EXCEEDED', `the query was not understood within ${timeout} ms`, {
            rule: 'sql.time',
            remedy: 'write a simpler query',
          }),
        )
      }, timeout)
      signal?.addEventListener('abort', abort)
      this.#settle = {
        resolve: response => {
          finish()
          resolve(response)
        },
        reject: fail,
      }
      this.#hold(true)
    })
  }

  /** An idle child must not keep the program alive. */
  #hold(busy: boolean): void {
    if (busy) {
      this.#process.ref()
      this.#process.channel?.ref()
    } else if (!this.#ending) {
      this.#process.unref()
      this.#process.channel?.unref()
    }
  }
}

/** The bundle may have moved this code into a shared chunk, so the child is found from the package's root. */
function childEntry(): string {
  const root = dirname(createRequire(import.meta.url).resolve('@sluice/sandbox/package.json'))
  return join(root, 'dist', 'sql', 'parser-child.js')
}

function interrupted(): SluiceError {
  return new SluiceError('INTERRUPTED', 'interrupted')
}

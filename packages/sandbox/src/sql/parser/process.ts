import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { isSluiceError, SluiceError } from '@sluice/core'
import { CHILD_NODE_OPTIONS, isolationCommand } from '../../isolation/command.js'
import { detectIsolation, findPrograms, requireIsolation } from '../../isolation/detect.js'
import { watchMemory } from '../../isolation/memory.js'
import type { IsolationMode } from '../../isolation/mode.js'
import { packageFolders } from '../../isolation/packages.js'
import { IsolatedProcess } from '../../isolation/process.js'
import { ENGINE_VERSION, type Request, type Response, readResponse } from './protocol.js'

export interface ParserOptions {
  /** longest time that one text may take in the child, in milliseconds; then the child is killed and replaced */
  readonly timeout: number
  /** longest time that a child may take to start, in milliseconds */
  readonly startTimeout: number
  /** ceiling of the child's data segment */
  readonly memoryBytes: number
  /** runs under this isolation even where a stronger one works; else the strongest that works */
  readonly mode?: IsolationMode | undefined
  /** the least isolation that is accepted */
  readonly minimum?: IsolationMode | undefined
}

const ANSWER_BYTES = 64 * 1024 * 1024

/** A warm child process that parses and binds, one text at a time. It is replaced when it dies or overruns. */
export class ParserProcess {
  readonly #options: ParserOptions
  #child: Promise<Parser> | null = null
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: ParserOptions) {
    this.#options = options
  }

  /** Starts the child if there is none, so that the first query does not wait for it. */
  async warm(): Promise<void> {
    await this.#start()
  }

  /** How the child is kept apart. */
  async isolation(): Promise<IsolationMode> {
    return (await this.#start()).mode
  }

  /**
   * @throws SluiceError ENGINE_FAILED, ENGINE_KILLED where the child died, TIME_EXCEEDED and MEMORY_EXCEEDED where it
   * overran, ENGINE_VERSION, ISOLATION_MISSING, INTERRUPTED
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
    await child?.end()
  }

  async #ask(request: Request, signal: AbortSignal | undefined): Promise<Response> {
    if (signal?.aborted) throw interrupted()
    const child = await this.#start()
    try {
      return await child.ask(request, this.#options.timeout, signal)
    } catch (error) {
      this.#child = null
      await child.end()
      throw error
    }
  }

  #start(): Promise<Parser> {
    if (this.#closed) throw new SluiceError('ENGINE_FAILED', 'the gate is closed')
    if (this.#child === null) {
      const starting = Parser.start(this.#options)
      this.#child = starting
      starting.catch(() => {
        if (this.#child === starting) this.#child = null
      })
    }
    return this.#child
  }
}

/** One child: it answers until something goes wrong, then it is thrown away. It has no file of its own. */
class Parser {
  readonly mode: IsolationMode
  readonly #process: IsolatedProcess
  readonly #stopWatching: (() => void) | null

  private constructor(mode: IsolationMode, { memoryBytes }: ParserOptions) {
    const programs = findPrograms()
    const entry = childEntry()
    const readOnly = packageFolders(entry, ['@duckdb/node-bindings'])
    const view = { entry, readOnly, staging: null, nodeOptions: CHILD_NODE_OPTIONS }
    const command = isolationCommand(mode, view, programs, memoryBytes)
    if (command === null)
      throw new SluiceError('ISOLATION_MISSING', `"${mode}" does not work on this machine`)
    this.mode = mode
    this.#process = new IsolatedProcess({
      command,
      directory: '/',
      temporary: '/',
      limits: { jsonBytes: ANSWER_BYTES, totalBytes: Number.POSITIVE_INFINITY },
    })
    this.#stopWatching = programs.prlimit === null ? watchMemory(this.#process, memoryBytes) : null
  }

  static async start(options: ParserOptions): Promise<Parser> {
    const mode = options.mode ?? (await detectIsolation())
    requireIsolation(mode, options.minimum ?? 'process')
    const parser = new Parser(mode, options)
    try {
      const ready = await parser.#answer(options.startTimeout)
      if (ready.kind !== 'ready') {
        throw new SluiceError('ENGINE_FAILED', 'the process that parses queries did not start')
      }
      if (ready.version !== ENGINE_VERSION) {
        throw new SluiceError('ENGINE_VERSION', `the gate knows DuckDB ${ENGINE_VERSION} and no other`, {
          rule: 'engine.version',
          remedy: 'Install the exact version of @duckdb/node-api that @sluice/sandbox names.',
          facts: { expected: ENGINE_VERSION, found: ready.version },
        })
      }
      return parser
    } catch (error) {
      await parser.end()
      throw error
    }
  }

  ask(request: Request, timeout: number, signal: AbortSignal | undefined): Promise<Response> {
    return this.#answer(timeout, signal, request)
  }

  async end(): Promise<void> {
    this.#stopWatching?.()
    await this.#process.stop()
  }

  async #answer(timeout: number, signal?: AbortSignal, request?: Request): Promise<Response> {
    // an idle child keeps nobody's program alive; one that works does
    this.#process.hold()
    const timer = setTimeout(() => this.#process.kill(timeExceeded(timeout)), timeout)
    const abort = () => this.#process.kill(interrupted())
    signal?.addEventListener('abort', abort, { once: true })
    try {
      if (request !== undefined) await this.#process.send(request)
      const frame = await this.#process.receive()
      return readResponse(frame.kind === 'json' ? frame.value : undefined)
    } catch (error) {
      throw ofQuery(error)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      this.#process.letGo()
    }
  }
}

/** What ended a child, as it concerns the query that it worked on. */
function ofQuery(error: unknown): unknown {
  if (!isSluiceError(error)) return error
  switch (error.code) {
    case 'ENGINE_KILLED':
      return new SluiceError('ENGINE_KILLED', 'the process that parses queries ended', {
        rule: 'sql.engine',
        remedy: 'Submit it again; if it happens again, write a simpler query.',
      })
    case 'MEMORY_EXCEEDED':
    case 'RESULT_TOO_LARGE':
      return new SluiceError('MEMORY_EXCEEDED', 'the query takes more memory to understand than it may', {
        rule: 'sql.memory',
        remedy: 'Write a simpler query.',
      })
    default:
      return error
  }
}

function timeExceeded(milliseconds: number): SluiceError {
  return new SluiceError('TIME_EXCEEDED', `the query was not understood within ${milliseconds} ms`, {
    rule: 'sql.time',
    remedy: 'Write a simpler query.',
  })
}

/** The bundle may have moved this code into a shared chunk, so the child is found from the package's root. */
function childEntry(): string {
  const root = dirname(createRequire(import.meta.url).resolve('@sluice/sandbox/package.json'))
  return join(root, 'dist', 'sql', 'parser-child.js')
}

function interrupted(): SluiceError {
  return new SluiceError('INTERRUPTED', 'the query was not finished')
}

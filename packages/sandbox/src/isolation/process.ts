import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { type ErrorCode, SluiceError } from '@sluice/core'
import type { Command } from './command.js'
import { encodeBytes, encodeJson, type Frame, FrameDecoder, FrameError, type FrameLimits } from './frames.js'

export interface ProcessSettings {
  readonly command: Command
  /** the working directory outside */
  readonly directory: string
  /** the directory that the program inside takes for its home and its temporary files */
  readonly temporary: string
  readonly limits: FrameLimits
  /** descriptors of open files of this process that the program gets too; `fileInside` says where it finds them */
  readonly files?: readonly number[]
}

const STDERR_BYTES = 16_384

/**
 * A process that was started to be kept apart, and the frames that go to and fro. Every process that it started ends
 * with it, however it ends: `stop` kills the process group and waits for it.
 *
 * What it writes to stderr may carry values of the data: the first kilobytes are kept to tell a failed allocation
 * from another death, and are never shown.
 */
export class IsolatedProcess {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #decoder: FrameDecoder
  readonly #frames: Frame[] = []
  readonly #closed: Promise<void>
  #stderr = ''
  #failure: SluiceError | null = null
  #wake: (() => void) | null = null
  #held = false
  readonly #firstFile: number

  constructor({ command, directory, temporary, limits, files = [] }: ProcessSettings) {
    this.#decoder = new FrameDecoder(limits)
    const closed = inheritable()
    this.#firstFile = 3 + closed.length
    // a process group of its own, so that it can be killed whole
    const child = spawn(command.file, command.arguments, {
      cwd: directory,
      detached: true,
      env: environment(temporary),
      stdio: ['pipe', 'pipe', 'pipe', ...closed, ...files],
    }) as ChildProcessByStdio<Writable, Readable, Readable>
    this.#process = child
    child.stdin.on('error', () => this.#fail('ENGINE_KILLED'))
    child.stderr.on('data', (bytes: Buffer) => {
      if (this.#stderr.length < STDERR_BYTES) this.#stderr += bytes.toString('latin1')
    })
    child.stdout.on('data', (bytes: Buffer) => this.#receive(bytes))
    this.#closed = new Promise(resolve => {
      child.once('error', () => {
        this.#fail('ENGINE_FAILED')
        resolve()
      })
      child.once('close', (code, signal) => {
        this.#fail(this.#causeOfDeath(code, signal))
        resolve()
      })
    })
    this.#letGo()
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** The path by which the program opens one of the files that it got, whatever it sees of directories. Linux alone. */
  fileInside(index: number): string {
    return `/proc/self/fd/${this.#firstFile + index}`
  }

  /** Settles when the child has said its first word, or has ended. */
  async firstFrame(): Promise<void> {
    this.#reference()
    while (this.#frames.length === 0 && this.#failure === null) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    this.#letGo()
  }

  get alive(): boolean {
    return this.#failure === null
  }

  /** From here on the child keeps the program running, until it ends or is let go. */
  hold(): void {
    this.#held = true
    this.#reference()
  }

  letGo(): void {
    this.#held = false
    this.#letGo()
  }

  /**
   * All of its handles: its end is known only when the last pipe has closed, and the process's own handle is gone by
   * then.
   */
  #reference(): void {
    for (const handle of this.#handles()) handle.ref?.()
  }

  /** A child that waits for a job keeps nobody's program alive. */
  #letGo(): void {
    if (this.#held) return
    for (const handle of this.#handles()) handle.unref?.()
  }

  #handles(): Referenced[] {
    const { stdin, stdout, stderr } = this.#process
    return [this.#process, stdin, stdout, stderr] as Referenced[]
  }

  /** Sends one instruction, and the bytes that belong to it. */
  async send(instruction: unknown, buffers: readonly Uint8Array[] = []): Promise<void> {
    for (const part of [...encodeJson(instruction), ...buffers.flatMap(encodeBytes)]) {
      if (this.#failure) throw this.#failure
      if (!this.#process.stdin.write(part)) await this.#drained()
    }
  }

  /** The next frame. @throws the reason why none will come */
  async receive(): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame) return frame
      if (this.#failure) throw this.#failure
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** Ends it with SIGKILL for a reason that pending and later calls throw. */
  kill(reason: SluiceError): void {
    this.#failure ??= reason
    killGroup(this.#process.pid)
    this.#notify()
  }

  /** Ends its processes and waits for that; what it wrote is still there, and nobody writes to it any more. */
  async stop(): Promise<void> {
    this.hold()
    this.kill(new SluiceError('ENGINE_KILLED', 'the engine’s process has ended'))
    await this.#closed
  }

  #receive(bytes: Buffer): void {
    if (this.#failure) return
    try {
      this.#frames.push(...this.#decoder.push(bytes))
    } catch (error) {
      this.kill(frameError(error))
    }
    this.#notify()
  }

  #drained(): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        this.#process.stdin.off('drain', done)
        this.#process.off('close', done)
        resolve()
      }
      this.#process.stdin.once('drain', done)
      this.#process.once('close', done)
    })
  }

  #notify(): void {
    this.#wake?.()
    this.#wake = null
  }

  #fail(code: ErrorCode): void {
    this.#failure ??= deathError(code)
    this.#notify()
  }

  #causeOfDeath(code: number | null, signal: NodeJS.Signals | null): ErrorCode {
    // bubblewrap and util-linux report a signal as 128 + its number
    const aborted =
      signal === 'SIGABRT' ||
      signal === 'SIGTRAP' ||
      signal === 'SIGSEGV' ||
      [133, 134, 139].includes(code ?? 0)
    if (
      (aborted || code === 1) &&
      /out of memory|bad_alloc|cannot allocate|allocation fail/i.test(this.#stderr)
    ) {
      return 'MEMORY_EXCEEDED'
    }
    return 'ENGINE_KILLED'
  }
}

function frameError(error: unknown): SluiceError {
  if (error instanceof FrameError && error.reason === 'size') {
    return new SluiceError('RESULT_TOO_LARGE', 'the engine sent more than a result may hold', {
      rule: 'output-size',
      remedy: 'Release fewer rows or columns, or have the operator raise the limit.',
    })
  }
  return new SluiceError('ENGINE_FAILED', 'the engine’s process sent what is no answer', {
    rule: 'child-protocol',
  })
}

/** What the reader is told about an end that nobody asked for. */
export function deathError(code: ErrorCode): SluiceError {
  if (code === 'MEMORY_EXCEEDED') {
    return new SluiceError('MEMORY_EXCEEDED', 'the run needed more memory than it may use', {
      rule: 'memory',
      remedy: 'Group more coarsely, filter first, or have the operator raise the limit.',
    })
  }
  if (code === 'ENGINE_FAILED') {
    return new SluiceError('ENGINE_FAILED', 'the engine’s process could not be started', {
      remedy: 'Run sluice doctor.',
    })
  }
  return new SluiceError('ENGINE_KILLED', 'the engine’s process ended before its job was done', {
    remedy: 'Run it again; if it happens again, look for a machine that is out of memory.',
  })
}

/** Nothing of the parent's environment: it may hold keys and passphrases. */
function environment(temporary: string): Record<string, string> {
  return {
    PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
    HOME: temporary,
    TMPDIR: temporary,
    TZ: 'UTC',
    LANG: 'C.UTF-8',
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended already
  }
}

/**
 * Node opens its own descriptors close-on-exec, but what this program inherited from its own parent without that
 * flag would pass through. Each such descriptor is replaced by /dev/null in the child.
 */
function inheritable(): 'ignore'[] {
  let highest = 2
  try {
    for (const name of readdirSync('/proc/self/fdinfo')) {
      const descriptor = Number(name)
      if (descriptor > highest && !closesOnExec(descriptor)) highest = descriptor
    }
  } catch {
    // no /proc: a system where only process isolation exists
  }
  return Array.from({ length: highest - 2 }, () => 'ignore' as const)
}

const O_CLOEXEC = 0o2000000

function closesOnExec(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1]
    return (Number.parseInt(flags ?? '0', 8) & O_CLOEXEC) !== 0
  } catch {
    // closed since it was listed
    return true
  }
}

interface Referenced {
  ref?: () => void
  unref?: () => void
}

import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'sluice.js')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Terminal {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly ended: Promise<Ended>
  /** what it has written to stderr so far */
  said(): string
}

/**
 * `sluice` in a process of its own, for commands that wait for one another or are killed.
 *
 * @param node options of `node`, before the program
 */
export function terminal(cwd: string, words: readonly string[], node: readonly string[] = []): Terminal {
  const child = spawn(process.execPath, [...node, program, ...words], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', LANG: 'C' },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => {
    stdout += String(chunk)
  })
  child.stderr.on('data', chunk => {
    stderr += String(chunk)
  })
  const ended = new Promise<Ended>(resolve => {
    child.once('close', code => resolve({ code, stdout, stderr }))
  })
  return { child, ended, said: () => stderr }
}

/** For `node`, before a program: the disk is full for files of this name but the first of them. */
export function fullFor(name: RegExp): readonly string[] {
  const program = `
    import files from 'node:fs/promises'
    import { syncBuiltinESMExports } from 'node:module'
    const { open } = files
    let opened = 0
    files.open = async (path, ...more) => {
      if (${name}.test(path) && opened++ > 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      return open(path, ...more)
    }
    syncBuiltinESMExports()`
  return ['--import', `data:text/javascript,${encodeURIComponent(program)}`]
}

/**
 * For `node`, before a program: it halts as soon as it has said this on stderr, so that what is done to it then is done
 * at that moment however busy the machine is. `goOn` lets it go on.
 */
export function haltedAt(said: RegExp): readonly string[] {
  const program = `
    const write = process.stderr.write.bind(process.stderr)
    let all = ''
    let hasHalted = false
    process.stderr.write = (chunk, ...more) => {
      const done = write(chunk, ...more)
      all += chunk
      if (!hasHalted && ${said}.test(all)) {
        hasHalted = true
        process.kill(process.pid, 'SIGSTOP')
      }
      return done
    }`
  return ['--import', `data:text/javascript,${encodeURIComponent(program)}`]
}

/** What it said may be heard before it halts: it is told again and again. */
export function goOn(child: ChildProcess): void {
  const telling = setInterval(() => child.kill('SIGCONT'), 20)
  child.once('close', () => clearInterval(telling))
}

import { Interruption, type Io } from './io.js'
import { runProgram } from './program.js'

export { Interruption, type Io, type Sink } from './io.js'
export { loadTranslate } from './messages/catalogue.js'
export { commandReference } from './reference.js'

/**
 * Runs one command line and returns its exit code: 0 done, 1 our fault, 2 usage, 3 refused by policy or disclosure,
 * 4 not approved, 5 integrity failure, 6 bad input or environment, 7 try again later, 130 and 143 interrupted.
 *
 * It touches nothing of the process but what `io` holds, and never throws.
 *
 * @param argv the words after the program's name
 */
export function main(argv: readonly string[], io: Io): Promise<number> {
  return runProgram(argv, io)
}

/** The process's own command line: what `bin/sluice.js` calls. */
export async function run(): Promise<void> {
  const interrupted = new AbortController()
  const onSignal = (name: 'SIGINT' | 'SIGTERM') => {
    // the second time somebody means it: leave at once, as the shell would expect
    if (interrupted.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143)
    interrupted.abort(new Interruption(name))
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // whoever read has seen enough (`sluice request list | head`)
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
      throw error
    })
  }
  process.exitCode = await main(process.argv.slice(2), {
    cwd: process.cwd(),
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupted.signal,
    now: () => new Date(),
  })
  // a terminal that was asked for a passphrase would keep the process alive
  process.stdin.unref?.()
}

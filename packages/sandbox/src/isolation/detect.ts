import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { type Command, isolationCommand, type Programs } from './command.js'
import { ISOLATION_MODES, type IsolationMode, isAtLeast } from './mode.js'
import { Staging } from './staging.js'
import { findProgram } from './tools.js'

/** The programs that isolation can use, looked up once. */
export function findPrograms(): Programs {
  return {
    node: process.execPath,
    bwrap: findProgram('bwrap'),
    unshare: findProgram('unshare'),
    setpriv: findProgram('setpriv'),
    sh: findProgram('sh'),
    prlimit: findProgram('prlimit'),
  }
}

/**
 * Whether a mode works here, found out by running Node under it: an installed program proves nothing where the
 * kernel or a container forbids namespaces. The probe has to see no file of the outer root.
 */
export async function isUsable(mode: IsolationMode, programs: Programs = findPrograms()): Promise<boolean> {
  if (mode === 'process') return true
  if (process.platform !== 'linux') return false
  const staging = await Staging.create(join(tmpdir(), 'sluice-probe'))
  try {
    const outside = join(staging.path, 'in')
    const view = {
      entry: `if (fs.existsSync(${JSON.stringify(outside)})) process.exit(9); fs.writeFileSync('/sluice/tmp/probe', '')`,
      readOnly: [],
      staging: staging.path,
      nodeOptions: ['--eval'],
    }
    const command = isolationCommand(mode, view, programs, null)
    return command !== null && (await succeeds(command)) && existsSync(join(staging.path, 'tmp', 'probe'))
  } finally {
    await staging.remove()
  }
}

let detected: Promise<IsolationMode> | undefined

/** The strongest isolation that works on this machine; found out once a process. */
export function detectIsolation(): Promise<IsolationMode> {
  detected ??= (async () => {
    for (const mode of ISOLATION_MODES) if (await isUsable(mode)) return mode
    return 'process'
  })()
  return detected
}

/** @throws SluiceError ISOLATION_MISSING where `mode` is weaker than `minimum` */
export function requireIsolation(mode: IsolationMode, minimum: IsolationMode): void {
  if (isAtLeast(mode, minimum)) return
  throw new SluiceError(
    'ISOLATION_MISSING',
    `this data needs isolation "${minimum}" at least; this machine gives "${mode}"`,
    {
      rule: 'isolation',
      remedy:
        process.platform === 'linux'
          ? 'Install bubblewrap (apt install bubblewrap), allow unprivileged user namespaces, or lower the zone’s minimum.'
          : 'Run the zone on Linux, or lower its minimum.',
      facts: { minimum, available: mode },
    },
  )
}

function succeeds(command: Command): Promise<boolean> {
  return new Promise(resolve => {
    const child = spawn(command.file, command.arguments, {
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
      timeout: 10_000,
      killSignal: 'SIGKILL',
    })
    child.once('error', () => resolve(false))
    child.once('close', code => resolve(code === 0))
  })
}

#!/usr/bin/env node
// One entry for `npm test`, `npm run demo` and the rest: installs and builds what is missing, says what it is
// doing, skips what is already done, then runs the task. It needs Node and npm, and imports nothing installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const PNPM = '10.34.9'
const MINIMUM_NODE = [20, 19]
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamps = join(root, 'node_modules', '.sluice')
const packages = ['core', 'ledger', 'mpc', 'sandbox', 'cli']

const tasks = {
  demo: {
    help: 'the main job on real government data, in a new zone',
    run() {
      prepare()
      node('examples/demo/run.mjs', ...rest)
    },
  },
  test: {
    help: 'every test; arguments go to vitest, such as a path or -t NAME',
    run() {
      prepare()
      bin('vitest', 'run', ...rest)
    },
  },
  check: {
    help: 'format, lint, import rules, types of the tests, package contents',
    run() {
      prepare()
      all(
        () => bin('biome', 'check', '--error-on-warnings'),
        () => node('scripts/check-imports.mjs'),
        () => bin('tsc', '-p', 'tsconfig.tests.json'),
        () => node('scripts/check-packages.mjs'),
      )
    },
  },
  bench: {
    help: 'figures beside their peers: gate|governed|he|ledger|mpc|psi [--json]',
    run() {
      prepare()
      node('benchmarks/run.mjs', ...rest)
    },
  },
  build: { help: 'install and build what is missing, and nothing else', run: prepare },
  format: {
    help: 'write what the formatter and the linter can mend',
    run() {
      exclusively(install)
      bin('biome', 'check', '--write', ...rest)
    },
  },
}

/** A step failed and has said why; a message adds what to do. */
class Failure extends Error {
  constructor(message, exitCode) {
    super(message)
    this.exitCode = exitCode
  }
}

const [task, ...rest] = process.argv.slice(2)
requireNode()
if (task === '--help' || task === '-h' || task === 'help') {
  process.stdout.write(usage())
} else if (Object.hasOwn(tasks, task ?? '')) {
  try {
    tasks[task].run()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (error.message) process.stderr.write(`sluice: ${error.message}\n`)
    process.exitCode = error.exitCode
  }
} else {
  process.stderr.write(usage())
  process.exitCode = 2
}

function usage() {
  const lines = Object.entries(tasks).map(([name, { help }]) => `  ${name.padEnd(8)}${help}\n`)
  return `usage: node scripts/run.mjs TASK [arguments], or npm run TASK [-- arguments]\n${lines.join('')}`
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])) return
  process.stderr.write(
    `sluice: this needs Node ${MINIMUM_NODE.join('.')} or newer and runs on ${process.version}; Node 24 is recommended\n`,
  )
  process.exit(6)
}

function prepare() {
  exclusively(() => {
    install()
    build()
  })
}

/** One run at a time installs and builds in this clone; a lock whose process is gone is taken over. */
function exclusively(action) {
  mkdirSync(stamps, { recursive: true })
  const lock = join(stamps, 'lock')
  const mine = `${lock}.${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    let said = false
    while (!taken(mine, lock)) {
      const holder = holderOf(lock)
      if (holder !== undefined && !alive(holder)) rmSync(lock, { force: true })
      else if (holder !== undefined && !said) {
        process.stderr.write(`sluice: waiting for process ${holder}, which is building here\n`)
        said = true
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  } finally {
    rmSync(mine)
  }
  try {
    action()
  } finally {
    rmSync(lock, { force: true })
  }
}

/** A link appears whole, with the process's number in it, or not at all. */
function taken(mine, lock) {
  try {
    linkSync(mine, lock)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function holderOf(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Installs from the lock file, unless it and every manifest are what was installed last. */
function install() {
  const manifests = [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'package.json',
    ...manifestsOf('packages'),
    ...manifestsOf('.'),
  ]
  const fingerprint = hash([
    ...manifests.filter(file => existsSync(join(root, file))),
    process.versions.modules,
  ])
  once('install', fingerprint, 'installing dependencies from the npm registry', () => {
    const npm = ['exec', '--yes', '--loglevel=error', '--no-update-notifier', `--package=pnpm@${PNPM}`]
    const pnpm = ['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn']
    const quiet = ['--config.confirm-modules-purge=false', '--config.update-notifier=false']
    run('npm', ...npm, '--', 'pnpm', ...pnpm, ...quiet, {
      stdio: ['ignore', 'inherit', 'inherit'],
      remedy: 'the install needs the npm registry; see what npm or pnpm says above, then run this again',
    })
  })
}

/** Bundles the packages in the order of their dependencies, each unless its sources and those below are unchanged. */
function build() {
  let below = ''
  for (const name of packages) {
    const folder = join('packages', name)
    const sources = [
      join(folder, 'package.json'),
      join(folder, 'tsup.config.ts'),
      join(folder, 'tsconfig.json'),
      'tsconfig.base.json',
      'scripts/tsup.mjs',
      'scripts/assembly.mjs',
      'scripts/standalone.mjs',
      ...filesBelow(join(folder, 'assembly')),
      ...filesBelow(join(folder, 'src')),
    ]
    below = hash([...sources, below])
    once(
      `build-${name}`,
      below,
      `building @sluice/${name}`,
      () => {
        prune(folder)
        run(process.execPath, join(root, 'node_modules/tsup/dist/cli-default.js'), {
          cwd: join(root, folder),
        })
        bin('tsc', '-b', folder)
      },
      () => existsSync(join(root, folder, 'dist')),
    )
  }
}

/**
 * Removes what an earlier build left and this one would not write again: chunks, whose names carry a hash, and
 * declarations of files that are gone. What else is in `dist` stays (WebAssembly, the compiler's own record).
 */
function prune(folder) {
  for (const file of filesBelow(join(folder, 'dist'))) {
    const source = join(
      folder,
      'src',
      relative(join(folder, 'dist'), file).replace(/\.d\.ts(\.map)?$/, '.ts'),
    )
    const stale = /\.js(\.map)?$/.test(file) || (source.endsWith('.ts') && !existsSync(join(root, source)))
    if (stale) rmSync(join(root, file))
  }
}

function once(name, fingerprint, message, action, stillThere = () => true) {
  const stamp = join(stamps, name)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint && stillThere()) return
  process.stderr.write(`sluice: ${message}\n`)
  action()
  mkdirSync(stamps, { recursive: true })
  writeFileSync(stamp, fingerprint)
}

function hash(parts) {
  const digest = createHash('sha256')
  for (const part of parts) {
    const file = join(root, part)
    digest.update(`${part}\0`)
    if (part.includes('.') && existsSync(file)) digest.update(readFileSync(file))
  }
  return digest.digest('hex')
}

function filesBelow(folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

function manifestsOf(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(entry => entry.isDirectory() && entry.name !== 'node_modules')
    .map(entry => join(folder, entry.name, 'package.json'))
    .filter(file => existsSync(join(root, file)))
}

function bin(name, ...args) {
  const manifest = JSON.parse(
    readFileSync(join(root, 'node_modules', packageOf(name), 'package.json'), 'utf8'),
  )
  const file = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[name]
  node(join('node_modules', packageOf(name), file), ...args)
}

function packageOf(name) {
  return { biome: '@biomejs/biome', tsc: 'typescript' }[name] ?? name
}

function node(file, ...args) {
  run(process.execPath, join(root, file), ...args)
}

function run(command, ...args) {
  const { remedy, ...options } = typeof args.at(-1) === 'object' ? args.pop() : {}
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (result.error) throw new Failure(`could not start ${command}: ${result.error.message}`, 6)
  if (result.signal) throw new Failure('', 128 + constants.signals[result.signal])
  if (result.status !== 0) throw new Failure(remedy ?? '', result.status)
}

/** Runs every step, also after one failed, and fails as the first that did. */
function all(...steps) {
  const failures = steps.flatMap(step => {
    try {
      step()
      return []
    } catch (error) {
      return [error]
    }
  })
  if (failures.length > 0) throw failures[0]
}

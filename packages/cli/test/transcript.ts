import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type Io, main } from '@sluice/cli'

/**
 * A transcript: one behaviour of the command line in one self-contained file.
 *
 *     # what it shows
 *     @ zone                          begin where setup/zone.txt ends (it is run once, and copied)
 *     + cost.sql                      a file in the working directory, its lines after `| `
 *     | SELECT 1
 *     $ sluice key new a.key          a command line, run in this process
 *     $ process sluice --help         the same in a process of its own
 *     $ terminal sluice sign …        the same with a terminal; `< ` lines are typed at its questions
 *     < secret                        standard input
 *     > key made …                    standard output; a line `> ...` stands for any number of lines
 *     ! error …                       standard error
 *     = 6                             exit code, 0 where it is not given
 *
 * In what is expected, `{digest}`, `{time}` and so on (see KINDS) match; `{digest d}` also remembers, and `{d}` is what
 * was remembered, in commands too. Before `sluice` may stand `NAME=value`. Other commands: see BUILTINS.
 */
export interface Transcript {
  readonly setup: string | null
  readonly files: readonly { readonly name: string; readonly lines: readonly string[] }[]
  readonly steps: readonly Step[]
}

interface Step {
  readonly line: number
  readonly command: string
  readonly input: readonly string[]
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  readonly exitCode: number
}

export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

const KINDS: Readonly<Record<string, string>> = {
  any: '.*',
  digest: '[0-9a-f]{64}',
  hex: '[0-9a-f]+',
  request: 'r-[0-9a-f]{10}',
  time: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{3})?Z',
  number: '[\\d,.]+',
  key: '[a-z0-9-]+\\+[0-9a-f]{8}\\+[A-Za-z0-9+/]{44}',
  dir: '/.*',
  keyid: '[a-z0-9-]+\\+[0-9a-f]{8}',
  rule: '─+',
  escape: '\\u001b',
}

export function parseTranscript(text: string): Transcript {
  let setup: string | null = null
  const files: { name: string; lines: string[] }[] = []
  const steps: { -readonly [K in keyof Step]: Step[K] extends readonly string[] ? string[] : Step[K] }[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const body = line.slice(2)
    const step = steps.at(-1)
    const misplaced = () => new Error(`line ${index + 1} of the transcript stands where it cannot: ${line}`)
    if (line.startsWith('#') || line.trim() === '') continue
    if (line.startsWith('@ ')) setup = body
    else if (line.startsWith('+ ')) files.push({ name: body, lines: [] })
    else if (line.startsWith('$ ')) {
      steps.push({ line: index + 1, command: body, input: [], stdout: [], stderr: [], exitCode: 0 })
    } else if (line[0] === '|' && files.length > 0 && !step) files.at(-1)!.lines.push(body)
    else if (!step) throw misplaced()
    else if (line[0] === '<') step.input.push(body)
    else if (line[0] === '>') step.stdout.push(body)
    else if (line[0] === '!') step.stderr.push(body)
    else if (line[0] === '=') step.exitCode = Number(body)
    else throw misplaced()
  }
  return { setup, files, steps }
}

/** Runs every step in a directory of its own; returns what differed, or null. */
export async function runTranscript(transcript: Transcript): Promise<string | null> {
  const root = await temporaryRoot()
  try {
    const remembered = transcript.setup === null ? new Map() : await copySetup(transcript.setup, root)
    return await runIn(root, transcript, remembered)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

const SETUPS = join(dirname(fileURLToPath(import.meta.url)), 'transcripts', 'setup')
const prepared = new Map<string, Promise<Prepared>>()

export function temporaryRoot(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'sluice-transcript-'))
}

interface Prepared {
  readonly root: string
  readonly remembered: ReadonlyMap<string, string>
}

/** Copies what a setup left into a directory; returns what it remembered. */
export async function copySetup(name: string, root: string): Promise<Map<string, string>> {
  let setup = prepared.get(name)
  if (setup === undefined) {
    setup = prepare(name)
    prepared.set(name, setup)
  }
  const { root: from, remembered } = await setup
  await cp(from, root, { recursive: true })
  return new Map(remembered)
}

async function prepare(name: string): Promise<Prepared> {
  const transcript = parseTranscript(await readFile(join(SETUPS, `${name}.txt`), 'utf8'))
  const root = await mkdtemp(join(tmpdir(), 'sluice-setup-'))
  const remembered =
    transcript.setup === null ? new Map<string, string>() : await copySetup(transcript.setup, root)
  const difference = await runIn(root, transcript, remembered)
  if (difference) throw new Error(`setup/${name}.txt: ${difference}`)
  return { root, remembered }
}

/** Removes what setups left; after the last transcript. */
export async function removeSetups(): Promise<void> {
  for (const setup of prepared.values()) {
    const { root } = await setup.catch(() => ({ root: null }))
    if (root !== null) await rm(root, { recursive: true, force: true })
  }
  prepared.clear()
}

async function runIn(
  root: string,
  transcript: Transcript,
  remembered: Map<string, string>,
): Promise<string | null> {
  remembered.set('root', root)
  const state = { cwd: root, remembered }
  for (const { name, lines } of transcript.files) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), `${lines.join('\n')}\n`)
  }
  for (const step of transcript.steps) {
    const outcome = await runStep(step, state, root)
    const difference =
      compare('stdout', step.stdout, outcome.stdout, state.remembered) ??
      compare('stderr', step.stderr, outcome.stderr, state.remembered) ??
      (outcome.exitCode === step.exitCode ? null : `exit code ${outcome.exitCode}`)
    if (difference) return `line ${step.line}: $ ${step.command}\n${difference}\n\ngot:\n${written(outcome)}`
  }
  return null
}

export interface State {
  cwd: string
  readonly remembered: Map<string, string>
}

function runStep(step: Step, state: State, root: string): Promise<Outcome> {
  return runCommand(substituted(step.command, state.remembered), step.input, state, root)
}

/** One command line; `root` is the home of whoever types it. */
export async function runCommand(
  command: string,
  input: readonly string[],
  state: State,
  root: string,
): Promise<Outcome> {
  const words = wordsOf(command)
  const mode = ['process', 'terminal'].find(word => word === words[0])
  if (mode) words.shift()
  const env: Record<string, string> = {
    HOME: root,
    LANG: 'C',
    NO_COLOR: '1',
    PATH: process.env['PATH'] ?? '',
  }
  while (/^[A-Z_]+=/.test(words[0] ?? '')) {
    const [name = '', ...value] = words.shift()!.split('=')
    env[name] = value.join('=')
  }
  const [program = '', ...args] = words
  if (program !== 'sluice') return runBuiltin(program, args, state)
  if (mode === 'process') return runProcess(args, input, env, state.cwd)
  return runHere(args, input, env, state.cwd, mode === 'terminal')
}

async function runHere(
  argv: readonly string[],
  input: readonly string[],
  env: Io['env'],
  cwd: string,
  terminal: boolean,
): Promise<Outcome> {
  const typed = [...input]
  const stdin = Object.assign(new PassThrough(), { isTTY: terminal })
  if (!terminal) stdin.end(typed.map(line => `${line}\n`).join(''))
  const stdout = new Collected()
  const stderr = new Collected(text => {
    // somebody types when asked
    if (terminal && /[:\]] ?$/.test(text)) setImmediate(() => stdin.write(`${typed.shift() ?? ''}\n`))
  })
  const exitCode = await main(argv, {
    cwd,
    env,
    stdin,
    stdout,
    stderr: Object.assign(stderr, { isTTY: terminal }),
    signal: new AbortController().signal,
    now: () => new Date(),
  })
  return { stdout: stdout.text, stderr: stderr.text, exitCode }
}

class Collected extends Writable {
  readonly #chunks: Buffer[] = []

  constructor(seen: (text: string) => void = () => undefined) {
    super({
      write: (chunk: Buffer, _encoding, done) => {
        this.#chunks.push(chunk)
        seen(chunk.toString())
        done()
      },
    })
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString()
  }
}

const PROGRAM = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'sluice.js')

function runProcess(
  args: readonly string[],
  input: readonly string[],
  env: Record<string, string>,
  cwd: string,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, env })
    const stdout = new Collected()
    const stderr = new Collected()
    child.stdout.pipe(stdout)
    child.stderr.pipe(stderr)
    child.stdin.end(input.map(line => `${line}\n`).join(''))
    child.once('error', reject)
    child.once('close', code => resolve({ stdout: stdout.text, stderr: stderr.text, exitCode: code ?? -1 }))
  })
}

type Builtin = (args: readonly string[], state: State) => Promise<string>

/** What a transcript needs besides sluice, the same on every platform. */
const BUILTINS: Readonly<Record<string, Builtin>> = {
  cd: async ([directory = '.'], state) => {
    state.cwd = resolve(state.cwd, directory)
    return ''
  },
  mkdir: async ([directory = ''], state) => {
    await mkdir(resolve(state.cwd, directory), { recursive: true })
    return ''
  },
  copy: async ([from = '', to = ''], state) => {
    await cp(resolve(state.cwd, from), resolve(state.cwd, to), { recursive: true })
    return ''
  },
  cat: async ([file = ''], state) => readFile(resolve(state.cwd, file), 'utf8'),
  ls: async ([directory = '.'], state) => (await readdir(resolve(state.cwd, directory))).sort().join('\n'),
  /** replaces a text that stands in the file once */
  replace: async ([file = '', from = '', to = ''], state) => {
    const parts = (await readFile(resolve(state.cwd, file), 'utf8')).split(from)
    if (parts.length !== 2) throw new Error(`${from} stands ${parts.length - 1} times in ${file}`)
    await writeFile(resolve(state.cwd, file), parts.join(to))
    return ''
  },
  /** turns one bit of the byte in the middle of a file */
  flip: async ([file = ''], state) => {
    const handle = await open(resolve(state.cwd, file), 'r+')
    try {
      const at = Math.floor((await handle.stat()).size / 2)
      const byte = Buffer.alloc(1)
      await handle.read(byte, 0, 1, at)
      byte[0] = byte[0]! ^ 1
      await handle.write(byte, 0, 1, at)
    } finally {
      await handle.close()
    }
    return ''
  },
}

async function runBuiltin(name: string, args: readonly string[], state: State): Promise<Outcome> {
  const builtin = BUILTINS[name]
  if (!builtin) throw new Error(`a transcript knows no command ${name}`)
  return { stdout: await builtin(args, state), stderr: '', exitCode: 0 }
}

/** Words as a shell splits them, with '…' and "…"; nothing else is special. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(
      /'([^']*)'|"([^"]*)"/g,
      (_, single: string | undefined, double: string | undefined) => single ?? double ?? '',
    ),
  )
}

function substituted(text: string, remembered: ReadonlyMap<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => remembered.get(name) ?? whole)
}

function compare(
  stream: string,
  expected: readonly string[],
  actual: string,
  remembered: Map<string, string>,
): string | null {
  const lines = actual === '' ? [] : actual.replace(/\n$/, '').split('\n')
  let at = 0
  for (const [index, pattern] of expected.entries()) {
    if (pattern === '...') {
      const next = expected[index + 1]
      if (next === undefined) return null
      while (at < lines.length && !matches(next, lines[at]!, remembered)) at += 1
    } else {
      const line = lines[at]
      if (line === undefined || !matches(pattern, line, remembered)) {
        return `${stream} line ${at + 1}: expected\n  ${pattern}\ninstead of\n  ${line ?? '(the end)'}`
      }
      at += 1
    }
  }
  return at === lines.length ? null : `${stream} has more: ${lines[at]}`
}

/** The output is compared without blanks at the end of a line. */
function matches(pattern: string, line: string, remembered: Map<string, string>): boolean {
  const names: string[] = []
  const source = pattern
    .trimEnd()
    .split(/(\{[a-z]+(?: \w+)?\}|\{\w+\})/)
    .map(part => {
      const [, kind = '', name] = /^\{(\w+)(?: (\w+))?\}$/.exec(part) ?? []
      const known = remembered.get(kind)
      if (known !== undefined) return escaped(known)
      const regular = KINDS[kind]
      if (regular === undefined) return escaped(part)
      names.push(name ?? '')
      return `(${regular})`
    })
    .join('')
  const found = new RegExp(`^${source}$`).exec(line.trimEnd())
  if (!found) return false
  for (const [index, name] of names.entries()) if (name) remembered.set(name, found[index + 1]!)
  return true
}

function escaped(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}

/** What came, as a transcript would say it: to be read, and then copied where it is right. */
function written({ stdout, stderr, exitCode }: Outcome): string {
  const marked = (mark: string, text: string) =>
    text === ''
      ? []
      : text
          .replace(/\n$/, '')
          .split('\n')
          .map(line => `${mark} ${line}`)
  return [...marked('>', stdout), ...marked('!', stderr), ...(exitCode === 0 ? [] : [`= ${exitCode}`])].join(
    '\n',
  )
}

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { nearestNames, SluiceError } from '@sluice/core'
import { readText } from './input.js'
import type { Io, Sink } from './io.js'
import { LANGUAGES, type Language, localeLanguage } from './messages/catalogue.js'
import { FORMATS, type Format } from './output/format.js'
import { parseBytes, parseDuration } from './quantities.js'

/** What can be set once instead of with every command. */
export interface Settings {
  /** absolute; undefined where there is none to be found */
  readonly zone: string | undefined
  readonly key: string | undefined
  readonly passphraseFile: string | undefined
  readonly language: Language
  readonly color: boolean
  readonly format: Format | undefined
  /** milliseconds to wait for another process */
  readonly wait: number | undefined
  /** milliseconds that a run may take */
  readonly timeout: number | undefined
  /** bytes that a run may use */
  readonly memory: number | undefined
}

/** As written by a person: on the command line, in the environment or in a file. */
export type Given = Partial<Record<(typeof NAMES)[number], string>>

const NAMES = ['zone', 'key', 'lang', 'format', 'wait', 'timeout', 'memory'] as const
const ENVIRONMENT: Given = {
  zone: 'SLUICE_ZONE',
  key: 'SLUICE_KEY_FILE',
  lang: 'SLUICE_LANG',
  format: 'SLUICE_FORMAT',
  wait: 'SLUICE_WAIT',
  timeout: 'SLUICE_TIMEOUT',
  memory: 'SLUICE_MEMORY',
}
/** In a zone's own `sluice.yaml`: what the operator fixes for it. The zone itself reads `isolation`. */
const ZONE_NAMES: readonly string[] = ['lang', 'format', 'wait', 'timeout', 'memory', 'isolation']
/** In the user's `sluice/config.yaml`. How a zone isolates is not for a user to say. */
const USER_NAMES: readonly string[] = NAMES
const FILE_BYTES = 65_536

/**
 * A flag goes before the environment, that before the zone's `sluice.yaml`, that before the user's configuration
 * (`$XDG_CONFIG_HOME/sluice/config.yaml`, else below `~/.config`). Paths in a file are relative to it.
 *
 * @throws SluiceError USAGE for a flag or variable that cannot be read, FILE_FORMAT for such a file
 */
export async function readSettings(flags: Given, io: Io): Promise<Settings> {
  const environment = Object.fromEntries(
    Object.entries(ENVIRONMENT).flatMap(([name, variable]) => {
      const value = io.env[variable]
      return value ? [[name, value]] : []
    }),
  ) as Given
  const user = await readConfiguration(userConfiguration(io), USER_NAMES)
  const zone =
    absolute(flags.zone ?? environment.zone, io.cwd) ?? nearestZone(io.cwd) ?? absolute(user.zone, io.cwd)
  const ofZone = zone ? await readConfiguration(join(zone, 'sluice.yaml'), ZONE_NAMES) : {}
  const given = (name: keyof Given) => flags[name] ?? environment[name] ?? ofZone[name] ?? user[name]
  const number = (name: 'wait' | 'timeout' | 'memory', parse: (text: string) => number) => {
    const text = given(name)
    return text === undefined ? undefined : parse(text)
  }
  return {
    zone,
    key: absolute(flags.key ?? environment.key ?? user.key, io.cwd),
    passphraseFile: absolute(io.env['SLUICE_PASSPHRASE_FILE'] || undefined, io.cwd),
    language: oneOf('lang', given('lang'), LANGUAGES) ?? localeLanguage(io.env),
    color: usesColor(io.stdout, io.env),
    format: oneOf('format', given('format'), FORMATS),
    wait: number('wait', parseDuration),
    timeout: number('timeout', parseDuration),
    memory: number('memory', parseBytes),
  }
}

/** Colour where a person looks, unless they said otherwise (no-color.org). */
export function usesColor(sink: Sink, env: Io['env']): boolean {
  return sink.isTTY === true && !env['NO_COLOR']
}

/** The language that is known before anything was parsed, for errors in the command line itself. */
export function earlyLanguage(argv: readonly string[], env: Io['env']): Language {
  const at = argv.indexOf('--lang')
  const flag = at >= 0 ? argv[at + 1] : argv.find(word => word.startsWith('--lang='))?.slice('--lang='.length)
  const text = flag ?? env['SLUICE_LANG']
  return LANGUAGES.find(language => language === text) ?? localeLanguage(env)
}

/** The nearest zone at or above a directory. The SDK's `findZone`, without loading the SDK. */
function nearestZone(start: string): string | undefined {
  for (let directory = resolve(start); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'zone.json')) && existsSync(join(directory, 'ledger'))) return directory
    if (dirname(directory) === directory) return undefined
  }
}

function userConfiguration({ env }: Io): string {
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'sluice', 'config.yaml')
}

async function readConfiguration(path: string, names: readonly string[]): Promise<Given> {
  if (!existsSync(path)) return {}
  const { parse } = await import('yaml')
  const wrong = (detail: string, remedy: string) =>
    new SluiceError('FILE_FORMAT', `${path}: ${detail}`, { rule: 'configuration', remedy })
  let document: unknown
  try {
    document = parse(await readText(path, FILE_BYTES), { maxAliasCount: 0 })
  } catch {
    throw wrong('it is not YAML', 'Write one `name: value` a line.')
  }
  if (document === null) return {}
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw wrong('it is not a list of names and values', 'Write one `name: value` a line.')
  }
  const given: Given = {}
  for (const [name, value] of Object.entries(document)) {
    if (!names.includes(name)) {
      const [near] = nearestNames(name, names)
      throw wrong(
        `"${name}" is no setting${near ? `; did you mean "${near}"?` : ''}`,
        `Settings here: ${names.join(', ')}.`,
      )
    }
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw wrong(`"${name}" is not text`, `Write ${name}: and a value on one line.`)
    }
    const isPath = (name === 'zone' || name === 'key') && !isAbsolute(String(value))
    given[name as keyof Given] = isPath ? join(dirname(path), String(value)) : String(value)
  }
  return given
}

function absolute(path: string | undefined, cwd: string): string | undefined {
  return path === undefined ? undefined : resolve(cwd, path)
}

function oneOf<T extends string>(
  name: string,
  text: string | undefined,
  allowed: readonly T[],
): T | undefined {
  if (text === undefined) return undefined
  const found = allowed.find(value => value === text)
  if (found) return found
  throw new SluiceError('USAGE', `"${text}" is no value for ${name}`, {
    remedy: `Choose from: ${allowed.join(', ')}.`,
  })
}

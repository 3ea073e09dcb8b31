import { dirname, join } from 'node:path'
import { type Command, Option } from 'commander'
import type { Context } from '../context.js'
import { FORMATS } from '../output/format.js'

/** Options that several commands share, so that they read the same everywhere. */

const EXAMPLES = new WeakMap<Command, readonly string[]>()

export function example(command: Command, ...lines: readonly string[]): Command {
  EXAMPLES.set(command, lines)
  return command.addHelpText('after', () => {
    const title = command.createHelp().styleTitle('Example:')
    return `\n${title}\n${lines.map(line => `  $ ${line}`).join('\n')}`
  })
}

/** For the reference: what a command's help shows as its examples. */
export function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? []
}

export function keyOption(whose: string): Option {
  return new Option('--key <file>', `${whose} (else SLUICE_KEY_FILE)`)
}

/** Where `--key` names a column, or may be taken for one: jobs of several organizations. */
export function keyFileOption(whose: string): Option {
  return new Option('--key-file <file>', `${whose} (else SLUICE_KEY_FILE)`)
}

export function keysOption(whose: string): Option {
  return new Option('--key <file>', `${whose}; may stand several times (else SLUICE_KEY_FILE)`).argParser(
    (file: string, files: readonly string[] = []) => [...files, file],
  )
}

/** Tables lie beside the policy, under the names that its rules use. */
export function besidePolicy(context: Context, policy: string): (name: string) => string {
  return name => join(dirname(context.path(policy)), name)
}

export const ENCODINGS = ['utf-8', 'gbk'] as const

export function encodingOption(): Option {
  return new Option('--encoding <encoding>', 'of a CSV file').choices(ENCODINGS).default('utf-8')
}

export function unstatedOption(): Option {
  return new Option(
    '--unstated',
    'nothing beside the file states that rules with keys were applied; the ledger will say so',
  )
}

export function repeated(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string, texts: readonly string[] = []) => [
    ...texts,
    text,
  ])
}

export function outOption(what: string): Option {
  return new Option('--out <file>', `${what}; - is stdout`)
}

export function forceOption(): Option {
  return new Option('--force', 'replace a file that exists')
}

export function formatOption(): Option {
  return new Option(
    '--format <format>',
    'how the table is written (default: table; of a file, by its name)',
  ).choices(FORMATS)
}

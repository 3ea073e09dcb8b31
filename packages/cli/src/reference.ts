import type { Command, Option } from 'commander'
import { examplesOf } from './commands/options.js'
import { buildProgram } from './program.js'

/** The reference of every command in Markdown, made from the commands themselves: `docs/cli.md`. */
export function commandReference(): string {
  const program = buildProgram(() => async () => undefined)
  const leaves = leavesOf(program)
  return [
    '# The command line',
    '',
    program.description(),
    '',
    'Made from the commands themselves by `node packages/cli/scripts/generate.mjs`; a test keeps it current.',
    '',
    '## Everywhere',
    '',
    optionTable(program.options),
    '',
    'Settings: a flag goes before the environment (`SLUICE_ZONE`, `SLUICE_KEY_FILE`, `SLUICE_LANG`, `SLUICE_FORMAT`,',
    '`SLUICE_WAIT`, `SLUICE_TIMEOUT`, `SLUICE_MEMORY`), that before the zone’s `sluice.yaml`, that before the user’s',
    '`sluice/config.yaml` (below `$XDG_CONFIG_HOME` or `~/.config`). `SLUICE_PASSPHRASE_FILE` names a file whose first line',
    'opens an encrypted key. `NO_COLOR` turns colour off, `SLUICE_DEBUG=1` prints stacks.',
    '',
    'Exit codes: 0 done, 1 our fault, 2 usage, 3 refused by policy or disclosure, 4 not approved, 5 integrity failure,',
    '6 bad input or environment, 7 try again later, 130 and 143 interrupted.',
    '',
    ...leaves.flatMap(({ command, path }) => section(command, path)),
  ].join('\n')
}

interface Leaf {
  readonly command: Command
  readonly path: string
}

function leavesOf(command: Command, path = command.name()): Leaf[] {
  if (command.commands.length === 0) return [{ command, path }]
  return command.commands.flatMap(below => leavesOf(below, `${path} ${below.name()}`))
}

function section(command: Command, path: string): string[] {
  const words = command.registeredArguments.map(argument => `<${argument.name()}>`)
  return [
    `## ${path}`,
    '',
    `${capitalized(command.description())}.`,
    '',
    '```sh',
    [path, ...words, ...(command.options.length > 0 ? ['[options]'] : [])].join(' '),
    '```',
    '',
    ...(command.options.length === 0 ? [] : [optionTable(command.options), '']),
    '```sh',
    ...examplesOf(command),
    '```',
    '',
  ]
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map(
    ({ flags, description, argChoices, mandatory }) =>
      `| \`${flags.replaceAll('|', '\\|')}\` | ${description.replaceAll('|', '\\|')}${argChoices ? ` (${argChoices.join(', ')})` : ''}${mandatory ? '; required' : ''} |`,
  )
  return ['| Option | |', '|---|---|', ...rows].join('\n')
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

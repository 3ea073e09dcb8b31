import type { Command, Option } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** A static script made from the tree of commands: it starts no process while somebody types. */
export function completionScript(program: Command, shell: Shell): string {
  const everywhere = program.options.map(wordOf).filter(({ word }) => word !== '--version')
  return { bash, zsh, fish }[shell](commandsBelow(program, []), everywhere)
}

interface Word {
  readonly word: string
  readonly description: string
  readonly takesValue: boolean
}

interface Node {
  /** the words that lead to it: `[]` for the program, `['key', 'new']` for a command of a group */
  readonly path: readonly string[]
  readonly words: readonly Word[]
}

function commandsBelow(command: Command, path: readonly string[]): Node[] {
  const words = [
    ...command.commands.map(below => ({
      word: below.name(),
      description: below.description(),
      takesValue: false,
    })),
    ...(path.length === 0 ? [] : command.options.map(wordOf)),
  ]
  return [
    { path, words },
    ...command.commands.flatMap(below => commandsBelow(below, [...path, below.name()])),
  ]
}

function wordOf({ long, description, required }: Option): Word {
  return { word: long ?? '', description, takesValue: required }
}

/** Words to offer by the commands that stand before; a file name everywhere else. */
function bash(nodes: readonly Node[], everywhere: readonly Word[]): string {
  const steps = nodes
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => `      "${path.slice(0, -1).join(' ')} ${path.at(-1)}") path="${path.join(' ')}" ;;`)
  const offers = nodes.map(
    ({ path, words }) => `    "${path.join(' ')}") words="${words.map(({ word }) => word).join(' ')}" ;;`,
  )
  return `# sluice completion for bash
_sluice() {
  local path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${steps.join('\n')}
    esac
  done
  case "$path" in
${offers.join('\n')}
  esac
  words="$words ${everywhere.map(({ word }) => word).join(' ')}"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sluice sluice`
}

function zsh(nodes: readonly Node[], everywhere: readonly Word[]): string {
  return `#compdef sluice
# sluice completion for zsh
autoload -U +X bashcompinit && bashcompinit
${bash(nodes, everywhere)}`
}

function fish(nodes: readonly Node[], everywhere: readonly Word[]): string {
  const offer = (condition: string, { word, description, takesValue }: Word) => {
    const what = word.startsWith('--') ? `-l ${word.slice(2)}${takesValue ? ' -r' : ''}` : `-f -a ${word}`
    return `complete -c sluice${condition} ${what} -d '${description.replaceAll("'", '’')}'`
  }
  const lines = nodes.flatMap(({ path, words }) => {
    const seen = path.map(word => `__fish_seen_subcommand_from ${word}`).join('; and ')
    const condition = ` -n '${seen === '' ? '__fish_use_subcommand' : seen}'`
    return words.map(word => offer(condition, word))
  })
  return ['# sluice completion for fish', ...everywhere.map(word => offer('', word)), ...lines].join('\n')
}

import { Argument, type Command } from 'commander'
import { completionScript, SHELLS, type Shell } from '../output/completion.js'
import type { Act } from '../program.js'
import { example } from './options.js'

export function addCompletion(program: Command, act: Act): void {
  example(
    program
      .command('completion')
      .description('a script that completes commands and options in a shell')
      .addArgument(new Argument('<shell>').choices(SHELLS))
      .action(
        act(async (_context, _options, shell) => {
          const script = completionScript(program, shell as Shell)
          return { json: { shell, script }, text: () => script }
        }),
      ),
    'sluice completion bash > ~/.local/share/bash-completion/completions/sluice',
    'sluice completion zsh > ~/.zfunc/_sluice',
    'sluice completion fish > ~/.config/fish/completions/sluice.fish',
  )
}

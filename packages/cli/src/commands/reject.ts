import type { Command } from 'commander'
import { requestText } from '../output/request.js'
import type { Act } from '../program.js'
import { example, keyOption } from './options.js'

export function addReject(program: Command, act: Act): void {
  example(
    program
      .command('reject <id>')
      .description('somebody who could have approved says no; the request is over')
      .addOption(keyOption('your key'))
      .requiredOption('--reason <text>', 'why, for the record')
      .action(
        act<{ key?: string; reason: string }>(async (context, options, id) => {
          const signer = await context.signer(options.key)
          const request = await (await context.zone()).approvals.reject(id, signer, options.reason)
          return { json: request, text: ui => [ui.t('text.rejected'), requestText(request, ui)].join('\n') }
        }),
      ),
    'sluice reject r-1a2b3c4d5e --key owner.key --reason "not for this purpose"',
  )
}

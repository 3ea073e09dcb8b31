import type { Command } from 'commander'
import { requestText } from '../output/request.js'
import type { Act } from '../program.js'
import { example, keyOption } from './options.js'

export function addRevoke(program: Command, act: Act): void {
  example(
    program
      .command('revoke <id>')
      .description(
        'an approver takes their approval back, or the operator or auditor voids the request; from the next run on',
      )
      .addOption(keyOption('your key'))
      .requiredOption('--reason <text>', 'why, for the record')
      .action(
        act<{ key?: string; reason: string }>(async (context, options, id) => {
          const signer = await context.signer(options.key)
          const request = await (await context.zone()).approvals.revoke(id, signer, options.reason)
          return { json: request, text: ui => [ui.t('text.revoked'), requestText(request, ui)].join('\n') }
        }),
      ),
    'sluice revoke r-1a2b3c4d5e --key owner.key --reason "not for this purpose"',
  )
}

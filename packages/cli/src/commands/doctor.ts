import type { Command } from 'commander'
import { loadTranslate } from '../messages/catalogue.js'
import type { Act } from '../program.js'
import { example } from './options.js'

export function addDoctor(program: Command, act: Act): void {
  example(
    program
      .command('doctor')
      .description('what this machine gives: Node, engine, isolation, memory limit, disk, permissions')
      .action(
        act(async context => {
          const { examine } = await import('../examination.js')
          const findings = await examine(context)
          const translate = await loadTranslate(context.ui.language)
          return {
            json: findings,
            exitCode: findings.some(({ state }) => state === 'fail') ? 6 : 0,
            text: ui =>
              findings
                .map(({ check, state, detail, remedy }) => {
                  const style = ({ ok: 'green', warn: 'yellow', fail: 'red' } as const)[state]
                  return [
                    `${ui.style(style, ui.t(`check.${state}`))}  ${ui.t(`check.${check}`)}: ${translate(detail)}`,
                    ...(remedy === undefined ? [] : [`      ${ui.t('error.remedy')}: ${translate(remedy)}`]),
                  ].join('\n')
                })
                .join('\n'),
          }
        }),
      ),
    'sluice doctor',
  )
}

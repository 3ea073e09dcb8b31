import { visibleText } from '@sluice/core'
import type { ParameterValues } from '@sluice/core/plan'
import type { Command } from 'commander'
import type { Ui } from '../output/ui.js'
import type { Act } from '../program.js'
import { example, forceOption, formatOption, outOption } from './options.js'

export function addRelease(program: Command, act: Act): void {
  const release = program.command('release').description('released results, again and without a run')
  example(
    release
      .command('list')
      .description('what was released')
      .action(
        act(async context => {
          const releases = (await context.zone()).releases.list()
          return {
            json: releases,
            text: ui =>
              releases.length === 0
                ? ui.t('text.nothing')
                : ui.grid(
                    [
                      'label.release',
                      'label.request',
                      'label.time',
                      { head: ui.t('label.entry'), align: 'right' },
                      'label.isolation',
                      { head: ui.t('label.suppressed'), align: 'right' },
                    ],
                    releases.map(one => [
                      one.run,
                      one.request,
                      one.time,
                      String(one.entry),
                      one.isolation,
                      suppressedText(one.suppressed),
                    ]),
                  ),
          }
        }),
      ),
    'sluice release list',
  )
  example(
    release
      .command('show <run>')
      .description('a release: its request, parameters, and what was suppressed')
      .action(
        act(async (context, _options, run) => {
          const one = await (await context.zone()).releases.show(run)
          return {
            json: one,
            text: ui =>
              ui.fields([
                ['label.release', one.run],
                ['label.request', one.request],
                ['label.consumer', visibleText(one.consumer)],
                ['label.time', one.time],
                ['label.entry', one.entry],
                ['label.parameters', parametersText(one.parameters, ui)],
                [
                  'label.suppressed',
                  Object.entries(one.suppressed).map(([rule, count]) => `${rule}: ≤ ${count}`),
                ],
                ['label.isolation', one.isolation],
                ['label.milliseconds', `≤ ${one.milliseconds}`],
              ]),
          }
        }),
      ),
    'sluice release show 7b0d9c4e',
  )
  example(
    release
      .command('get <run>')
      .description('a released table, compared with what the ledger holds of it')
      .addOption(formatOption())
      .addOption(outOption('where the table goes'))
      .option('--receipt <file>', 'write the receipt there')
      .addOption(forceOption())
      .action(
        act<{ out?: string; receipt?: string; force?: boolean }>(async (context, options, run) => {
          const zone = await context.zone()
          const { deliverRelease } = await import('../output/release.js')
          return deliverRelease(context, await zone.releases.get(run), options)
        }),
      ),
    'sluice release get 7b0d9c --format csv --out result.csv',
  )
  example(
    release
      .command('erase <run>')
      .description('delete a released result and its parameters; its entry in the ledger stays')
      .action(
        act(async (context, _options, run) => {
          await (await context.zone()).releases.erase(run)
          return { json: { run, erased: true }, text: ui => ui.t('text.erased') }
        }),
      ),
    'sluice release erase 7b0d9c4e',
  )
}

/** The ledger holds these counts rounded up, and so does what is shown. */
function suppressedText(suppressed: Readonly<Record<string, number>>): string {
  const count = Object.values(suppressed).reduce((sum, of) => sum + of, 0)
  return count === 0 ? '0' : `≤ ${count.toLocaleString('en-US')}`
}

function parametersText(parameters: ParameterValues | null, ui: Ui): string[] | string {
  if (parameters === null) return ui.t('text.erasedParameters')
  return Object.entries(parameters).map(([name, value]) => visibleText(`${name} = ${String(value)}`))
}

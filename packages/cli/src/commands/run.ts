import type { Command } from 'commander'
import { parseValues } from '../parameters.js'
import type { Act } from '../program.js'
import { example, forceOption, formatOption, keyOption, outOption, repeated } from './options.js'

interface Running {
  readonly key?: string
  readonly param?: readonly string[]
  readonly out?: string
  readonly receipt?: string
  readonly force?: boolean
}

export function addRun(program: Command, act: Act): void {
  example(
    program
      .command('run <id>')
      .description('run an approved request once, and release what passes the checks')
      .addOption(keyOption('the operator’s key'))
      .addOption(repeated('--param <name=value>', 'a value for a parameter; may stand several times'))
      .addOption(formatOption())
      .addOption(outOption('where the released table goes'))
      .option('--receipt <file>', 'write the receipt there: it can be checked offline by anybody')
      .option('--timeout <span>', 'longest time that it may take, such as 5m')
      .option('--memory <amount>', 'most memory that it may use, such as 4GB')
      .addOption(forceOption())
      .action(
        act<Running>(async (context, options, id) => {
          const { timeout } = context.settings
          const operator = await context.signer(options.key)
          const parameters = parseValues(options.param ?? [])
          const zone = await context.zone()
          const released = await zone.run(id, operator, {
            parameters,
            signal: context.signal,
            onProgress: context.progress.report,
            ...(timeout !== undefined && { timeout }),
          })
          const { deliverRelease } = await import('../output/release.js')
          return deliverRelease(context, released, options)
        }),
      ),
    'sluice run r-1a2b3c4d5e --key operator.key --param year=2001',
    'sluice run r-1a2b3c4d5e --key operator.key --out result.parquet --receipt receipt.json',
  )
}

import { extname } from 'node:path'
import { SluiceError, visibleText } from '@sluice/core'
import type { CellCipher } from '@sluice/core/desensitize'
import type { FileFormat } from '@sluice/sandbox/io'
import { type Command, Option } from 'commander'
import type { Act } from '../program.js'
import { example, forceOption, keyOption } from './options.js'

interface Revealing {
  readonly column: string
  readonly secret: string
  readonly domain?: string
  readonly dataset?: string
  readonly cipher: CellCipher
  readonly reason: string
  readonly log: string
  readonly key?: string
  readonly out: string
  readonly force?: boolean
}

export function addToken(program: Command, act: Act): void {
  const token = program
    .command('token')
    .description('open what keyed rules have closed, on the record; the provider’s own, needs no zone')
  example(
    token
      .command('reveal <file>')
      .description('open reversible tokens, or encrypted cells, after recording who opens them and why')
      .requiredOption('--column <name>', 'the column that holds them')
      .requiredOption('--secret <file>', 'the secret under which they were made')
      .option('--domain <domain>', 'the join domain of reversible tokens')
      .option('--dataset <name>', 'the dataset of encrypted cells')
      .addOption(
        new Option('--cipher <cipher>', 'of encrypted cells')
          .choices(['aes-256-gcm', 'sm4-gcm'])
          .default('aes-256-gcm'),
      )
      .requiredOption('--reason <text>', 'why, for the record')
      .requiredOption('--log <file>', 'the record, to which a signed line is added')
      .addOption(keyOption('the key of who opens'))
      .requiredOption(
        '--out <file>',
        'where the opened copy goes: .parquet, .csv or .arrow, else as the file is',
      )
      .addOption(forceOption())
      .action(
        act<Revealing>(async (context, options, file) => {
          const sealed = sealedOf(options)
          const signer = await context.signer(options.key)
          const [{ SecretFile }, { recordReveal }, { revealFile }] = await Promise.all([
            import('@sluice/ledger/keys'),
            import('@sluice/ledger/reveals'),
            import('@sluice/sandbox/reveal'),
          ])
          const { id, secret } = await SecretFile.open(context.path(options.secret))
          const format = FORMATS[extname(options.out).toLowerCase()]
          let digest = ''
          const { rows, opened, refused } = await revealFile({
            from: context.path(file),
            to: context.path(options.out),
            column: options.column,
            sealed,
            secret,
            async record(input) {
              const { what, scope } = sealed
              const reveal = {
                what,
                scope,
                column: options.column,
                input,
                secret: id,
                reason: options.reason,
              }
              const { wait } = context.settings
              const recorded = await recordReveal(context.path(options.log), reveal, signer, {
                now: context.io.now,
                signal: context.signal,
                ...(wait !== undefined && { wait }),
              })
              digest = recorded.digest
            },
            ...(format !== undefined && { format }),
            ...(options.force === true && { force: true }),
            signal: context.signal,
            onProgress: context.progress.report,
          })
          return {
            json: { file: context.path(options.out), rows, opened, refused, record: digest },
            text: ui =>
              [
                ui.t('text.revealed'),
                ui.fields([
                  ['label.rows', rows],
                  ['label.opened', opened],
                  ['label.refused', refused],
                  ['label.record', digest],
                ]),
                ...(refused > 0 ? [ui.t('text.refused')] : []),
              ].join('\n'),
          }
        }),
      ),
    'sluice token reveal fraud.csv --column person --secret tax.secret --domain credit --reason "case 17, prosecutor’s request" --log reveals.log --key owner.key --out opened.csv',
  )
  example(
    token
      .command('log <file>')
      .description('check the record of what was opened, and show it')
      .action(
        act(async (context, _options, file) => {
          const { readReveals } = await import('@sluice/ledger/reveals')
          const { records, digest } = await readReveals(context.path(file))
          return {
            json: { file: context.path(file), records, digest },
            text: ui =>
              [
                ui.grid(
                  ['label.time', 'label.name', 'label.kind', 'text.column', 'label.reason'],
                  records.map(({ time, by, what, scope, column, reason }) => [
                    time,
                    by.split('+', 1)[0]!,
                    visibleText(`${what} ${scope}`),
                    visibleText(column),
                    visibleText(reason),
                  ]),
                ),
                '',
                ui.fields([['label.record', digest]]),
              ].join('\n'),
          }
        }),
      ),
    'sluice token log reveals.log',
  )
}

const FORMATS: Readonly<Record<string, FileFormat | undefined>> = {
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.arrow': 'arrow',
}

function sealedOf({ domain, dataset, cipher }: Revealing) {
  if (domain !== undefined && dataset === undefined) return { what: 'tokens', scope: domain } as const
  if (dataset !== undefined && domain === undefined) return { what: 'cells', scope: dataset, cipher } as const
  throw new SluiceError('USAGE', 'tokens have a join domain, encrypted cells a dataset: name one of them', {
    remedy: 'Add --domain DOMAIN, or --dataset NAME.',
  })
}

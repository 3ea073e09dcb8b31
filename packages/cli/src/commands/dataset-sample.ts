import { extname } from 'node:path'
import type { FileFormat } from '@sluice/sandbox/io'
import { type Command, Option } from 'commander'
import { assertFree, writeFile } from '../output/file.js'
import type { Act } from '../program.js'
import { example, forceOption, keyOption } from './options.js'

interface Sampling {
  readonly rows?: string
  readonly for?: string
  readonly out: string
  readonly key?: string
  readonly force?: boolean
}

export function addSample(dataset: Command, act: Act): void {
  example(
    dataset
      .command('sample <name>')
      .description('give a consumer a stand-in to develop against (可用不可见), as the policy allows')
      .option('--rows <count>', 'so many rows at most (default: as many as the policy allows)')
      .option('--for <consumer>', 'to whom it is given (default: the policy’s one consumer)')
      .requiredOption(
        '--out <file>',
        'where it goes: .parquet, .csv or .arrow; its statement is put beside it',
      )
      .addOption(keyOption('the operator’s key'))
      .option('--timeout <span>', 'longest time that each run may take, such as 5m')
      .addOption(forceOption())
      .action(
        act<Sampling>(async (context, options, name) => {
          const format = await formatOf(options.out)
          const rows = options.rows === undefined ? undefined : await countOf(options.rows)
          const path = context.path(options.out)
          const beside = `${path}.sample.json`
          if (options.force !== true) for (const one of [path, beside]) await assertFree(one)
          const operator = await context.signer(options.key)
          const zone = await context.zone()
          const { timeout } = context.settings
          const made = await zone.datasets.sample(name, operator, {
            format,
            signal: context.signal,
            onProgress: context.progress.report,
            ...(rows !== undefined && { rows }),
            ...(options.for !== undefined && { consumer: options.for }),
            ...(timeout !== undefined && { timeout }),
          })
          const { sampleStatement } = await import('@sluice/sandbox')
          await writeFile(path, made.bytes, options.force === true)
          await writeFile(beside, sampleStatement(made), options.force === true)
          const { mark, consumer, receipt, sample } = made
          return {
            json: {
              ...mark,
              consumer,
              entry: receipt.index,
              sample: sample.sample,
              format,
              file: path,
              statement: beside,
            },
            text: ui =>
              [
                ui.t(mark.mode === 'rows' ? 'text.sampleRows' : 'text.sampleSynthetic'),
                ui.fields([
                  ['label.dataset', `${mark.dataset} v${mark.version}`],
                  ['label.rows', mark.rows],
                  ['label.consumer', consumer],
                  ['label.entry', receipt.index],
                  ['label.file', options.out],
                  ['label.statement', `${options.out}.sample.json`],
                ]),
              ].join('\n'),
          }
        }),
      ),
    'sluice dataset sample bird_strikes --rows 500 --out bird_strikes.parquet --key operator.key',
  )
  example(
    dataset
      .command('consent <name>')
      .description('consent to stand-ins under the policy in force, where it asks for more than the owner')
      .addOption(new Option('--expires <when>', 'until when: a span such as 90d, or a time').default('90d'))
      .addOption(keyOption('the reviewer’s key, or that of whom the policy names'))
      .action(
        act<{ expires: string; key?: string }>(async (context, { expires, key }, name) => {
          const approver = await context.signer(key)
          const consent = await (await context.zone()).datasets.consentToSample(name, approver, { expires })
          return {
            json: consent,
            text: ui =>
              [
                ui.t('text.sampleConsent'),
                ui.fields([
                  ['label.dataset', `${consent.dataset} v${consent.version}`],
                  ['label.policyDigest', consent.policyDigest],
                  ['label.expires', consent.expires],
                ]),
              ].join('\n'),
          }
        }),
      ),
    'sluice dataset consent bird_strikes --expires 90d --key reviewer.key',
  )
}

async function formatOf(path: string): Promise<FileFormat> {
  const formats: Readonly<Record<string, FileFormat>> = {
    '.parquet': 'parquet',
    '.csv': 'csv',
    '.arrow': 'arrow',
  }
  const format = formats[extname(path).toLowerCase()]
  if (format !== undefined) return format
  const { SluiceError } = await import('@sluice/core')
  throw new SluiceError('USAGE', 'a stand-in is written as .parquet, .csv or .arrow', {
    remedy: 'End the name behind --out with one of these.',
  })
}

async function countOf(text: string): Promise<number> {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && Number.isSafeInteger(count)) return count
  const { SluiceError } = await import('@sluice/core')
  throw new SluiceError('USAGE', 'the number of rows is a whole number, 1 or more', {
    remedy: 'Write --rows 1000, for one.',
  })
}

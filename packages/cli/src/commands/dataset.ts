import type { DatasetSummary } from '@sluice/sandbox'
import type { Command } from 'commander'
import type { Context } from '../context.js'
import type { MessageKey } from '../messages/en.js'
import type { Reply } from '../output/reply.js'
import type { Act } from '../program.js'
import { addSample } from './dataset-sample.js'
import {
  besidePolicy,
  type ENCODINGS,
  encodingOption,
  example,
  keyOption,
  unstatedOption,
} from './options.js'

const POLICY_BYTES = 256 * 1024

interface Registering {
  readonly from: string
  readonly policy?: string
  readonly owner?: string
  readonly key?: string
  readonly schemaChange?: boolean
  readonly encoding?: (typeof ENCODINGS)[number]
  readonly unstated?: boolean
}

export function addDataset(program: Command, act: Act): void {
  const dataset = program.command('dataset').description('register data under a policy, version by version')
  example(
    dataset
      .command('add <name>')
      .description('register a Parquet, CSV or Arrow file as a new dataset, signed by its owner')
      .requiredOption('--from <file>', 'the data; its format is told by its content')
      .requiredOption('--policy <file>', 'its policy, YAML or JSON')
      .option('--owner <name>', 'who owns it; checked against the key')
      .addOption(encodingOption())
      .addOption(unstatedOption())
      .addOption(keyOption('the owner’s key'))
      .action(
        act<Registering & { policy: string }>(async (context, options, name) => {
          const owner = await ownerOf(context, options)
          const policy = await context.source(options.policy, POLICY_BYTES)
          const zone = await context.zone()
          const draft = {
            name,
            from: context.path(options.from),
            policy,
            policySource: options.policy,
            tables: besidePolicy(context, options.policy),
            ...reading(options),
          }
          return reply('text.datasetAdded', await zone.datasets.add(draft, owner, working(context)))
        }),
      ),
    'sluice dataset add bird_strikes --from birdstrikes.csv --policy strikes.policy.yaml --key owner.key',
  )
  example(
    dataset
      .command('update <name>')
      .description('register a file as the next version; its columns have to be the same')
      .requiredOption('--from <file>', 'the data')
      .option('--policy <file>', 'a new policy with it (default: the one in force)')
      .option('--owner <name>', 'who owns it; checked against the key')
      .addOption(encodingOption())
      .addOption(unstatedOption())
      .option('--schema-change', 'the columns may differ; requests for the old ones are void')
      .addOption(keyOption('the owner’s key'))
      .action(
        act<Registering>(async (context, options, name) => {
          const owner = await ownerOf(context, options)
          const zone = await context.zone()
          const draft = {
            name,
            from: context.path(options.from),
            ...(options.policy !== undefined && {
              policy: await context.source(options.policy, POLICY_BYTES),
              policySource: options.policy,
              tables: besidePolicy(context, options.policy),
            }),
            ...reading(options),
          }
          const updating = { ...working(context), schemaMayChange: options.schemaChange === true }
          return reply('text.datasetUpdated', await zone.datasets.update(draft, owner, updating))
        }),
      ),
    'sluice dataset update bird_strikes --from birdstrikes-2025.csv --key owner.key',
  )
  addSample(dataset, act)
  example(
    dataset
      .command('retire <name>')
      .description('nothing runs on it any more; its file is deleted, its record stays')
      .addOption(keyOption('the owner’s key'))
      .action(
        act<{ key?: string }>(async (context, options, name) => {
          const owner = await context.signer(options.key)
          await (await context.zone()).datasets.retire(name, owner)
          return { json: { name, retired: true }, text: ui => `${ui.t('text.datasetRetired')}: ${name}` }
        }),
      ),
    'sluice dataset retire bird_strikes --key owner.key',
  )
  example(
    dataset
      .command('list')
      .description('what is registered')
      .action(
        act(async context => {
          const datasets = (await context.zone()).datasets.list()
          return {
            json: datasets.map(summaryJson),
            text: ui =>
              datasets.length === 0
                ? ui.t('text.nothing')
                : ui.grid(
                    [
                      'label.name',
                      { head: ui.t('label.version'), align: 'right' },
                      'label.owner',
                      'label.grade',
                      { head: ui.t('label.rows'), align: 'right' },
                      'label.since',
                    ],
                    datasets.map(one => [
                      one.retired ? `${one.name} (${ui.t('text.retired')})` : one.name,
                      String(one.version),
                      one.owner,
                      one.grade,
                      `≤ ${one.rows.toLocaleString('en-US')}`,
                      one.since,
                    ]),
                  ),
          }
        }),
      ),
    'sluice dataset list',
  )
  example(
    dataset
      .command('show <name>')
      .description('its columns, and what its policy allows with each; never a value')
      .action(
        act(async (context, _options, name) => {
          const one = (await context.zone()).datasets.show(name)
          const { datasetText } = await import('../output/dataset.js')
          const { policyToJson } = await import('@sluice/core/policy')
          return {
            json: { ...summaryJson(one), policy: policyToJson(one.policy) },
            text: ui => datasetText(one, ui),
          }
        }),
      ),
    'sluice dataset show bird_strikes',
  )
}

async function reply(said: MessageKey, dataset: DatasetSummary): Promise<Reply> {
  const { datasetText } = await import('../output/dataset.js')
  return {
    json: summaryJson(dataset),
    text: ui => `${ui.t(said)}\n${datasetText(dataset, ui)}`,
  }
}

function summaryJson({ policy: _, ...summary }: DatasetSummary): object {
  return summary
}

function reading({ encoding, unstated }: Registering) {
  return { ...(encoding && { encoding }), ...(unstated === true && { unstated }) }
}

function working(context: Context) {
  return { signal: context.signal, onProgress: context.progress.report }
}

async function ownerOf(context: Context, options: Registering) {
  const key = await context.signer(options.key)
  if (options.owner === undefined || options.owner === key.name) return key
  const { SluiceError } = await import('@sluice/core')
  throw new SluiceError('ROLE_DENIED', `the key is that of "${key.name}", not of "${options.owner}"`, {
    rule: 'dataset.owner',
    remedy: 'Name the owner’s key with --key FILE.',
  })
}

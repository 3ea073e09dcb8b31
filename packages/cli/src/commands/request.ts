import { visibleText } from '@sluice/core'
import { type Command, Option } from 'commander'
import type { Context } from '../context.js'
import { readJob } from '../job.js'
import { deliver } from '../output/deliver.js'
import { requestText, statusText } from '../output/request.js'
import { parseParameterDeclaration } from '../parameters.js'
import type { Act } from '../program.js'
import { parseCount } from '../quantities.js'
import { example, forceOption, keyOption, outOption, repeated } from './options.js'

interface Submitting {
  readonly as?: string
  readonly purpose?: string
  readonly param?: readonly string[]
  readonly maxRuns?: string
  readonly aggregation?: string
  readonly key?: string
}

export function addRequest(program: Command, act: Act): void {
  const request = program.command('request').description('ask for a query to be run')
  example(
    request
      .command('submit <file>')
      .description('translate, review and record a request from FILE.sql or a job (FILE.yaml)')
      .option('--as <name>', 'who asks; checked against the key')
      .option('--purpose <text>', 'what the result is for; one that the owner allows')
      .addOption(
        repeated(
          '--param <name:type[:min..max][=default]>',
          'declare a parameter that the query names as $name',
        ),
      )
      .option('--max-runs <number>', 'how often it may be run (default: 1)')
      .option('--aggregation <file>', 'run it as this homomorphic aggregation (`sluice he keygen`)')
      .addOption(keyOption('the consumer’s key'))
      .action(
        act<Submitting>(async (context, options, file) => {
          const { SluiceError } = await import('@sluice/core')
          const consumer = await context.signer(options.key)
          if (options.as !== undefined && options.as !== consumer.name) {
            throw new SluiceError(
              'ROLE_DENIED',
              `the key is that of "${consumer.name}", not of "${options.as}"`,
              {
                rule: 'request.consumer',
                remedy: 'Name the consumer’s key with --key FILE.',
              },
            )
          }
          const job = await readJob(context, file)
          const purpose = options.purpose ?? job.purpose
          if (purpose === undefined) {
            throw new SluiceError('USAGE', 'a request says what its result is for', {
              remedy:
                'Add --purpose TEXT, one that the owners of the data allow (`sluice dataset show NAME`).',
            })
          }
          const maxRuns = options.maxRuns === undefined ? job.maxRuns : parseCount(options.maxRuns)
          const parameters = [...job.parameters, ...(options.param ?? []).map(parseParameterDeclaration)]
          const aggregation =
            options.aggregation === undefined ? undefined : await aggregationOf(context, options.aggregation)
          const zone = await context.zone()
          const submitted = await zone.requests.submit(
            {
              sql: job.sql,
              purpose,
              parameters,
              ...(maxRuns !== undefined && { maxRuns }),
              ...(aggregation && { aggregation }),
            },
            consumer,
            { signal: context.signal },
          )
          const { requiredText } = await import('../output/review.js')
          const { approvals } = zone.requests.review(submitted.digest)
          return {
            json: { ...submitted, requires: approvals },
            text: ui =>
              [ui.t('text.requestSubmitted'), requestText(submitted, ui, approvals.map(requiredText))].join(
                '\n',
              ),
          }
        }),
      ),
    'sluice request submit cost.sql --as insurer --purpose aviation-safety --key insurer.key',
    'sluice request submit job.yaml --key insurer.key',
  )
  example(
    request
      .command('list')
      .description('every request and its status')
      .addOption(new Option('--status <status>', 'only those'))
      .action(
        act<{ status?: string }>(async (context, { status }) => {
          const all = (await context.zone()).requests.list()
          const requests = status === undefined ? all : all.filter(one => one.status === status)
          return {
            json: requests,
            text: ui =>
              requests.length === 0
                ? ui.t('text.nothing')
                : ui.grid(
                    ['label.request', 'label.status', 'label.consumer', 'label.purpose', 'label.time'],
                    requests.map(one => [
                      one.id,
                      one.status,
                      one.consumer,
                      visibleText(one.purpose),
                      one.time,
                    ]),
                  ),
          }
        }),
      ),
    'sluice request list --status submitted',
  )
  example(
    request
      .command('show <id>')
      .description('a request as an approver reads it, reviewed under the policies now in force')
      .action(
        act(async (context, _options, id) => {
          const zone = await context.zone()
          const summary = zone.requests.show(id)
          const [{ reviewExport }, { reviewJson, reviewText }] = await Promise.all([
            import('../review.js'),
            import('../output/review.js'),
          ])
          const reviewed = await reviewExport(zone.requests.export(id), context.io.now())
          return {
            json: { ...reviewJson(reviewed), ...summary },
            text: ui => [statusText(summary, ui), '', reviewText(reviewed, ui)].join('\n'),
          }
        }),
      ),
    'sluice request show r-1a2b3c4d5e',
  )
  example(
    request
      .command('export <id>')
      .description('the request for those who must approve it: read and signed elsewhere by `sluice sign`')
      .addOption(outOption('where to'))
      .addOption(forceOption())
      .action(
        act<{ out?: string; force?: boolean }>(async (context, options, id) => {
          const zone = await context.zone()
          const { digest } = zone.requests.show(id)
          return deliver(context, zone.requests.export(id), options, {
            json: { request: id, digest },
            text: ui => [ui.t('text.exported'), ui.fields([['label.digest', digest]])].join('\n'),
          })
        }),
      ),
    'sluice request export r-1a2b3c4d5e --out request.json',
  )
  example(
    request
      .command('withdraw <id>')
      .description('the consumer takes a request back')
      .addOption(keyOption('the consumer’s key'))
      .action(
        act<{ key?: string }>(async (context, options, id) => {
          const consumer = await context.signer(options.key)
          const withdrawn = await (await context.zone()).requests.withdraw(id, consumer)
          return { json: withdrawn, text: ui => `${ui.t('text.requestWithdrawn')}: ${withdrawn.id}` }
        }),
      ),
    'sluice request withdraw r-1a2b3c4d5e --key insurer.key',
  )
}

async function aggregationOf(context: Context, file: string): Promise<{ engine: string; digest: string }> {
  const { readAggregation } = await import('../aggregation/files.js')
  const { aggregationDigest } = await import('@sluice/core/he')
  const aggregation = await readAggregation(context, file)
  return { engine: aggregation.engine, digest: aggregationDigest(aggregation) }
}

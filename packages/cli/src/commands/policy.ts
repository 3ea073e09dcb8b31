import type { Command } from 'commander'
import { jsonText } from '../output/reply.js'
import type { Act } from '../program.js'
import { besidePolicy, example, keyOption, unstatedOption } from './options.js'

const POLICY_BYTES = 256 * 1024

export function addPolicy(program: Command, act: Act): void {
  const policy = program.command('policy').description('check policies, and put them in force')
  example(
    policy
      .command('check <file>')
      .description('read a policy and say what is wrong with it; needs no zone')
      .action(
        act(async (context, _options, file) => {
          const text = await context.source(file, POLICY_BYTES)
          const [{ parsePolicy, policyDigest, policyToJson }, { limitsText }] = await Promise.all([
            import('@sluice/core/policy'),
            import('../output/dataset.js'),
          ])
          const parsed = parsePolicy(text, { source: file })
          const digest = policyDigest(parsed)
          return {
            json: { file: context.path(file), digest, policy: policyToJson(parsed) },
            text: ui =>
              [
                ui.t('text.policyHolds'),
                ui.fields([
                  ['label.owner', parsed.owner],
                  ['label.grade', parsed.grade],
                  ['label.limits', limitsText(parsed.disclosure, ui)],
                  ['label.columns', Object.keys(parsed.columns).length],
                  ['label.policyDigest', digest],
                ]),
              ].join('\n'),
          }
        }),
      ),
    'sluice policy check strikes.policy.yaml',
  )
  example(
    policy
      .command('set <dataset> <file>')
      .description('put another policy in force for a dataset; requests under the old one are void')
      .addOption(unstatedOption())
      .addOption(keyOption('the owner’s key'))
      .action(
        act<{ key?: string; unstated?: boolean }>(async (context, options, name, file) => {
          const owner = await context.signer(options.key)
          const text = await context.source(file, POLICY_BYTES)
          const zone = await context.zone()
          const { policyDigest } = await zone.datasets.setPolicy(name, text, owner, file, {
            tables: besidePolicy(context, file),
            ...(options.unstated === true && { unstated: true }),
            signal: context.signal,
            onProgress: context.progress.report,
          })
          return {
            json: { dataset: name, policyDigest },
            text: ui =>
              [
                ui.t('text.policySet'),
                ui.fields([
                  ['label.dataset', name],
                  ['label.policyDigest', policyDigest],
                ]),
              ].join('\n'),
          }
        }),
      ),
    'sluice policy set bird_strikes strikes.policy.yaml --key owner.key',
  )
  example(
    policy
      .command('schema')
      .description('the JSON Schema of policies, for editors')
      .action(
        act(async () => {
          const { policyJsonSchema } = await import('@sluice/core/policy')
          const schema = policyJsonSchema()
          return { json: schema, text: () => jsonText(schema) }
        }),
      ),
    'sluice policy schema > policy.schema.json',
  )
}

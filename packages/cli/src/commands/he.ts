import { join } from 'node:path'
import type { Aggregation } from '@sluice/core/he'
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { readBytes } from '../input.js'
import { newPassphrase } from '../keyring.js'
import { writeFile } from '../output/file.js'
import type { Reply } from '../output/reply.js'
import type { Ui } from '../output/ui.js'
import type { Act } from '../program.js'
import { example, forceOption, formatOption, keyOption, outOption } from './options.js'

const AUDIT_BYTES = 4096

interface Working {
  readonly aggregation: string
  readonly key?: string
  readonly out: string
  readonly force?: boolean
}

interface Opening {
  readonly aggregation: string
  readonly request: string
  readonly secretKey: string
  readonly audit?: string
  readonly key?: string
  readonly out?: string
  readonly receipt?: string
  readonly force?: boolean
}

export function addHe(program: Command, act: Act): void {
  const he = program
    .command('he')
    .description('totals over encrypted contributions: nobody but the key holder can open, and only the sum')
  example(
    he
      .command('keygen <job>')
      .description('check that a query fits, choose parameters, and make the keys of one aggregation')
      .addOption(keyOption('the key holder’s key'))
      .requiredOption('--out <dir>', 'where aggregation.json, public.key and secret.key go')
      .option('--no-passphrase', 'do not encrypt the secret key')
      .action(act<{ key?: string; out: string; passphrase: boolean }>(keygen)),
    'sluice he keygen totals.yaml --key treasury.key --out round',
  )
  example(
    he
      .command('show <aggregation>')
      .description('what an aggregation says: who contributes, what is computed, what may be opened')
      .action(
        act(async (context, _options, file) => {
          const { readAggregation } = await import('../aggregation/files.js')
          return replyOf(await readAggregation(context, file))
        }),
      ),
    'sluice he show round/aggregation.json',
  )
  example(
    he
      .command('encrypt <file>')
      .description('compute a contributor’s cells from its Parquet, CSV or Arrow file, encrypt and sign them')
      .requiredOption('--aggregation <file>', 'what was agreed on')
      .requiredOption('--public-key <file>', 'the key holder’s public key')
      .addOption(keyOption('the contributor’s key'))
      .addOption(outOption('where the contribution goes').makeOptionMandatory())
      .addOption(forceOption())
      .action(act<Working & { publicKey: string }>(encrypt)),
    'sluice he encrypt grants.csv --aggregation aggregation.json --public-key public.key --key district.key --out district.he',
  )
  example(
    he
      .command('add <contributions...>')
      .description('check the contributions, add them, and sign the list of those that went in')
      .requiredOption('--aggregation <file>', 'what was agreed on')
      .addOption(keyOption('the adder’s key'))
      .addOption(outOption('where the sum goes').makeOptionMandatory())
      .addOption(forceOption())
      .action(act<Working>(add)),
    'sluice he add district-*.he --aggregation aggregation.json --key adder.key --out sum.he',
  )
  example(
    he
      .command('audit <sum> <contributions...>')
      .description('add the contributions again, and sign that the sum is theirs; needs no key to the data')
      .requiredOption('--aggregation <file>', 'what was agreed on')
      .addOption(keyOption('the auditor’s key'))
      .addOption(outOption('where the audit goes').makeOptionMandatory())
      .addOption(forceOption())
      .action(act<Working>(audit)),
    'sluice he audit sum.he district-*.he --aggregation aggregation.json --key auditor.key --out audit.he',
  )
  example(
    he
      .command('open <sum>')
      .description('open an approved, audited sum, and release what passes the checks')
      .requiredOption('--request <id>', 'the approved request')
      .requiredOption('--aggregation <file>', 'what was agreed on')
      .requiredOption('--secret-key <file>', 'the secret key of this aggregation; it opens one sum')
      .option('--audit <file>', 'the auditor’s file')
      .addOption(keyOption('the key of the zone’s operator'))
      .addOption(formatOption())
      .addOption(outOption('where the released table goes'))
      .option('--receipt <file>', 'write the receipt there')
      .addOption(forceOption())
      .action(act<Opening>(open)),
    'sluice he open sum.he --request r-1a2b3c4d5e --aggregation round/aggregation.json --secret-key round/secret.key --audit audit.he --key treasury.key',
  )
}

async function keygen(
  context: Context,
  options: { readonly key?: string; readonly out: string; readonly passphrase: boolean },
  file: string,
): Promise<Reply> {
  const { readAggregationJob } = await import('../aggregation/job.js')
  const job = await readAggregationJob(context, file)
  const { name, publicKey: key } = await context.signer(options.key)
  const zone = await context.zone()
  const reviewed = await zone.requests.preview(job, job.consumer, { signal: context.signal })
  const { aggregationBytes, createAggregation, layoutOf } = await import('@sluice/core/he')
  const keys = layoutOf(reviewed).aggregate.keys.map(column => column.name)
  const directory = context.path(options.out)
  const secretFile = join(directory, 'secret.key')
  const { io, ui, settings } = context
  const passphrase = options.passphrase
    ? await newPassphrase(secretFile, io, ui, settings.passphraseFile)
    : undefined
  const { aggregation, publicKey, secretKey } = await createAggregation({
    ...job.rest,
    reviewed,
    groups: job.groups(keys),
    keyHolder: { name, key },
  })
  const { makeNamedDirectory } = await import('@sluice/ledger/files')
  await makeNamedDirectory(directory, 0o700)
  // the secret key first: no aggregation without it is ever seen
  const { OpeningKey } = await import('@sluice/ledger/keys')
  await OpeningKey.write(secretFile, secretKey, { passphrase })
  await writeFile(join(directory, 'public.key'), publicKey, false)
  await writeFile(join(directory, 'aggregation.json'), aggregationBytes(aggregation), false)
  const reply = await replyOf(aggregation)
  const files = `${join(options.out, 'aggregation.json')}, ${join(options.out, 'public.key')}`
  return {
    json: { ...(reply.json as object), directory, encrypted: options.passphrase },
    text: ui =>
      [
        ui.t('text.aggregationMade', { files }),
        `${join(options.out, 'secret.key')}: ${ui.t(options.passphrase ? 'text.keyEncrypted' : 'text.keyPlain')}`,
        '',
        reply.text(ui),
      ].join('\n'),
  }
}

async function encrypt(
  context: Context,
  options: Working & { readonly publicKey: string },
  file: string,
): Promise<Reply> {
  const { readAggregation, readPublicHeKey, withSink } = await import('../aggregation/files.js')
  const { cellsOf, contribute, shapeOf } = await import('@sluice/core/he')
  const aggregation = await readAggregation(context, options.aggregation)
  const publicKey = await readPublicHeKey(context, options.publicKey)
  const signer = await context.signer(options.key)
  const { recordBatches } = await import('../aggregation/rows.js')
  const { signal, progress } = context
  progress.report({ stage: 'read' })
  const signed = await withSink(context, options.out, options.force === true, sink =>
    recordBatches(context, file, aggregation, rows => {
      const cells = cellsOf(aggregation, rows, { signal })
      return contribute(aggregation, { publicKey, signer, cells }, sink, {
        signal,
        onProgress: progress.report,
      })
    }),
  )
  const { ciphertexts, ciphertextBytes } = shapeOf(aggregation)
  return {
    json: { ...signed.statement, digest: signed.digest, file: context.path(options.out) },
    text: ui =>
      [
        ui.t('text.heEncrypted'),
        ui.fields([
          ['label.aggregation', signed.statement.aggregation],
          ['label.name', signed.statement.contributor],
          ['label.digest', signed.digest],
          ['label.bytes', ciphertexts * ciphertextBytes],
          ['label.file', options.out],
        ]),
      ].join('\n'),
  }
}

async function add(context: Context, options: Working, ...files: string[]): Promise<Reply> {
  const { readAggregation, signatureCheck, withSink, withSources } = await import('../aggregation/files.js')
  const core = await import('@sluice/core/he')
  const aggregation = await readAggregation(context, options.aggregation)
  const signer = await context.signer(options.key)
  const verify = await signatureCheck()
  const { signal, progress } = context
  const { statement, digest } = await withSources(context, files, contributions =>
    withSink(context, options.out, options.force === true, sink =>
      core.add(aggregation, { contributions, signer, verify }, sink, { signal, onProgress: progress.report }),
    ),
  )
  return {
    json: { ...statement, digest, file: context.path(options.out) },
    text: ui =>
      [
        ui.t('text.heAdded'),
        ui.fields([
          ['label.aggregation', statement.aggregation],
          ['label.contributors', statement.contributions.map(({ contributor }) => contributor)],
          ['label.digest', digest],
          ['label.file', options.out],
        ]),
      ].join('\n'),
  }
}

async function audit(context: Context, options: Working, sum: string, ...files: string[]): Promise<Reply> {
  const { readAggregation, signatureCheck, withSources } = await import('../aggregation/files.js')
  const core = await import('@sluice/core/he')
  const aggregation = await readAggregation(context, options.aggregation)
  const signer = await context.signer(options.key)
  const verify = await signatureCheck()
  const { signal, progress } = context
  const bytes = await withSources(context, [sum, ...files], ([source, ...contributions]) =>
    core.audit(
      aggregation,
      { sum: source!, contributions, signer, verify },
      { signal, onProgress: progress.report },
    ),
  )
  await writeFile(context.path(options.out), bytes, options.force === true)
  return {
    json: { auditor: signer.name, contributions: files.length, file: context.path(options.out) },
    text: ui =>
      [
        ui.t('text.heAudited'),
        ui.fields([
          ['label.contributors', files.length],
          ['label.file', options.out],
        ]),
      ].join('\n'),
  }
}

async function open(context: Context, options: Opening, file: string): Promise<Reply | undefined> {
  const { readAggregation, signatureCheck, withSources } = await import('../aggregation/files.js')
  const { assertOpenable, HE_ENGINE, HeExecutor } = await import('@sluice/core/he')
  const aggregation = await readAggregation(context, options.aggregation)
  const { secretKey, claim } = await context.openingKey(options.secretKey)
  const audited =
    options.audit === undefined ? null : await readBytes(context.path(options.audit), AUDIT_BYTES)
  const operator = await context.signer(options.key)
  const verify = await signatureCheck()
  const zone = await context.zone()
  const released = await withSources(context, [file], async ([source]) => {
    const inputs = { aggregation, sum: source!, audit: audited, secretKey, verify }
    // what would be refused all the same takes no run from the allowance
    await assertOpenable(inputs)
    const executor = new HeExecutor()
    executor.prepare(aggregation)
    try {
      return await zone.run(options.request, operator, {
        signal: context.signal,
        onProgress: context.progress.report,
        engine: {
          engine: HE_ENGINE,
          execute: (approved, request, running) =>
            executor.execute(approved, { ...inputs, request, claim }, running),
        },
      })
    } finally {
      await executor.close()
    }
  })
  const { deliverRelease } = await import('../output/release.js')
  return deliverRelease(context, released, options)
}

/** An aggregation as people read it before they sign or contribute. */
async function replyOf(aggregation: Aggregation): Promise<Reply> {
  const [{ aggregationDigest, shapeOf }, { printPlan }] = await Promise.all([
    import('@sluice/core/he'),
    import('@sluice/core/plan'),
  ])
  const { slots, ciphertexts, ciphertextBytes, components } = shapeOf(aggregation)
  const digest = aggregationDigest(aggregation)
  const { contributors, minimumContributors, keyHolder, adder, auditor, columns, parameters } = aggregation
  const ranges = (ui: Ui) =>
    Object.entries(columns).map(([column, range]) => ui.t('text.heRange', { column, ...range }))
  return {
    json: { ...aggregation, digest, slots, components, contributionBytes: ciphertexts * ciphertextBytes },
    text: ui =>
      ui.fields([
        ['label.digest', digest],
        ['label.keyHolder', keyHolder.key],
        ['label.adder', adder.key],
        ['label.auditor', auditor?.key ?? ui.t('text.adderTrusted')],
        ['label.contributors', contributors.map(({ key }) => key)],
        ['label.minimum', ui.t('text.heContributors', { count: minimumContributors })],
        ['label.groups', slots],
        ['label.columns', ranges(ui)],
        ['label.plan', printPlan(aggregation.local).trimEnd().split('\n')],
        ['label.parameterSet', parameters],
        ['label.bytes', ciphertexts * ciphertextBytes],
      ]),
  }
}

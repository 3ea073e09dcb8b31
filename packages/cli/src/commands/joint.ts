import { SluiceError, visibleText } from '@sluice/core'
import type { JointCell, JointJob, JointResult, MeetEvent } from '@sluice/mpc'
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { writeFile } from '../output/file.js'
import type { Reply } from '../output/reply.js'
import type { Ui } from '../output/ui.js'
import type { Act } from '../program.js'
import { example, forceOption, keyOption, outOption } from './options.js'

interface Running {
  readonly key?: string
  readonly approval: string
  readonly input?: string
  readonly entity?: string
  readonly listen?: string
}

interface Writing {
  readonly key?: string
  readonly out: string
  readonly force?: boolean
}

export function addJoint(program: Command, act: Act): void {
  const joint = program
    .command('joint')
    .description('compute with two other organizations on what none of them shows, over mutual TLS')
  example(
    joint
      .command('init <draft>')
      .description('check a draft, in YAML or JSON, and make of it the job that every party signs')
      .addOption(outOption('where the job goes').makeOptionMandatory())
      .addOption(forceOption())
      .action(act<Writing>(init)),
    'sluice joint init arrears.yaml --out arrears.json',
  )
  example(
    joint
      .command('show <job>')
      .description('what a job says: who takes part, whose columns, what is opened to whom')
      .action(act(async (context, _options, file) => replyOf(await jobIn(context, file)))),
    'sluice joint show arrears.json',
  )
  example(
    joint
      .command('approve <job>')
      .description('sign a job as one of its parties')
      .addOption(keyOption('the party’s key'))
      .addOption(outOption('where the approval goes').makeOptionMandatory())
      .addOption(forceOption())
      .action(act<Writing>(approve)),
    'sluice joint approve arrears.json --key bank.key --out bank.approval',
  )
  example(
    joint
      .command('run <job>')
      .description('take part in a job: meet the other parties, whoever starts first, and compute')
      .addOption(keyOption('the party’s key'))
      .requiredOption('--approval <file>', 'this party’s approval of the job')
      .option(
        '--input <file>',
        'this party’s columns, in a Parquet, CSV or Arrow file; a party without columns has none',
      )
      .option(
        '--entity <column>',
        'the column of the file that says who a row is; it orders the rows, and stays here',
      )
      .option('--listen <host:port>', 'listen here instead of at the address in the job')
      .action(act<Running>(run)),
    'sluice joint run arrears.json --key bank.key --approval bank.approval --input loans.parquet --entity company',
    'sluice joint run arrears.json --key operator.key --approval operator.approval --wait 10m',
  )
}

async function init(context: Context, options: Writing, draft: string): Promise<Reply> {
  const [{ readJointJob }, { freshJob }] = await Promise.all([
    import('../joint/files.js'),
    import('@sluice/mpc'),
  ])
  const job = await readJointJob(context, draft, freshJob())
  const bytes = new TextEncoder().encode(`${JSON.stringify(job, null, 2)}\n`)
  await writeFile(context.path(options.out), bytes, options.force === true)
  const reply = await replyOf(job)
  return { ...reply, text: ui => `${ui.t('text.jointMade', { file: options.out })}\n\n${reply.text(ui)}` }
}

async function approve(context: Context, options: Writing, file: string): Promise<Reply> {
  const [{ approvalBytes }, { approveJob, jobDigest }] = await Promise.all([
    import('../joint/files.js'),
    import('@sluice/mpc'),
  ])
  const job = await jobIn(context, file)
  const signer = await context.signer(options.key)
  if (!job.parties.some(({ name, key }) => name === signer.name && key === signer.publicKey)) {
    throw new SluiceError('KEY_UNKNOWN', `the key of "${signer.name}" is not that of a party of this job`, {
      remedy: 'Use the key that the job names, or have the job made again with this one.',
    })
  }
  const digest = jobDigest(job)
  const bytes = approvalBytes(digest, signer.name, await approveJob(digest, signer))
  await writeFile(context.path(options.out), bytes, options.force === true)
  return {
    json: { job: digest, party: signer.name, file: context.path(options.out) },
    text: ui =>
      [
        ui.t('text.signed'),
        ui.fields([
          ['label.digest', digest],
          ['label.name', signer.name],
          ['label.file', options.out],
        ]),
      ].join('\n'),
  }
}

async function run(context: Context, options: Running, file: string): Promise<Reply> {
  const [{ readApproval, readColumns }, { jobDigest, runJoint }] = await Promise.all([
    import('../joint/files.js'),
    import('@sluice/mpc'),
  ])
  const job = await jobIn(context, file)
  const signer = await context.signer(options.key)
  const approval = await readApproval(context, options.approval, jobDigest(job), signer)
  const own = job.columns.filter(({ owner }) => owner === signer.name).map(({ name }) => name)
  const { input, entity } = options
  if (own.length > 0 && (input === undefined || entity === undefined)) {
    throw new SluiceError('USAGE', `this party gives ${own.map(name => `"${name}"`).join(', ')}`, {
      remedy: 'Name the file with --input FILE, and its column that says who a row is with --entity COLUMN.',
    })
  }
  const table =
    own.length > 0 ? { input: await readColumns(context, input!, entity!, own), entity: entity! } : {}
  const { wait } = context.settings
  const result = await runJoint(job, {
    signer,
    approval,
    ...table,
    signal: context.signal,
    onEvent: event => context.progress.report({ stage: stageOf(event) }),
    ...(wait !== undefined && { wait: wait / 1000 }),
    ...(options.listen !== undefined && { listen: addressOf(options.listen) }),
  })
  return resultOf(job, jobDigest(job), result)
}

async function jobIn(context: Context, file: string): Promise<JointJob> {
  const { readJointJob } = await import('../joint/files.js')
  return readJointJob(context, file)
}

async function replyOf(job: JointJob): Promise<Reply> {
  const { jobDigest } = await import('@sluice/mpc')
  const digest = jobDigest(job)
  const conditions = job.where.map(({ column, is, than }) =>
    visibleText(`${column} ${is} ${'column' in than ? than.column : than.value}`),
  )
  return {
    json: { ...job, digest },
    text: ui =>
      ui.fields([
        ['label.digest', digest],
        ['label.purpose', visibleText(job.purpose)],
        ['label.parties', job.parties.map(({ name, key, host, port }) => `${name}  ${host}:${port}  ${key}`)],
        ['label.collusion', ui.t('text.jointCollusion')],
        ['label.rows', job.rows],
        [
          'label.columns',
          job.columns.map(({ name, owner, type }) => visibleText(`${name}  ${owner}  ${kindOf(type)}`)),
        ],
        ['label.conditions', conditions],
        ['label.groups', job.groupBy.map(visibleText)],
        ['label.totals', job.totals.map(visibleText)],
        ['label.minimum', job.minimumEntities],
        ['label.receivers', job.receivers],
      ]),
  }
}

function kindOf(type: JointJob['columns'][number]['type']): string {
  return type.kind === 'number' ? `number ±${type.bound}` : `category ${type.categories.join(' | ')}`
}

function resultOf(job: JointJob, digest: string, { cells, traffic }: JointResult): Reply {
  return {
    json: { job: digest, ...(cells !== undefined && { cells }), traffic },
    text: ui =>
      [
        cells === undefined ? ui.t('text.jointNotReceiver') : cellsText(job, cells, ui),
        '',
        ui.t('text.jointTraffic', {
          rounds: traffic.rounds,
          sent: traffic.bytesSent.toLocaleString('en-US'),
          received: traffic.bytesReceived.toLocaleString('en-US'),
        }),
      ].join('\n'),
  }
}

const SUPPRESSED = '‹minimum-entities›'

function cellsText(job: JointJob, cells: readonly JointCell[], ui: Ui): string {
  const heads = [
    ...job.groupBy.map(name => ({ head: visibleText(name), align: 'left' as const })),
    { head: ui.t('label.rows'), align: 'right' as const },
    ...job.totals.flatMap(name =>
      ['count', 'sum'].map(what => ({ head: visibleText(`${what}(${name})`), align: 'right' as const })),
    ),
  ]
  const rows = cells.map(({ group, rows, totals }) => [
    ...group.map(visibleText),
    rows === undefined ? SUPPRESSED : String(rows),
    ...job.totals.flatMap((_, index) => {
      const total = totals?.[index]
      return total ? [String(total.count), total.sum] : [SUPPRESSED, SUPPRESSED]
    }),
  ])
  return ui.grid(heads, rows)
}

function stageOf(event: MeetEvent): string {
  switch (event.kind) {
    case 'listening':
      return `listening at ${event.host}, port ${event.port}`
    case 'connected':
      return `connected with ${event.party}`
    case 'refused':
      return `refused ${event.from}: ${event.reason}`
  }
}

function addressOf(text: string): { host: string; port: number } {
  const [, host, bare, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const number = Number(port)
  if (number >= 1 && number <= 65_535) return { host: (host ?? bare)!, port: number }
  throw new SluiceError('USAGE', `"${visibleText(text)}" is no address`, {
    remedy: 'Write one such as 0.0.0.0:7401 or [::]:7401.',
  })
}

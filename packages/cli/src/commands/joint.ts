import { SluiceError, visibleText } from '@sluice/core'
import type { InputSource, JointJob } from '@sluice/mpc'
import { type Command, Option } from 'commander'
import type { Context } from '../context.js'
import { writeFile } from '../output/file.js'
import type { Reply } from '../output/reply.js'
import { openPartyLedger, partyLedgerPath } from '../party-ledger.js'
import type { Act } from '../program.js'
import {
  type ENCODINGS,
  encodingOption,
  example,
  forceOption,
  keyFileOption,
  outOption,
  repeated,
} from './options.js'

interface Party {
  readonly keyFile?: string
  readonly as?: string
}

interface Describing extends Party {
  readonly input: string
  readonly encoding?: (typeof ENCODINGS)[number]
  readonly out: string
  readonly force?: boolean
}

interface Writing extends Party {
  readonly out?: string
  readonly force?: boolean
}

interface Running extends Party {
  readonly approval?: string
  readonly input?: readonly string[]
  readonly encoding?: (typeof ENCODINGS)[number]
  readonly listen?: string
  readonly ledger?: string
}

const SHARINGS = ['replicated', 'shamir', 'dealer'] as const

interface Demonstrating {
  readonly sharing: (typeof SHARINGS)[number]
}

export function addJoint(program: Command, act: Act): void {
  const joint = program
    .command('joint')
    .description('compute with other organizations on what none of them shows, over mutual TLS')
  example(
    joint
      .command('input <description>')
      .description('describe a table for a job: its columns, its number of rows and its fingerprint')
      .requiredOption('--input <file>', 'the table, a Parquet, CSV or Arrow file; it stays here')
      .addOption(encodingOption())
      .addOption(asOption())
      .addOption(keyFileOption('the owner’s key'))
      .addOption(outOption('where the described input goes').makeOptionMandatory())
      .addOption(forceOption())
      .action(act<Describing>(describeInput)),
    'sluice joint input loans.yaml --as bank --input loans.parquet --out loans.input.json',
  )
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
      .action(act(async (context, _options, file) => shown(await jobIn(context, file)))),
    'sluice joint show arrears.json',
  )
  example(
    joint
      .command('approve <job>')
      .description('sign a job as one of its parties')
      .addOption(asOption())
      .addOption(keyFileOption('the party’s key'))
      .option('--out <file>', 'where the approval goes (default: JOB.NAME.approval)')
      .addOption(forceOption())
      .action(act<Writing>(approve)),
    'sluice joint approve arrears.json --as bank',
  )
  example(
    joint
      .command('run <job>')
      .description('take part in a job: meet the other parties, whoever starts first, and compute')
      .addOption(asOption())
      .addOption(keyFileOption('the party’s key'))
      .option('--approval <file>', 'this party’s approval of the job (default: JOB.NAME.approval)')
      .addOption(
        repeated(
          '--input <file>',
          'this party’s table, a Parquet, CSV or Arrow file; NAME=FILE where it gives several',
        ),
      )
      .addOption(encodingOption())
      .option('--listen <host:port>', 'listen here instead of at the address in the job')
      .option(
        '--ledger <dir>',
        'this party’s ledger, which records its runs (default: NAME.ledger beside its key)',
      )
      .action(act<Running>(run)),
    'sluice joint run arrears.json --as bank --input loans.parquet',
    'sluice joint run arrears.json --as operator --wait 10m',
  )
  example(
    joint
      .command('demo [directory]')
      .description('a job of three parties on this machine, with made-up companies: what each terminal says')
      .addOption(
        new Option('--sharing <kind>', 'how the parties share values')
          .choices(SHARINGS)
          .default('replicated'),
      )
      .action(act<Demonstrating>(demo)),
    'sluice joint demo',
    'sluice joint demo --sharing dealer',
  )
}

function asOption(): Option {
  return new Option('--as <name>', 'which party this is; its key is NAME.key where none is named')
}

async function describeInput(context: Context, options: Describing, file: string): Promise<Reply> {
  const [{ partyKey, readInputForm }, { described }] = await Promise.all([
    import('../joint/files.js'),
    import('../joint/tables.js'),
  ])
  const form = await readInputForm(context, file)
  const signer = await partyKey(context, options)
  if (form.owner !== signer.name) {
    throw new SluiceError(
      'KEY_UNKNOWN',
      `the input is owned by "${form.owner}", and not by "${signer.name}"`,
      {
        remedy: 'Have the owner describe it.',
      },
    )
  }
  const input = await described(context, form, options.input, signer, options.encoding)
  await writeJson(context, { ...options, out: options.out }, input)
  return {
    json: { ...input, file: context.path(options.out) },
    text: ui =>
      ui.fields([
        ['label.file', options.out],
        ['label.rows', input.rows],
        ['label.fingerprint', input.fingerprint],
      ]),
  }
}

async function init(context: Context, options: Writing, draft: string): Promise<Reply> {
  const { readDraft } = await import('../joint/files.js')
  const job = await readDraft(context, draft)
  await writeJson(context, { ...options, out: options.out! }, job)
  const reply = await shown(job)
  return { ...reply, text: ui => `${ui.t('text.jointMade', { file: options.out! })}\n\n${reply.text(ui)}` }
}

async function approve(context: Context, options: Writing, file: string): Promise<Reply> {
  const [{ approvalBytes, approvalFile, partyKey }, { approveJob, jobDigest }] = await Promise.all([
    import('../joint/files.js'),
    import('@sluice/mpc'),
  ])
  const job = await jobIn(context, file)
  const signer = await partyKey(context, options)
  if (!job.parties.some(({ name, key }) => name === signer.name && key === signer.publicKey)) {
    throw new SluiceError('KEY_UNKNOWN', `the key of "${signer.name}" is not that of a party of this job`, {
      remedy: 'Use the key that the job names, or have the job made again with this one.',
    })
  }
  const digest = jobDigest(job)
  const out = options.out ?? approvalFile(file, signer.name)
  const bytes = approvalBytes(digest, signer.name, await approveJob(digest, signer))
  await writeFile(context.path(out), bytes, options.force === true)
  const reply = await shown(job)
  return {
    json: { job: digest, party: signer.name, file: context.path(out) },
    text: ui => `${reply.text(ui)}\n\n${ui.t('text.jointApproved', { name: signer.name, file: out })}`,
  }
}

async function run(context: Context, options: Running, file: string): Promise<Reply> {
  const [{ approvalFile, partyKey, partyKeyPath, readApproval }, { filesFor, withTables }, mpc, output] =
    await Promise.all([
      import('../joint/files.js'),
      import('../joint/tables.js'),
      import('@sluice/mpc'),
      import('../joint/shown.js'),
    ])
  const job = await jobIn(context, file)
  const signer = await partyKey(context, options)
  const digest = mpc.jobDigest(job)
  const approved = options.approval ?? approvalFile(file, signer.name)
  const approval = await readApproval(context, approved, { of: file, digest }, signer)
  const files = filesFor(job, signer.name, options.input)
  const own = job.inputs.filter(({ owner }) => owner === signer.name)
  const { wait } = context.settings
  const place = { key: partyKeyPath(context, options), name: signer.name, named: options.ledger }
  const directory = partyLedgerPath(context, place)
  const ledger = await openPartyLedger(context, directory, signer)
  const take = (inputs: Record<string, InputSource>) =>
    mpc.runJoint(job, {
      signer,
      approval,
      inputs,
      ledger,
      signal: context.signal,
      onEvent: event => context.progress.report(output.stageOf(event, context.ui)),
      ...(wait !== undefined && { wait: wait / 1000 }),
      ...(options.listen !== undefined && { listen: addressOf(options.listen) }),
    })
  const result = await withTables(context, files, own, take, options.encoding)
  return output.shownResult(digest, directory, result)
}

async function demo(context: Context, { sharing }: Demonstrating, directory?: string): Promise<Reply> {
  const [{ runDemo }, { shownDemo }] = await Promise.all([
    import('../joint/demo.js'),
    import('../joint/shown.js'),
  ])
  return shownDemo(await runDemo(context, sharing, directory), context.json)
}

async function jobIn(context: Context, file: string): Promise<JointJob> {
  const { readJointJob } = await import('../joint/files.js')
  return readJointJob(context, file)
}

async function shown(job: JointJob): Promise<Reply> {
  const { shownJob } = await import('../joint/shown.js')
  return shownJob(job)
}

async function writeJson(
  context: Context,
  { out, force }: { readonly out: string; readonly force?: boolean },
  value: unknown,
): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)
  await writeFile(context.path(out), bytes, force === true)
}

export function addressOf(text: string): { host: string; port: number } {
  const [, host, bare, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const number = Number(port)
  if (number >= 1 && number <= 65_535) return { host: (host ?? bare)!, port: number }
  throw new SluiceError('USAGE', `"${visibleText(text)}" is no address`, {
    remedy: 'Write one such as 0.0.0.0:7401 or [::]:7401.',
  })
}

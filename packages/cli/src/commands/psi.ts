import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SluiceError, visibleText } from '@sluice/core'
import type { PsiJob } from '@sluice/mpc/psi'
import { type Command, Option } from 'commander'
import type { Context } from '../context.js'
import { write } from '../io.js'
import { ask, isInteractive } from '../keyring.js'
import { assertFree, assertNotRead, writeError, writeFile } from '../output/file.js'
import type { Reply } from '../output/reply.js'
import { openPartyLedger, partyLedgerPath } from '../party-ledger.js'
import type { Act } from '../program.js'
import type { HeldTable } from '../psi/held-table.js'
import type { PsiInput } from '../psi/input.js'
import type { Join } from '../psi/output.js'
import { addressOf } from './joint.js'
import { example, forceOption, outOption, repeated } from './options.js'
import { addPsiPrepare } from './psi-prepare.js'

interface Input {
  readonly as: string
  readonly keyFile?: string
  readonly input?: string
  readonly key?: readonly string[]
  readonly sum?: string
  readonly prepared?: string
  readonly oprfKey?: string
  readonly out?: string
  readonly force?: boolean
  readonly scratch?: string
  readonly ledger?: string
}

interface Approving extends Input {
  readonly yes?: boolean
}

interface Running extends Input {
  readonly approval?: string
  readonly join: Join
  readonly listen?: string
  readonly dryRun?: boolean
}

export function addPsi(program: Command, act: Act): void {
  const psi = program
    .command('psi')
    .description(
      'find what two organizations or more have in common, without showing the rest, over mutual TLS',
    )
  example(
    psi
      .command('init <draft>')
      .description('check a draft, in YAML or JSON, and make of it the job that every party signs')
      .option(
        '--prepared <file>',
        'the prepared set of a draft whose protocol is oprf, which is written into the job',
      )
      .addOption(outOption('where the job goes').makeOptionMandatory())
      .addOption(forceOption())
      .action(act<{ out: string; prepared?: string; force?: boolean }>(init)),
    'sluice psi init shared.yaml --out shared.json',
  )
  example(
    psi
      .command('show <file>')
      .description(
        'what a job says: who takes part, what a key is, who learns what, and how often; or what a prepared set is, checked to its last byte',
      )
      .action(act(show)),
    'sluice psi show shared.json',
    'sluice psi show companies.prepared',
  )
  example(
    withInput(psi.command('approve <job>'))
      .description('read a job, and sign it as one of its parties together with the input that will be used')
      .option('--yes', 'do not ask; for a job that you have read')
      .addOption(outOption('where the approval goes, which stays with you (default: beside the job)'))
      .addOption(forceOption())
      .action(act<Approving>(approve)),
    'sluice psi approve shared.json --as bank --input customers.parquet --key id',
  )
  example(
    withInput(psi.command('run <job>'))
      .description('take part in a job: meet the other parties, whoever starts first, and compute')
      .option('--approval <file>', 'this party’s approval of the job (default: beside the job)')
      .option(
        '--out <file>',
        'where the rows go, for a party that learns which: a file, .parquet, .csv or .arrow',
      )
      .addOption(
        new Option('--join <which>', 'which rows of the own file: the shared ones, all, or those not shared')
          .choices(['inner', 'left', 'anti'])
          .default('inner'),
      )
      .option('--listen <host:port>', 'listen here instead of at the address in the job')
      .option('--dry-run', 'say what each protocol would cost on this machine, and do nothing')
      .addOption(forceOption())
      .action(act<Running>(run)),
    'sluice psi run shared.json --as bank --input customers.parquet --key id --out matched.parquet',
    'sluice psi run shared.json --as operator --wait 10m',
  )
  addPsiPrepare(psi, act)
  example(
    psi
      .command('demo')
      .description('show two organizations find what they share, in a folder that is removed again')
      .action(act(demo)),
    'sluice psi demo',
  )
}

function withInput(command: Command): Command {
  return command
    .requiredOption('--as <name>', 'which party of the job this is')
    .option('--key-file <file>', 'the party’s key (else SLUICE_KEY_FILE, else NAME.key beside the job)')
    .option('--input <file>', 'this party’s set, in a Parquet, CSV or Arrow file; a helper has none')
    .option(
      '--scratch <dir>',
      'where the temporary files of large sets lie, sealed and removed (default: beside the input; a helper’s, beside its ledger)',
    )
    .option(
      '--ledger <dir>',
      'this party’s ledger, which records its runs and counts quotas (default: NAME.ledger beside its key)',
    )
    .addOption(repeated('--key <column>', 'a column of the key; for a key of several, in the job’s order'))
    .option(
      '--sum <column>',
      'the column that is totalled, where it is this party’s (default: the job’s name)',
    )
    .option('--prepared <file>', 'the prepared set that this party tests its own against')
    .option(
      '--oprf-key <file>',
      'the key of this party’s prepared set (default: the party’s key file and .oprf)',
    )
}

async function init(
  context: Context,
  options: { readonly out: string; readonly prepared?: string; readonly force?: boolean },
  draft: string,
): Promise<Reply> {
  const [{ readPsiJob }, { freshPsiJob }] = await Promise.all([
    import('../psi/files.js'),
    import('@sluice/mpc/psi'),
  ])
  const job = await readPsiJob(context, draft, freshPsiJob(), options.prepared)
  const bytes = new TextEncoder().encode(`${JSON.stringify(job, null, 2)}\n`)
  await writeFile(context.path(options.out), bytes, options.force === true)
  const reply = await replyOf(job)
  return { ...reply, text: ui => `${ui.t('text.jointMade', { file: options.out })}\n\n${reply.text(ui)}` }
}

async function approve(context: Context, options: Approving, file: string): Promise<Reply> {
  const [files, { inputOf, withItems }, { approvePsi, psiPartyIndex }] = await Promise.all([
    import('../psi/files.js'),
    import('../psi/input.js'),
    import('@sluice/mpc/psi'),
  ])
  const job = await files.readPsiJob(context, file)
  psiPartyIndex(job, options.as)
  const input = inputOf(job, options.as, options)
  const out = options.out ?? files.approvalPath(file, options.as)
  // before anybody reads the job or waits for the input to be read
  if (options.force !== true) await assertFree(context.path(out))
  const { signer, path } = await files.partyKey(context, file, options.as, options.keyFile)
  files.requireParty(job, signer)
  const { checkSide, withSide } = await import('../psi/prepared.js')
  await withSide(context, job, { name: signer.name, path }, options, async side => {
    if (job.prepared !== undefined) await checkSide(context, job, signer.name, side)
  })
  const shown = await replyOf(job)
  await confirm(context, options, signer.name, shown.text(context.ui))
  context.progress.report({ stage: 'read' })
  const ledger = partyLedgerPath(context, { key: path, name: signer.name, named: options.ledger })
  const kept = { party: signer.name, ledger, scratch: options.scratch }
  const approval = await withItems(context, job, input, kept, items => approvePsi(job, signer, items))
  await writeFile(context.path(out), files.approvalBytes(approval), options.force === true)
  const { commitment, size } = approval.input ?? {}
  return {
    json: {
      job: approval.job,
      party: signer.name,
      ...(commitment && { commitment, size }),
      file: context.path(out),
    },
    text: ui =>
      [
        ui.t('text.signed'),
        ui.fields([
          ['label.digest', approval.job],
          ['label.name', signer.name],
          ['label.commitment', commitment ?? null],
          ['label.setSize', size ?? null],
          ['label.file', out],
        ]),
      ].join('\n'),
  }
}

/** Shows what is signed, and asks. Without a terminal somebody has to have said `--yes`: nothing waits for an answer. */
async function confirm(context: Context, { yes }: Approving, name: string, shown: string): Promise<void> {
  const { io, ui, json } = context
  if (!json) await write(io.stderr, `${shown}\n\n`)
  if (yes) return
  if (!isInteractive(io)) {
    throw new SluiceError('USAGE', 'there is no terminal to ask whether you want to sign', {
      remedy: 'Read the job with `sluice psi show`, then add --yes.',
    })
  }
  const answer = await ask(io, ui.t('ask.signJob', { name }), 'shown')
  if (/^(y|yes|是)$/i.test(answer.trim())) return
  throw new SluiceError('NOT_APPROVED', 'you did not sign; nothing was written', { rule: 'sign.confirm' })
}

async function run(context: Context, options: Running, file: string): Promise<Reply> {
  const { prepared, input, dryRun } = options
  if (prepared === undefined || input === undefined || dryRun) return runJob(context, options, file)
  // whoever asks brings a small set: the engine takes longer to start than to read it, and writes the result
  const { holdTable } = await import('../psi/held-table.js')
  const held = await holdTable(context, input, options.out)
  try {
    return await runJob(context, options, file, held)
  } finally {
    await held.close()
  }
}

async function runJob(context: Context, options: Running, file: string, held?: HeldTable): Promise<Reply> {
  const [files, { inputOf }, { rowsOf }, { resultOf }, psi] = await Promise.all([
    import('../psi/files.js'),
    import('../psi/input.js'),
    import('../psi/payload.js'),
    import('../psi/result.js'),
    import('@sluice/mpc/psi'),
  ])
  const { goesInBuckets, psiLearns, psiPartyIndex } = psi
  const job = await files.readPsiJob(context, file)
  if (job.prepared === undefined) (await import('../psi/prepared.js')).requireNoSide(options)
  const self = psiPartyIndex(job, options.as)
  const learns = psiLearns(job, self)
  const input = inputOf(job, options.as, options)
  if (options.dryRun) return estimate(context, job, input)
  await requireOut(context, options, learns, file)
  const { signer, path } = await files.partyKey(context, file, options.as, options.keyFile)
  files.requireParty(job, signer)
  const approval = await files.readApproval(
    context,
    options.approval ?? files.approvalPath(file, options.as),
    {
      of: file,
      as: options.as,
    },
  )
  const directory = partyLedgerPath(context, { key: path, name: signer.name, named: options.ledger })
  const listen = options.listen === undefined ? {} : { listen: addressOf(options.listen) }
  const { holdForOutput } = await import('../psi/held-table.js')
  const own = held ?? (input && (await holdForOutput(context, input, options.out)))
  const open = own !== undefined && { held: own }
  try {
    if (!goesInBuckets(job)) {
      const { runInMemory } = await import('../psi/run-in-memory.js')
      const party = { input, signer, path, approval, ledger: directory, ...listen }
      return await runInMemory(context, job, party, options, own)
    }
    const { runInBuckets } = await import('../psi/run-in-buckets.js')
    const ledger = await openPartyLedger(context, directory, signer)
    return await runInBuckets(context, job, {
      ...{ signer, approval, ledger, ...listen },
      ...(input !== undefined && { input, ...open }),
      ...(options.scratch !== undefined && { scratch: options.scratch }),
      rowsOf: (columns, rows) => rowsOf(context, input!, columns, rows),
      replyOf: (result, items) =>
        resultOf(context, job, options, {
          ...{ result, items, input, ledger: directory, silent: false },
          ...open,
        }),
    })
  } finally {
    await own?.close()
  }
}

/** Before anybody is met: a run counts, and its rows are written after it. */
async function requireOut(
  context: Context,
  { out, force, input, prepared }: Running,
  learns: string | undefined,
  job: string,
): Promise<void> {
  if (out === undefined && learns !== 'which') return
  if (out !== undefined && out !== '-' && learns === 'which') {
    const path = context.path(out)
    const read = [job, input, prepared].filter(named => named !== undefined)
    await assertNotRead(
      path,
      read.map(named => context.path(named)),
    )
    await access(dirname(path), constants.W_OK).catch(cause => {
      throw writeError(path, cause)
    })
    if (force !== true) await assertFree(path)
    return
  }
  throw new SluiceError(
    'USAGE',
    learns === 'which'
      ? 'this party learns which rows are shared'
      : 'this party learns no rows, and writes none',
    { remedy: learns === 'which' ? 'Say with --out FILE where they go.' : 'Leave --out away.' },
  )
}

async function estimate(context: Context, job: PsiJob, input: PsiInput | undefined): Promise<Reply> {
  const [{ withTable }, { estimatePsi }, { shownEstimates }] = await Promise.all([
    import('../psi/input.js'),
    import('@sluice/mpc/psi'),
    import('../psi/shown.js'),
  ])
  const rows =
    input === undefined ? job.size.ceiling : await withTable(context, input.file, async table => table.rows)
  return shownEstimates(job, rows, await estimatePsi(job, rows))
}

async function demo(context: Context): Promise<Reply> {
  const { demonstrate } = await import('../psi/demo.js')
  const steps: { command: string; said: string }[] = []
  // beside the bundle, wherever the package lies
  const program = fileURLToPath(new URL('../bin/sluice.js', import.meta.url))
  const { matched } = await demonstrate(
    program,
    context.ui.language,
    step => steps.push(step),
    context.signal,
  )
  return {
    json: { steps, matched },
    text: ui =>
      [
        ...steps.map(({ command, said }) => `$ ${command}\n${said}`),
        ui.heading('text.psiShared'),
        visibleLines(matched),
      ].join('\n'),
  }
}

function visibleLines(text: string): string {
  return text.trimEnd().split('\n').map(visibleText).join('\n')
}

async function show(context: Context, _options: object, file: string): Promise<Reply> {
  const [{ readPsiJob }, { isPreparedFile, withPrepared }, { shownPrepared }] = await Promise.all([
    import('../psi/files.js'),
    import('../psi/prepared.js'),
    import('../psi/shown.js'),
  ])
  if (!(await isPreparedFile(context, file))) return replyOf(await readPsiJob(context, file))
  return withPrepared(context, file, async set => {
    await set.verify(context.signal)
    return shownPrepared(set)
  })
}

async function replyOf(job: PsiJob): Promise<Reply> {
  const { shownPsiJob } = await import('../psi/shown.js')
  return shownPsiJob(job)
}

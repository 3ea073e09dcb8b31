import { availableParallelism } from 'node:os'
import { SluiceError } from '@sluice/core'
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { write } from '../io.js'
import { assertFree, assertNotRead } from '../output/file.js'
import type { Reply } from '../output/reply.js'
import { openPartyLedger, partyLedgerPath } from '../party-ledger.js'
import type { Act } from '../program.js'
import { parseCount, parseDuration } from '../quantities.js'
import { example, forceOption, repeated } from './options.js'

interface Preparing {
  readonly as: string
  readonly keyFile?: string
  readonly key: readonly string[]
  readonly normalize?: readonly string[]
  readonly out?: string
  readonly oprfKey?: string
  readonly expires?: string
  readonly step: number
  readonly threads?: number
  readonly ledger?: string
  readonly dryRun?: boolean
  readonly force?: boolean
}

interface Rotating {
  readonly as: string
  readonly keyFile?: string
  readonly expires?: string
  readonly ledger?: string
}

const EXPIRES = '90d'

export function addPsiPrepare(psi: Command, act: Act): void {
  example(
    psi
      .command('prepare <file>')
      .description(
        'prepare a large set once, in a file that others may have and can test items against only with the help of its key',
      )
      .requiredOption('--as <name>', 'whose set it is')
      .option('--key-file <file>', 'the party’s key (else SLUICE_KEY_FILE, else NAME.key beside --out)')
      .addOption(
        repeated('--key <column>', 'a column of the key; may stand several times').makeOptionMandatory(),
      )
      .addOption(
        repeated(
          '--normalize <rules>',
          'width, trim, case, identity, with commas: once for all columns of the key, or once for each',
        ),
      )
      .option(
        '--out <file>',
        'where the prepared set goes; until it is whole, encrypted parts in a folder beside it',
      )
      .option(
        '--oprf-key <file>',
        'the key of the set, made where there is none (default: the party’s key file and .oprf)',
      )
      .option(
        '--expires <span>',
        'of a new key: when it is to be rotated, and answers no more (default: 90d)',
      )
      .option('--step <count>', 'pad the set to a multiple of this', parseCount, 1)
      .option('--threads <count>', 'so many at once (default: all cores)', parseCount)
      .option('--ledger <dir>', 'this party’s ledger, which records it (default: NAME.ledger beside its key)')
      .option('--dry-run', 'say how long it would take on this machine, and do nothing')
      .addOption(forceOption())
      .action(act<Preparing>(prepare)),
    'sluice psi prepare companies.parquet --as bureau --key code --normalize width,trim,case --out companies.prepared',
  )
  example(
    psi
      .command('rotate <key>')
      .description(
        'replace the key of a prepared set: what was prepared before is void, and has to be prepared again',
      )
      .requiredOption('--as <name>', 'whose set it is')
      .option('--key-file <file>', 'the party’s key (else SLUICE_KEY_FILE, else NAME.key beside the set’s)')
      .option('--expires <span>', 'when the new key is to be rotated in its turn (default: 90d)')
      .option('--ledger <dir>', 'this party’s ledger, which records it (default: NAME.ledger beside its key)')
      .action(act<Rotating>(rotate)),
    'sluice psi rotate bureau.key.oprf --as bureau --expires 30d',
  )
}

async function prepare(context: Context, options: Preparing, file: string): Promise<Reply> {
  const sets = await import('../psi/prepared.js')
  const { key: names, out } = options
  const columns = await sets.columnsOf(names, options.normalize)
  const threads = options.threads ?? availableParallelism()
  if (options.dryRun) return foretell(context, file, names, threads)
  if (out === undefined) {
    throw new SluiceError('USAGE', 'it is not said where the prepared set goes', {
      remedy: 'Name a file with --out FILE.',
    })
  }
  const [{ partyKey }, { fingerprintFile, prepareSet }, { recordPrepared }] = await Promise.all([
    import('../psi/files.js'),
    import('@sluice/mpc'),
    import('@sluice/ledger/party'),
  ])
  const path = context.path(out)
  await assertNotRead(path, [context.path(file)])
  if (options.force !== true) await assertFree(path)
  const { signer, path: partyPath } = await partyKey(context, out, options.as, options.keyFile)
  const { signal, progress } = context
  progress.report({ stage: 'read' })
  const input = await fingerprintFile(context.path(file), signal)
  const keyPath = sets.oprfKeyPath(context, partyPath, options.oprfKey)
  const expires = expiry(context, options.expires)
  const { key, made } = await sets.keyOfSet(keyPath, expires)
  if (!made) refuseOld(context, key.expires, options.expires)
  const place = { key: partyPath, name: signer.name, named: options.ledger }
  const ledger = await openPartyLedger(context, partyLedgerPath(context, place), signer)
  const done = await prepareSet({
    key,
    expires: key.expires,
    columns,
    names,
    input,
    out: path,
    step: options.step,
    threads,
    signal,
    read: sets.readerOf(context, file, names, rows => announce(context, rows, threads)),
    onProgress: (stage, fraction) => progress.report({ stage, fraction }),
    onReady: async ({ digest, count }) => {
      const { set, epoch, expires } = key
      await recordPrepared(ledger, { set, file: digest, epoch, expires, items: count }, { signal })
    },
    ...(options.force === true && { force: true }),
  })
  return {
    json: {
      ...{ file: path, digest: done.digest, items: done.items, count: done.count },
      ...{ set: key.set, epoch: key.epoch, expires: key.expires, oprfKey: keyPath, keyMade: made },
    },
    text: ui =>
      [
        ui.t('text.psiPreparedMade'),
        ui.fields([
          ['label.file', out],
          ['label.digest', done.digest],
          ['label.setSize', done.count],
          ['label.epoch', key.epoch],
          ['label.expires', key.expires],
          ['label.oprfKey', keyPath],
        ]),
        '',
        ui.t('text.psiPreparedKeep'),
      ].join('\n'),
  }
}

async function rotate(context: Context, options: Rotating, file: string): Promise<Reply> {
  const [{ partyKey }, { OprfKey }, { loadRistretto, publicHalf, rotatedKey }, { recordRotated }] =
    await Promise.all([
      import('../psi/files.js'),
      import('@sluice/ledger/keys'),
      import('@sluice/mpc/psi'),
      import('@sluice/ledger/party'),
    ])
  const { signer, path: partyPath } = await partyKey(context, file, options.as, options.keyFile)
  const path = context.path(file)
  const expires = expiry(context, options.expires)
  const [before, group] = [await OprfKey.open(path), await loadRistretto()]
  const drawn = rotatedKey(before, group)
  const now = context.io.now()
  const place = { key: partyPath, name: signer.name, named: options.ledger }
  const ledger = await openPartyLedger(context, partyLedgerPath(context, place), signer)
  // a ledger that cannot be used is known before the key is gone
  await ledger.counted({ signal: context.signal })
  // then first the key: a record that fails even so leaves no old key in force
  const key = await before.replace(
    path,
    { key: publicHalf(drawn, group), scalar: drawn.scalar, expires },
    now,
  )
  const recorded = { set: key.set, epoch: key.epoch, expires }
  const voided = await recordRotated(ledger, recorded, { signal: context.signal })
  return {
    json: { file: path, set: key.set, epoch: key.epoch, expires, voided, ledger: ledger.directory },
    text: ui =>
      [
        ui.t('text.psiRotatedNow', { voided }),
        ui.fields([
          ['label.epoch', key.epoch],
          ['label.expires', expires],
        ]),
        ui.t('text.jointRecorded', { ledger: ledger.directory }),
      ].join('\n'),
  }
}

function expiry(context: Context, span = EXPIRES): string {
  return new Date(context.io.now().getTime() + parseDuration(span)).toISOString()
}

/** A key that is there keeps its date: only a rotation makes another. */
function refuseOld(context: Context, expires: string, wanted: string | undefined): void {
  const remedy = 'Rotate the key with `sluice psi rotate`, then prepare the set again.'
  if (wanted !== undefined) {
    throw new SluiceError('USAGE', 'the key of this set exists, and has its date', {
      rule: 'psi.rotation',
      remedy,
    })
  }
  if (context.io.now().getTime() < Date.parse(expires)) return
  throw new SluiceError('APPROVAL_EXPIRED', `the key of this set was to be rotated on ${expires}`, {
    rule: 'psi.rotation',
    remedy,
  })
}

/** Who waits longer than half a minute is told so before. */
async function announce(context: Context, rows: number, threads: number): Promise<void> {
  const { estimatePreparation } = await import('@sluice/mpc')
  const seconds = await estimatePreparation(rows, threads)
  if (context.json || seconds < 30) return
  context.progress.end()
  const minutes = Math.max(1, Math.round(seconds / 60))
  await write(context.io.stderr, `${context.ui.t('text.psiPrepareTakes', { minutes, threads })}\n`)
}

async function foretell(
  context: Context,
  file: string,
  names: readonly string[],
  threads: number,
): Promise<Reply> {
  const [{ estimatePreparation }, { requireColumns, withTable }] = await Promise.all([
    import('@sluice/mpc'),
    import('../psi/input.js'),
  ])
  const rows = await withTable(context, file, async table => {
    requireColumns(table, file, names)
    return table.rows
  })
  const seconds = Number((await estimatePreparation(rows, threads)).toPrecision(3))
  return {
    json: { rows, threads, seconds },
    text: ui =>
      ui.fields([
        ['label.rows', rows],
        ['label.threads', threads],
        ['label.seconds', seconds],
      ]),
  }
}

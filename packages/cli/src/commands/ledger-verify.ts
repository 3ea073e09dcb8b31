import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError, visibleText } from '@sluice/core'
import type { LedgerReport, ReceiptReport, Trust } from '@sluice/ledger/verify'
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { readBytes, readText } from '../input.js'
import { writeFile } from '../output/file.js'
import type { Reply } from '../output/reply.js'
import type { Ui } from '../output/ui.js'
import type { Act } from '../program.js'
import { example, forceOption } from './options.js'

interface Options {
  readonly keys?: string
  readonly since?: string
  readonly tree?: boolean
  readonly out?: string
  readonly force?: boolean
}

const KEYS_BYTES = 65_536
const CHECKPOINT_BYTES = 65_536
const RECEIPT_BYTES = 256 * 1024

export function addVerify(ledger: Command, act: Act): void {
  example(
    ledger
      .command('verify [what]')
      .description(
        'verify a zone, a copy of its ledger, or a receipt, with code that shares nothing with the writer; needs no zone and no database',
      )
      .option(
        '--keys <file>',
        'the keys to verify with, from outside the zone (its trust.json as handed out)',
      )
      .option('--since <file>', 'the checkpoint that you saw last; what is verified has to continue it')
      .option('--tree', 'hashes and checkpoints only, without the signatures of entries')
      .option('--out <file>', 'keep the verified checkpoint there, for --since')
      .addOption(forceOption())
      .action(
        act<Options>(async (context, options, what) => {
          const path = what === undefined ? context.zoneDirectory() : context.path(what)
          return isFile(path, what)
            ? verifyReceipt(context, options, path)
            : verifyLedger(context, options, path)
        }),
      ),
    'sluice ledger verify',
    'sluice ledger verify copy --keys trust.json --since seen.txt --out seen.txt --force',
    'sluice ledger verify receipt.json --keys trust.json',
  )
}

async function verifyLedger(context: Context, options: Options, path: string): Promise<Reply> {
  const verifier = await import('@sluice/ledger/verify')
  const directory = existsSync(join(path, 'checkpoint')) ? path : join(path, 'ledger')
  const { trust, own } = await trustFor(context, options, join(path, 'trust.json'))
  const since =
    options.since === undefined ? undefined : await readText(context.path(options.since), CHECKPOINT_BYTES)
  const report = await verifier.verifyLedger(directory, {
    trust,
    ...(since !== undefined && { since }),
    ...(options.tree && { depth: 'tree' as const }),
    signal: context.signal,
    onProgress: ({ done, total }) => context.progress.report({ stage: 'verify', fraction: done / total }),
  })
  if (options.out !== undefined) {
    const bytes = new TextEncoder().encode(report.checkpoint)
    await writeFile(context.path(options.out), bytes, options.force === true)
  }
  return { json: { ...report, keysFromZone: own }, text: ui => reportText(report, own, ui) }
}

async function verifyReceipt(context: Context, options: Options, path: string): Promise<Reply> {
  const verifier = await import('@sluice/ledger/verify')
  const zone = context.settings.zone
  const { trust, own } = await trustFor(context, options, zone && join(zone, 'trust.json'))
  const report = await verifier.verifyReceipt(await readBytes(path, RECEIPT_BYTES), { trust })
  return { json: { ...report, keysFromZone: own }, text: ui => receiptText(report, own, ui) }
}

/** The keys that were named; else those beside the ledger, which prove less, and the reply says so. */
async function trustFor(
  context: Context,
  options: Options,
  beside: string | undefined,
): Promise<{ trust: Trust; own: boolean }> {
  const { parseTrust } = await import('@sluice/ledger/verify')
  const own = options.keys === undefined
  const path = options.keys === undefined ? beside : context.path(options.keys)
  if (path === undefined || (own && !existsSync(path))) {
    throw new SluiceError('USAGE', 'there are no keys to verify with', {
      remedy: 'Name the file that the zone’s founders handed out with --keys FILE.',
    })
  }
  return { trust: parseTrust(await readBytes(path, KEYS_BYTES)), own }
}

function reportText(report: LedgerReport, own: boolean, ui: Ui): string {
  const { origin, size, time, witnessedBy, unwitnessed, entriesByKind, root } = report
  return [
    ui.style('green', ui.t('text.verified')),
    ui.fields([
      ['label.origin', visibleText(origin)],
      ['label.entries', size],
      ['label.kind', Object.entries(entriesByKind).map(([kind, count]) => `${kind}: ${count}`)],
      ['label.root', root],
      ['label.time', time],
      ['label.cosigned', witnessedBy.map(visibleText)],
    ]),
    ...(unwitnessed === null
      ? []
      : [
          ui.style(
            'yellow',
            ui.t('text.witnessedUpTo', { from: unwitnessed.from, to: Math.max(unwitnessed.to - 1, 0) }),
          ),
        ]),
    ...(own ? [ui.style('yellow', ui.t('text.zoneKeys'))] : []),
  ].join('\n')
}

function receiptText(report: ReceiptReport, own: boolean, ui: Ui): string {
  const { origin, index, predicate, signedBy, size, time, witnessedBy } = report
  return [
    ui.style('green', ui.t('text.receiptHolds')),
    ui.fields([
      ['label.origin', visibleText(origin)],
      ['label.entry', index],
      ['label.kind', predicate.kind],
      ['label.time', predicate.time],
      [
        'label.signers',
        signedBy.map(
          ({ keyId, trusted }) => `${visibleText(keyId)}${trusted ? ` (${ui.t('label.trusted')})` : ''}`,
        ),
      ],
      ['label.checkpoint', `${size} · ${time}`],
      ['label.cosigned', witnessedBy.map(({ name, time }) => `${visibleText(name)} ${time}`)],
    ]),
    ...(own ? [ui.style('yellow', ui.t('text.zoneKeys'))] : []),
  ].join('\n')
}

function isFile(path: string, what: string | undefined): boolean {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status) return status.isFile()
  throw new SluiceError('FILE_MISSING', `${what ?? path}: there is no such file or directory`, {
    remedy: 'Name a zone, a copy of its ledger, or a receipt.',
  })
}

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SluiceError, visibleText } from '@sluice/core'
import type { LedgerReader, Predicate } from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { readBytes, readText } from '../input.js'
import { deliver } from '../output/deliver.js'
import { writeFile } from '../output/file.js'
import type { Reply } from '../output/reply.js'
import type { Act } from '../program.js'
import { parseCount } from '../quantities.js'
import { addVerify } from './ledger-verify.js'
import { example, forceOption, keyOption, outOption } from './options.js'

const CHECKPOINT_BYTES = 65_536

export function addLedger(program: Command, act: Act): void {
  const ledger = program.command('ledger').description('read, verify and witness the record')
  example(
    ledger
      .command('show [directory]')
      .description(
        'the entries of the zone’s ledger, or of the one in a directory: a party’s own record, a copy',
      )
      .option('--from <entry>', 'begin with this entry', '0')
      .option('--limit <number>', 'at most as many', '1000')
      .action(
        act<{ from: string; limit: string }>(async (context, options, directory) => {
          const from = entryNumber(options.from)
          const limit = parseCount(options.limit)
          const ledger = await ledgerOf(context, directory)
          const entries: ShownEntry[] = []
          if (from < (await ledger.size())) {
            for await (const { index, envelope } of ledger.entries(from)) {
              entries.push(shownEntry(index, envelope.predicate, envelope.signatures))
              if (entries.length === limit) break
            }
          }
          return {
            json: entries,
            text: ui =>
              ui.grid(
                [
                  { head: ui.t('label.entry'), align: 'right' },
                  'label.time',
                  'label.kind',
                  'label.signers',
                  'label.detail',
                ],
                entries.map(({ index, time, kind, signedBy, about }) => [
                  String(index),
                  time,
                  kind,
                  signedBy.join(', '),
                  visibleText(about),
                ]),
              ),
          }
        }),
      ),
    'sluice ledger show --from 10',
    'sluice ledger show bank.ledger',
  )
  addVerify(ledger, act)
  example(
    ledger
      .command('receipt <entry> [directory]')
      .description(
        'the proof that an entry is in the zone’s ledger, or in the one in a directory: anybody can check it offline',
      )
      .addOption(outOption('where to'))
      .addOption(forceOption())
      .action(
        act<{ out?: string; force?: boolean }>(async (context, options, entry, directory) => {
          const { receiptBytes } = await import('@sluice/ledger')
          const receipt = await (await ledgerOf(context, directory)).receipt(entryNumber(entry))
          return deliver(context, receiptBytes(receipt), options, {
            json: { entry: receipt.index, receipt },
            text: ui => ui.fields([['label.entry', receipt.index]]),
          })
        }),
      ),
    'sluice ledger receipt 12 --out receipt.json',
    'sluice ledger receipt 2 bank.ledger --out receipt.json',
  )
  example(
    ledger
      .command('checkpoint [directory]')
      .description(
        'the newest signed checkpoint of the zone’s ledger, or of the one in a directory, for a witness to keep',
      )
      .addOption(outOption('where to'))
      .addOption(forceOption())
      .action(
        act<{ out?: string; force?: boolean }>(async (context, options, directory) => {
          const { note, size } = await (await ledgerOf(context, directory)).checkpoint()
          return deliver(context, new TextEncoder().encode(note), options, {
            json: { size, checkpoint: note },
            text: ui => ui.fields([['label.entries', size]]),
          })
        }),
      ),
    'sluice ledger checkpoint --out checkpoint.txt',
  )
  example(
    ledger
      .command('cosign [directory]')
      .description(
        'witness the newest checkpoint of the zone’s ledger, or of a party’s own: from here on a rollback behind it is noticed',
      )
      .addOption(keyOption('the key of a provider or an auditor; of anybody else where it is a party’s own'))
      .option('--since <file>', 'the checkpoint that you kept last time; what you sign has to continue it')
      .addOption(outOption('keep the cosigned checkpoint there, outside the zone'))
      .addOption(forceOption())
      .action(act<Cosigning>(cosign)),
    'sluice ledger cosign --key auditor.key --since seen.txt --out seen.txt --force',
    'sluice ledger cosign bank.ledger --key bureau.key --since seen.txt --out seen.txt --force',
  )
}

async function ledgerOf(context: Context, directory: string | undefined): Promise<LedgerReader> {
  return directory === undefined ? (await context.zone()).ledger : (await ledgerIn(context, directory)).ledger
}

/** A ledger for reading, with the log's key from the `trust.json` beside it: `sluice ledger verify` proves more. */
async function ledgerIn(context: Context, directory: string) {
  const path = context.path(directory)
  const inside = existsSync(join(path, 'checkpoint'))
  const [{ Ledger }, { parseTrust }] = await Promise.all([
    import('@sluice/ledger'),
    import('@sluice/ledger/verify'),
  ])
  const trustFile = join(inside ? dirname(path) : path, 'trust.json')
  if (!existsSync(trustFile)) {
    throw new SluiceError('FILE_MISSING', `there is no ledger in ${visibleText(directory)}`, {
      remedy: 'Name a zone, or a party’s record such as NAME.ledger.',
    })
  }
  const trust = parseTrust(await readBytes(trustFile, CHECKPOINT_BYTES))
  const ledger = await Ledger.open(inside ? path : join(path, 'ledger'), { logKey: trust.logKey })
  return { ledger, trust, trustFile }
}

interface Cosigning {
  readonly key?: string
  readonly since?: string
  readonly out?: string
  readonly force?: boolean
}

async function cosign(context: Context, options: Cosigning, directory?: string): Promise<Reply> {
  const signer = await context.signer(options.key)
  const since =
    options.since === undefined ? undefined : await readText(context.path(options.since), CHECKPOINT_BYTES)
  const seen = since === undefined ? {} : { since }
  const note =
    directory === undefined
      ? await (await context.zone()).cosign(signer, seen)
      : await cosignParty(context, directory, signer, seen)
  const { parseCheckpoint } = await import('@sluice/ledger')
  const cosigned = parseCheckpoint(note)
  if (options.out !== undefined && options.out !== '-') {
    await writeFile(
      context.path(options.out),
      new TextEncoder().encode(cosigned.note),
      options.force === true,
    )
  }
  return {
    json: { size: cosigned.size, cosignedBy: signer.name, checkpoint: cosigned.note },
    text: ui =>
      [
        ui.t('text.cosigned'),
        ui.fields([
          ['label.entries', cosigned.size],
          ['label.cosigned', signer.name],
          ['label.file', options.out ?? null],
        ]),
      ].join('\n'),
  }
}

/** A party names no witnesses when it begins its ledger: whoever cosigns becomes one in the `trust.json` beside it. */
async function cosignParty(
  context: Context,
  directory: string,
  signer: Signer,
  seen: { readonly since?: string },
): Promise<string> {
  const [{ witness }, { ledger, trust, trustFile }] = await Promise.all([
    import('@sluice/ledger'),
    ledgerIn(context, directory),
  ])
  if (trust.founders.includes(signer.publicKey)) {
    throw new SluiceError('NOT_APPROVED', `"${signer.name}" is no witness of its own ledger`, {
      rule: 'ledger.witness',
      remedy: 'Have another party of its runs cosign, or an auditor, with their own key.',
    })
  }
  const time = Math.floor(context.io.now().getTime() / 1000)
  if (!trust.witnesses.includes(signer.publicKey)) {
    const named = { ...trust, witnesses: [...trust.witnesses, signer.publicKey] }
    const bytes = new TextEncoder().encode(`${JSON.stringify(named, null, 2)}\n`)
    await writeFile(trustFile, bytes, true)
  }
  return (await witness(ledger, signer, { ...seen, time })).note
}

interface ShownEntry {
  readonly index: number
  readonly time: string
  readonly kind: string
  readonly signedBy: readonly string[]
  readonly about: string
}

function shownEntry(
  index: number,
  predicate: Predicate,
  signatures: readonly { readonly keyId: string }[],
): ShownEntry {
  const signedBy = signatures.map(({ keyId }) => keyId.slice(0, keyId.lastIndexOf('+')))
  return { index, time: predicate.time, kind: predicate.kind, signedBy, about: about(predicate) }
}

/** What an entry is about, in the names that people use. */
function about(predicate: Predicate): string {
  switch (predicate.kind) {
    case 'founding':
      return predicate.origin
    case 'key-change':
      return `${predicate.action} ${predicate.principal.name} (${predicate.principal.role})`
    case 'registration':
      return `${predicate.dataset} v${predicate.version}`
    case 'policy-change':
    case 'retirement':
      return predicate.dataset
    case 'sample-consent':
      return `${predicate.dataset} v${predicate.version}`
    case 'sample':
      return `${predicate.dataset} v${predicate.version} · ${predicate.consumer}`
    case 'request':
      return `${predicate.id}`
    case 'release':
    case 'run':
      return `${shortRequest(predicate.requestDigest)} · ${predicate.run.slice(0, 8)}`
    case 'party-founding':
      return predicate.origin
    case 'joint-start':
    case 'joint-end':
      return `${predicate.jobDigest.slice(0, 10)} · ${predicate.run.slice(0, 8)}`
    case 'joint-break':
      return [predicate.jobDigest.slice(0, 10), predicate.run.slice(0, 8), predicate.code, predicate.about]
        .filter(Boolean)
        .join(' · ')
    case 'psi-start':
      return [
        ...psiRun(predicate),
        predicate.resumes && `resumes ${predicate.resumes.slice(0, 8)}`,
        ...predicate.counterparts.map(({ name, items }) => `${name} ${items}`),
      ]
        .filter(Boolean)
        .join(' · ')
    case 'psi-end':
      return psiRun(predicate).join(' · ')
    case 'psi-break':
      return [...psiRun(predicate), predicate.code, predicate.about].filter(Boolean).join(' · ')
    case 'psi-set':
      return `${predicate.set.slice(0, 10)} · epoch ${predicate.epoch} · ${predicate.items}`
    case 'psi-rotation':
      return `${predicate.set.slice(0, 10)} · epoch ${predicate.epoch} · void ${predicate.voided}`
    case 'refusal':
      return [
        predicate.code,
        predicate.rule,
        predicate.requestDigest && shortRequest(predicate.requestDigest),
      ]
        .filter(Boolean)
        .join(' · ')
    default:
      return shortRequest(predicate.requestDigest)
  }
}

function psiRun({ jobDigest, session }: { readonly jobDigest: string; readonly session: string }): string[] {
  return [jobDigest.slice(0, 10), session.slice(0, 8)]
}

/** The id by which people name a request: see `requestId` of the SDK. */
function shortRequest(digest: string): string {
  return `r-${digest.slice(0, 10)}`
}

function entryNumber(text: string): number {
  const index = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(index)) return index
  throw new SluiceError('USAGE', `"${text}" is no entry`, {
    remedy: 'Entries are counted from 0: see `sluice ledger show`.',
  })
}

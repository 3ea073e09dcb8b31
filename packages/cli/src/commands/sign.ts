import { SluiceError, visibleText } from '@sluice/core'
import type { KeyFile } from '@sluice/ledger/keys'
import type { ReviewableRequest } from '@sluice/sandbox'
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { readBytes } from '../input.js'
import { write } from '../io.js'
import { ask, isInteractive } from '../keyring.js'
import { deliver } from '../output/deliver.js'
import type { Reply } from '../output/reply.js'
import type { Ui } from '../output/ui.js'
import type { Act } from '../program.js'
import { parseCount } from '../quantities.js'
import { example, forceOption, keyOption, outOption } from './options.js'

interface Signing {
  readonly key?: string
  readonly expires?: string
  readonly maxRuns?: string
  readonly laterVersions?: boolean
  readonly digest?: string
  readonly reject?: string
  readonly yes?: boolean
  readonly out?: string
  readonly force?: boolean
}

const EXPORT_BYTES = 4 * 1024 * 1024

export function addSign(program: Command, act: Act): void {
  example(
    program
      .command('sign <file>')
      .description(
        'read, review and sign an exported request (or a founding, or a change of keys) on your own machine; needs no zone',
      )
      .addOption(keyOption('your key'))
      .option('--expires <span>', 'how long the approval stands: 30d, 12h or a time (default: 30d)')
      .option('--max-runs <number>', 'runs that you allow (default: what is asked for)')
      .option(
        '--later-versions',
        'stand for later versions of your dataset too, where its policy allows that',
      )
      .option('--digest <digest>', 'refuse to sign anything but this request')
      .option('--reject <reason>', 'sign a rejection instead')
      .option('--yes', 'do not ask; for a request that you have read')
      .addOption(outOption('where the signature goes').makeOptionMandatory())
      .addOption(forceOption())
      .action(
        act<Signing>(async (context, options, file) => {
          const bytes = await readBytes(context.path(file), EXPORT_BYTES)
          return isEnvelope(bytes) ? cosignEntry(context, options, bytes) : decide(context, options, bytes)
        }),
      ),
    'sluice sign request.json --key owner.key --expires 30d --max-runs 10 --out owner.sig',
  )
}

async function decide(context: Context, options: Signing, bytes: Uint8Array): Promise<Reply | undefined> {
  const [{ reviewExport }, { reviewJson, reviewText }] = await Promise.all([
    import('../review.js'),
    import('../output/review.js'),
  ])
  const reviewed = await reviewExport(bytes, context.io.now())
  const { request } = reviewed
  const signer = await context.signer(options.key)
  await confirm(context, options, signer, [
    reviewText(reviewed, context.ui),
    givenText(options, request, context.ui),
  ])
  const { Approver } = await import('@sluice/sandbox')
  const approver = new Approver(signer, { now: context.io.now })
  const signature =
    options.reject === undefined
      ? await approver.approve(request, {
          digest: options.digest ?? request.digest,
          ...(options.expires !== undefined && { expires: options.expires }),
          ...(options.maxRuns !== undefined && { maxRuns: parseCount(options.maxRuns) }),
          ...(options.laterVersions && { datasetVersions: 'same-schema' as const }),
        })
      : await approver.reject(request, options.reject)
  return deliver(context, signature, options, {
    json: {
      signer: signer.name,
      decision: options.reject === undefined ? 'approval' : 'rejection',
      ...reviewJson(reviewed),
    },
    text: ui => ui.t('text.signed'),
  })
}

/** What the signature would allow, as it was asked for on the command line. */
function givenText(
  { expires, maxRuns, laterVersions, reject }: Signing,
  request: ReviewableRequest,
  ui: Ui,
): string {
  if (reject !== undefined) return ui.fields([['label.reason', visibleText(reject)]])
  const versions = ui.t(laterVersions ? 'text.laterVersions' : 'text.exactVersions')
  const runs = maxRuns ?? request.document.maxRuns
  return ui.fields([
    [
      'label.yours',
      [`${ui.t('label.expires')} ${expires ?? '30d'}`, `${ui.t('label.maxRuns')} ${runs}`, versions],
    ],
  ])
}

/** A founding or a change of keys goes from machine to machine until everybody needed has signed it. */
async function cosignEntry(
  context: Context,
  options: Signing,
  bytes: Uint8Array,
): Promise<Reply | undefined> {
  const { cosign, openEnvelope } = await import('@sluice/ledger')
  const { entryText } = await import('../output/entry.js')
  const envelope = openEnvelope(bytes)
  const { predicate, signatures } = envelope
  if (predicate.kind !== 'key-change' && predicate.kind !== 'founding') {
    throw new SluiceError('FILE_FORMAT', `this file is a signed ${predicate.kind}; nobody else signs that`, {
      rule: 'sign.form',
      remedy:
        'Sign the file that `sluice request export`, `sluice principal add --out` or `sluice init --out` wrote.',
    })
  }
  const signer = await context.signer(options.key)
  if (predicate.kind === 'founding' && !predicate.principals.some(({ key }) => key === signer.publicKey)) {
    throw new SluiceError('KEY_UNKNOWN', `the founding does not name the key of "${signer.name}"`, {
      rule: 'founding.signers',
      remedy: 'Sign with a key that it names, or have the operator begin it again.',
    })
  }
  const signedBy = signatures.map(({ keyId }) => keyId)
  await confirm(context, options, signer, [entryText(predicate, signedBy, context.ui)])
  const cosigned = await cosign(envelope, signer)
  return deliver(context, cosigned.bytes, options, {
    json: { signer: signer.name, signedBy: cosigned.signatures.map(({ keyId }) => keyId), entry: predicate },
    text: ui => ui.t('text.signed'),
  })
}

/** Shows what is signed, and asks. Without a terminal somebody has to have said `--yes`: nothing waits for an answer. */
async function confirm(
  context: Context,
  options: Signing,
  signer: KeyFile,
  shown: readonly string[],
): Promise<void> {
  const { io, ui, json } = context
  if (!json) await write(io.stderr, `${shown.join('\n')}\n\n`)
  if (options.yes) return
  if (!isInteractive(io)) {
    throw new SluiceError('USAGE', 'there is no terminal to ask whether you want to sign', {
      remedy: 'Read what is signed, then add --yes (and --digest DIGEST, to sign nothing else).',
    })
  }
  const answer = await ask(io, ui.t('ask.sign', { name: signer.name }), 'shown')
  if (/^(y|yes|是)$/i.test(answer.trim())) return
  throw new SluiceError('NOT_APPROVED', 'you did not sign; nothing was written', { rule: 'sign.confirm' })
}

/** A DSSE envelope, or the export of a request: both are JSON, told apart by their first key. */
function isEnvelope(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, 64)).startsWith('{"payload"')
}

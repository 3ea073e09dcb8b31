import { SluiceError } from '@sluice/core'
import { type Command, Option } from 'commander'
import { readBytes } from '../input.js'
import { requestText } from '../output/request.js'
import type { Act } from '../program.js'
import { parseCount } from '../quantities.js'
import { example, keyOption } from './options.js'

interface Approving {
  readonly signature?: string
  readonly key?: string
  readonly expires?: string
  readonly maxRuns?: string
  readonly laterVersions?: boolean
}

const SIGNATURE_BYTES = 65_536

export function addApprove(program: Command, act: Act): void {
  example(
    program
      .command('approve <id>')
      .description('record a signature that was made elsewhere, or sign here where the key is at hand')
      .addOption(new Option('--signature <file>', 'what `sluice sign` wrote').conflicts('key'))
      .addOption(keyOption('the approver’s key'))
      .option('--expires <span>', 'with --key: how long the approval stands (default: 30d)')
      .option('--max-runs <number>', 'with --key: runs that are allowed')
      .option('--later-versions', 'with --key: stand for later versions of the dataset too')
      .action(
        act<Approving>(async (context, options, id) => {
          const zone = await context.zone()
          if (options.signature !== undefined) {
            const envelope = await readBytes(context.path(options.signature), SIGNATURE_BYTES)
            await assertFor(envelope, zone.requests.show(id).digest)
            const request = await zone.approvals.import(envelope)
            return {
              json: request,
              text: ui =>
                [
                  ui.t(request.status === 'rejected' ? 'text.rejected' : 'text.approved'),
                  requestText(request, ui),
                ].join('\n'),
            }
          }
          const request = await zone.approvals.approve(id, await context.signer(options.key), {
            ...(options.expires !== undefined && { expires: options.expires }),
            ...(options.maxRuns !== undefined && { maxRuns: parseCount(options.maxRuns) }),
            ...(options.laterVersions && { datasetVersions: 'same-schema' as const }),
          })
          return { json: request, text: ui => [ui.t('text.approved'), requestText(request, ui)].join('\n') }
        }),
      ),
    'sluice approve r-1a2b3c4d5e --signature owner.sig',
    'sluice approve r-1a2b3c4d5e --key owner.key --expires 30d --max-runs 10',
  )
}

/** The one who types an id means that request: a signature for another one is not recorded by mistake. */
async function assertFor(envelope: Uint8Array, digest: string): Promise<void> {
  const { openEnvelope } = await import('@sluice/ledger')
  const { predicate } = openEnvelope(envelope)
  if (!('requestDigest' in predicate) || predicate.requestDigest === digest) return
  throw new SluiceError('APPROVAL_MISMATCH', 'the signature is for another request than the one named', {
    rule: 'approval.request',
    remedy: 'Name the request that was signed; `sluice request list` has them.',
  })
}

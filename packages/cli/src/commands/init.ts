import { SluiceError } from '@sluice/core'
import type { Enrolment } from '@sluice/ledger'
import type { Zone } from '@sluice/sandbox'
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { readBytes } from '../input.js'
import { deliver } from '../output/deliver.js'
import type { Reply } from '../output/reply.js'
import type { Act } from '../program.js'
import { readPublicKey } from '../public-key.js'
import { example, forceOption, outOption, repeated } from './options.js'

interface Options {
  readonly operator?: string
  readonly provider?: readonly string[]
  readonly auditor?: string
  readonly key?: readonly string[]
  readonly founding?: string
  readonly origin?: string
  readonly out?: string
  readonly force?: boolean
}

const FOUNDING_BYTES = 65_536

export function addInit(program: Command, act: Act): void {
  example(
    program
      .command('init <dir>')
      .description('make a zone; an operator, a provider and an auditor sign its first entry together')
      .option('--operator <file>', 'key of the operator (运营方)')
      .addOption(
        repeated('--provider <file>', 'key of a data provider (数据提供方); may stand several times'),
      )
      .option('--auditor <file>', 'key of the auditor (监管方)')
      .option('--origin <name>', 'name of its ledger in checkpoints (default: a random one)')
      .addOption(
        outOption(
          'where keys lie on several machines: write the founding, for the others to sign; the files above may then be public keys',
        ),
      )
      .addOption(repeated('--key <file>', 'with --out: a key that is at hand; may stand several times'))
      .option('--founding <file>', 'the founding that everybody has signed: make the zone of it')
      .addOption(forceOption())
      .action(
        act<Options>((context, options, directory) => {
          const path = context.path(directory)
          if (options.founding !== undefined) return found(context, path, options.founding)
          return options.out === undefined ? init(context, path, options) : propose(context, path, options)
        }),
      ),
    'sluice init zone --operator operator.key --provider owner.key --auditor auditor.key',
    'sluice init zone --operator operator.key --provider owner.key.pub --auditor auditor.key.pub --key operator.key --out founding.dsse',
    'sluice init zone --founding founding.dsse',
  )
}

async function init(context: Context, path: string, options: Options): Promise<Reply> {
  const founders = []
  // one after the other: each may ask for a passphrase
  for (const { role, file } of foundersOf(options)) founders.push({ role, signer: await context.key(file) })
  const { Zone } = await import('@sluice/sandbox')
  const { origin } = options
  const zone = await Zone.init(path, founders, { ...context.zoneOptions(), ...(origin && { origin }) })
  return made(zone)
}

async function propose(context: Context, path: string, options: Options): Promise<Reply | undefined> {
  const principals: Enrolment[] = []
  for (const { role, file } of foundersOf(options)) {
    const key = await readPublicKey(context.path(file))
    principals.push({ name: key.name, role, key: key.text })
  }
  const signers = await context.signers(options.key)
  const { Zone } = await import('@sluice/sandbox')
  const { origin } = options
  const envelope = await Zone.propose(path, principals, signers, {
    now: context.io.now,
    ...(origin && { origin }),
  })
  return deliver(context, envelope, options, {
    json: { directory: path, principals, signedBy: signers.map(({ name }) => name) },
    text: ui => ui.t('text.foundingProposed'),
  })
}

async function found(context: Context, path: string, founding: string): Promise<Reply> {
  const envelope = await readBytes(context.path(founding), FOUNDING_BYTES)
  const { Zone } = await import('@sluice/sandbox')
  return made(await Zone.found(path, envelope, context.zoneOptions()))
}

async function made(zone: Zone): Promise<Reply> {
  const { founding } = zone.state
  const { root, trust } = zone.layout
  await zone.close()
  return {
    json: {
      zone: founding.zone,
      directory: root,
      origin: founding.origin,
      principals: founding.principals,
      trust,
    },
    text: ui =>
      [
        ui.t('text.zoneMade'),
        ui.fields([
          ['label.zone', founding.zone],
          ['label.path', root],
          ['label.principals', founding.principals.map(({ name, role }) => `${name} (${role})`)],
          ['label.charter', founding.charter.keyChange.join(' + ')],
          ['label.trust', trust],
        ]),
      ].join('\n'),
  }
}

interface Founder {
  readonly role: 'operator' | 'provider' | 'auditor'
  readonly file: string
}

function foundersOf({ operator, provider, auditor }: Options): Founder[] {
  if (operator === undefined || provider === undefined || auditor === undefined) {
    throw new SluiceError('USAGE', 'a zone is founded by an operator, a provider and an auditor', {
      rule: 'founding.roles',
      remedy: 'Name a key file for each: --operator FILE --provider FILE --auditor FILE.',
    })
  }
  return [
    { role: 'operator', file: operator },
    ...provider.map(file => ({ role: 'provider' as const, file })),
    { role: 'auditor', file: auditor },
  ]
}

import { type Command, Option } from 'commander'
import type { Context } from '../context.js'
import { readBytes } from '../input.js'
import { deliver } from '../output/deliver.js'
import type { Reply } from '../output/reply.js'
import type { Act } from '../program.js'
import { readPublicKey } from '../public-key.js'
import { example, forceOption, keysOption, outOption } from './options.js'

const ROLES = ['provider', 'operator', 'reviewer', 'consumer', 'auditor'] as const
type Role = (typeof ROLES)[number]
const FILE_BYTES = 65_536

interface Signing {
  readonly key?: readonly string[]
  readonly out?: string
  readonly force?: boolean
}

export function addPrincipal(program: Command, act: Act): void {
  const principal = program
    .command('principal')
    .description('enrol, rotate and remove keys, signed by those whom the zone’s charter names')
  example(
    signed(principal.command('add <name>').description('enrol a principal'))
      .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
      .requiredOption('--public-key <file>', 'a file with its public key, or its key file’s first lines')
      .action(
        act<Signing & { role: Role; publicKey: string }>(async (context, options, name) => {
          const { text: key } = await readPublicKey(context.path(options.publicKey))
          return change(context, options, 'enrol', { name, role: options.role, key })
        }),
      ),
    'sluice principal add bank --role consumer --public-key bank.key.pub --key owner.key --key auditor.key',
  )
  example(
    signed(
      principal.command('rotate <name>').description('replace a principal’s key by another of the same name'),
    )
      .requiredOption('--public-key <file>', 'a file with the new public key')
      .action(
        act<Signing & { publicKey: string }>(async (context, options, name) => {
          const { text: key } = await readPublicKey(context.path(options.publicKey))
          return change(context, options, 'rotate', { name, role: await roleOf(context, name), key })
        }),
      ),
    'sluice principal rotate bank --public-key bank-2.key.pub --key owner.key --key auditor.key',
  )
  example(
    signed(
      principal.command('remove <name>').description('a removed principal signs nothing any more'),
    ).action(
      act<Signing>(async (context, options, name) => {
        const zone = await context.zone()
        const enrolled = zone.principals.list().find(one => one.name === name)
        return change(context, options, 'remove', {
          name,
          role: await roleOf(context, name),
          key: enrolled?.key ?? '',
        })
      }),
    ),
    'sluice principal remove bank --key owner.key --key auditor.key',
  )
  example(
    principal
      .command('import <file>')
      .description('record a change of keys that everybody needed has signed (see `sluice sign`)')
      .action(
        act(async (context, _options, file) => {
          const zone = await context.zone()
          const enrolled = await zone.principals.import(await readBytes(context.path(file), FILE_BYTES))
          return {
            json: enrolled,
            text: ui => `${ui.t('text.imported')}: ${enrolled.name} (${enrolled.role})`,
          }
        }),
      ),
    'sluice principal import enrolment.dsse',
  )
  example(
    principal
      .command('list')
      .description('everybody who is or was enrolled')
      .action(
        act(async context => {
          const principals = (await context.zone()).principals.list()
          return {
            json: principals,
            text: ui =>
              ui.grid(
                ['label.name', 'label.role', 'label.since', 'label.publicKey'],
                principals.map(({ name, role, since, key, removed }) => [
                  removed ? `${name} (${ui.t('text.removed')})` : name,
                  role,
                  since,
                  key,
                ]),
              ),
          }
        }),
      ),
    'sluice principal list',
  )
}

function signed(command: Command): Command {
  return command
    .addOption(keysOption('a key of each role that the charter names'))
    .addOption(outOption('do not record it; write it, signed so far, for others to sign'))
    .addOption(forceOption())
}

async function change(
  context: Context,
  options: Signing,
  action: 'enrol' | 'rotate' | 'remove',
  principal: { readonly name: string; readonly role: Role; readonly key: string },
): Promise<Reply | undefined> {
  const zone = await context.zone()
  const signers = await context.signers(options.key)
  if (options.out !== undefined) {
    const envelope = await zone.principals.propose({ action, principal }, signers)
    return deliver(context, envelope, options, {
      json: { action, principal, signedBy: signers.map(signer => signer.name) },
      text: ui => ui.t('text.proposed'),
    })
  }
  const changed = await zone.principals.change({ action, principal }, signers)
  const said = {
    enrol: 'text.principalEnrolled',
    rotate: 'text.principalRotated',
    remove: 'text.principalRemoved',
  } as const
  return { json: changed, text: ui => `${ui.t(said[action])}: ${changed.name} (${changed.role})` }
}

async function roleOf(context: Context, name: string): Promise<Role> {
  const zone = await context.zone()
  // where nobody has that name, the zone says so
  return zone.principals.list().find(principal => principal.name === name)?.role ?? 'consumer'
}

import { writeFile } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'
import { type Command, Option } from 'commander'
import type { Context } from '../context.js'
import { newPassphrase } from '../keyring.js'
import type { Reply } from '../output/reply.js'
import type { Act } from '../program.js'
import { example } from './options.js'

export function addKey(program: Command, act: Act): void {
  const key = program.command('key').description('make keys, and look at them; they never enter a zone')
  example(
    key
      .command('new <file>')
      .description(
        'make an Ed25519 key in a file of mode 600, encrypted with a passphrase, and its public half beside it; or a secret for keyed rules',
      )
      .addOption(
        new Option('--for <use>', 'a principal’s signatures, or the keyed rules of `desensitize`')
          .choices(['principal', 'desensitize'])
          .default('principal'),
      )
      .option('--name <name>', 'the principal whose key it is; required for one')
      .option('--no-passphrase', 'do not encrypt it; a secret for keyed rules never is')
      .action(
        act<{ for: string; name?: string; passphrase: boolean }>(async (context, options, file) => {
          if (options.for === 'desensitize') return newSecret(context, file)
          if (options.name === undefined) {
            throw new SluiceError('USAGE', "required option '--name <name>' not specified", {
              remedy: 'See --help of the command.',
            })
          }
          const { io, ui, settings } = context
          const { KeyFile } = await import('@sluice/ledger/keys')
          const path = context.path(file)
          const passphrase = options.passphrase
            ? await newPassphrase(file, io, ui, settings.passphraseFile)
            : undefined
          const { name, publicKey } = await KeyFile.generate(path, { name: options.name, passphrase })
          const publicFile = `${path}.pub`
          await writeFile(publicFile, `${publicKey}\n`)
          return {
            json: { file: path, publicFile, name, publicKey, encrypted: options.passphrase },
            text: ui =>
              [
                ui.t('text.keyMade'),
                '',
                `  ${publicKey}`,
                '',
                `${file}.pub: ${ui.t('text.publicHalf')}`,
                `${file}: ${ui.t(options.passphrase ? 'text.keyEncrypted' : 'text.keyPlain')}`,
              ].join('\n'),
          }
        }),
      ),
    'sluice key new bank.key --name bank',
    'sluice key new tax.secret --for desensitize',
  )
  example(
    key
      .command('show <file>')
      .description('the name and the public key of a key file')
      .action(
        act(async (context, _options, file) => {
          const { name, publicKey } = await context.key(file)
          return {
            json: { file: context.path(file), name, publicKey },
            text: ui =>
              ui.fields([
                ['label.name', name],
                ['label.publicKey', publicKey],
              ]),
          }
        }),
      ),
    'sluice key show bank.key',
  )
}

async function newSecret(context: Context, file: string): Promise<Reply> {
  const { SecretFile } = await import('@sluice/ledger/keys')
  const path = context.path(file)
  const { id } = await SecretFile.generate(path)
  return {
    json: { file: path, id },
    text: ui =>
      [ui.t('text.secretMade'), ui.fields([['label.secret', id]]), ui.t('text.secretStays')].join('\n'),
  }
}

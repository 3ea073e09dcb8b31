import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { newPassphrase } from '../keyring.js'
import type { Act } from '../program.js'
import { example } from './options.js'

export function addKey(program: Command, act: Act): void {
  const key = program.command('key').description('make keys, and look at them; they never enter a zone')
  example(
    key
      .command('new <file>')
      .description(
        'make an Ed25519 key in a file of mode 600, encrypted with a passphrase, and its public half beside it',
      )
      .requiredOption('--name <name>', 'the principal whose key it is')
      .option('--no-passphrase', 'do not encrypt it')
      .action(
        act<{ name: string; passphrase: boolean }>(async (context, options, file) => {
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

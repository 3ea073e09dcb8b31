import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { isSluiceError, SluiceError } from '@sluice/core'
import type { KeyFile, OpeningKey } from '@sluice/ledger/keys'
import { readText } from './input.js'
import { Interruption, type Io, write } from './io.js'
import type { Ui } from './output/ui.js'

const PASSPHRASE_BYTES = 4096

/**
 * Opens a key. Its passphrase comes from SLUICE_PASSPHRASE_FILE, else from whoever sits at the terminal; where
 * there is neither, an encrypted key is an error and nothing waits for an answer.
 */
export async function openKey(
  path: string,
  io: Io,
  ui: Ui,
  passphraseFile: string | undefined,
): Promise<KeyFile> {
  const { KeyFile } = await import('@sluice/ledger/keys')
  return opened(path, io, ui, passphraseFile, passphrase => KeyFile.open(path, { passphrase }))
}

/** The same for the secret key of an aggregation. */
export async function openOpeningKey(
  path: string,
  io: Io,
  ui: Ui,
  passphraseFile: string | undefined,
): Promise<OpeningKey> {
  const { OpeningKey } = await import('@sluice/ledger/keys')
  return opened(path, io, ui, passphraseFile, passphrase => OpeningKey.open(path, { passphrase }))
}

async function opened<T>(
  path: string,
  io: Io,
  ui: Ui,
  passphraseFile: string | undefined,
  open: (passphrase: string | undefined) => Promise<T>,
): Promise<T> {
  const passphrase = passphraseFile === undefined ? undefined : await passphraseFrom(passphraseFile)
  try {
    return await open(passphrase)
  } catch (error) {
    if (!isSluiceError(error) || error.code !== 'PASSPHRASE_MISSING' || !isInteractive(io)) throw error
    return open(await ask(io, ui.t('ask.passphrase', { file: path }), 'hidden'))
  }
}

/** A passphrase for a new key: from the file, else asked for twice. @throws SluiceError PASSPHRASE_MISSING */
export async function newPassphrase(
  path: string,
  io: Io,
  ui: Ui,
  passphraseFile: string | undefined,
): Promise<string> {
  if (passphraseFile !== undefined) return passphraseFrom(passphraseFile)
  if (!isInteractive(io)) {
    throw new SluiceError('PASSPHRASE_MISSING', 'there is no terminal to ask for a passphrase', {
      remedy:
        'Name a file with it in SLUICE_PASSPHRASE_FILE, or choose --no-passphrase and protect the key file.',
    })
  }
  const passphrase = await ask(io, ui.t('ask.newPassphrase', { file: path }), 'hidden')
  if (passphrase === (await ask(io, ui.t('ask.repeat'), 'hidden'))) return passphrase
  throw new SluiceError('PASSPHRASE_WRONG', 'the two passphrases differ; no key was made', {
    remedy: 'Run the same command again.',
  })
}

export function isInteractive(io: Io): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true
}

/** Asks on the terminal; what is typed is not shown where it is hidden. */
export async function ask(io: Io, question: string, typed: 'shown' | 'hidden'): Promise<string> {
  await write(io.stderr, question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({
    input: io.stdin,
    output: typed === 'shown' ? io.stderr : nowhere,
    terminal: io.stdin.isTTY === true,
  })
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('line', resolve)
      // the terminal is in raw mode: Ctrl-C comes as a key, not as a signal
      reader.once('SIGINT', () => reject(new Interruption('SIGINT')))
      reader.once('close', () =>
        reject(
          new SluiceError('PASSPHRASE_MISSING', 'the input ended before the answer', {
            remedy: 'Answer it.',
          }),
        ),
      )
      io.signal.addEventListener('abort', () => reject(io.signal.reason), { once: true })
    })
  } finally {
    reader.close()
    if (typed === 'hidden') await write(io.stderr, '\n')
  }
}

/** The first line: an editor ends it with a line break that is no part of it. */
async function passphraseFrom(path: string): Promise<string> {
  return (await readText(path, PASSPHRASE_BYTES)).split(/\r?\n/, 1)[0] ?? ''
}

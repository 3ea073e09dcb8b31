import { readFile } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'
import type { Signer } from '../keys/signer.js'
import { appendSigned, parseSigned, type Signed, type SignedLogForm } from '../store/signed-log.js'
import type { ExclusiveOptions } from '../store/types.js'

/** What somebody is about to open, and why. */
export interface Reveal {
  readonly what: 'tokens' | 'cells'
  /** the join domain of tokens, or the dataset of cells */
  readonly scope: string
  readonly column: string
  /** SHA-256 of the file that holds them, 64 hexadecimal digits */
  readonly input: string
  /** identifier of the secret */
  readonly secret: string
  readonly reason: string
}

/** `by` is who opened it. */
export type RevealRecord = Reveal & Signed

const REASON = /^(?=.*\S)[^\p{Cc}]{1,1000}$/u
const FORM: SignedLogForm = { domain: 'sluice/reveal/1', corrupt, unwritable }

/**
 * Records that something is about to be opened, durably, in a file of mode 600: one line a record, signed by whoever
 * opens (Ed25519 over RFC 8785 JSON) and holding the digest of the line before. Only when this returned may it be opened.
 *
 * The file is the provider's own. It proves who opened what, as long as somebody else holds a later line or its digest:
 * whoever alone holds the file can cut it.
 *
 * @returns the digest of the new line, to be kept elsewhere
 * @throws SluiceError PARAMETER_INVALID (no reason), LEDGER_CORRUPT (the record before does not hold), LOCKED, DISK_FULL,
 * FILE_MISSING, INTERRUPTED
 */
export async function recordReveal(
  path: string,
  reveal: Reveal,
  signer: Signer,
  options: ExclusiveOptions & { readonly now: () => Date },
): Promise<{ readonly record: RevealRecord; readonly digest: string }> {
  if (!REASON.test(reveal.reason)) {
    throw new SluiceError(
      'PARAMETER_INVALID',
      'opening needs a reason, of 1 to 1,000 characters in one line',
      {
        rule: 'reveal.reason',
        remedy: 'Say who asked for it and what for; it is recorded.',
      },
    )
  }
  return appendSigned<Reveal>(path, FORM, () => reveal, signer, options)
}

/**
 * Every record of the file, its chain and signatures checked. A last line that was cut short was never acknowledged, and
 * is left out.
 *
 * @throws SluiceError FILE_MISSING, LEDGER_CORRUPT
 */
export async function readReveals(
  path: string,
): Promise<{ readonly records: readonly RevealRecord[]; readonly digest: string }> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new SluiceError('FILE_MISSING', `the record ${path} cannot be read (${cause.code})`, {
      remedy: 'Check the path.',
      cause,
    })
  })
  return parseSigned<Reveal>(bytes, FORM)
}

function unwritable(cause: unknown): SluiceError {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SluiceError('DISK_FULL', 'the disk is full; nothing was opened', { cause })
  }
  return new SluiceError('FILE_MISSING', `the record cannot be written (${code}); nothing was opened`, {
    remedy: 'Check that its directory exists and that you may write there.',
    cause,
  })
}

function corrupt(line: number): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', `record ${line} of what was opened does not hold`, {
    rule: 'reveal.chain',
    remedy: 'Keep the file as it is and find out who changed it; begin a new one with --log.',
    facts: { line },
  })
}

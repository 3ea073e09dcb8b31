import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'
import {
  type Enrolment,
  type Envelope,
  type Founding,
  Ledger,
  type Role,
  sign,
  trustOf,
  verifyEnvelope,
} from '@sluice/ledger'
import { makeNamedDirectory } from '@sluice/ledger/files'
import { KeyFile, type Signer } from '@sluice/ledger/keys'
import { makeZone, writeDurably, type ZoneLayout } from './layout.js'

export interface FoundingOptions {
  readonly now?: () => Date
  /** a change of keys needs a signature of one principal of each of these roles; provider and auditor by default */
  readonly charter?: readonly Role[]
  /** the checkpoint's origin line; made of the zone's id where it is not given */
  readonly origin?: string
}

const FOUNDING_ROLES: readonly Role[] = ['operator', 'provider', 'auditor']

/**
 * Begins a directory that is to become a zone: makes the log's own key, and the founding entry as far as it can be
 * signed here. Whoever else it names adds a signature elsewhere (`cosign`), then `found` completes it.
 *
 * @param signers those of the principals whose keys are at hand: at least one
 * @throws SluiceError EXISTS where the directory is not empty; USAGE where a role or a signer is missing; NAME_TAKEN
 */
export async function proposeFounding(
  layout: ZoneLayout,
  principals: readonly Enrolment[],
  signers: readonly Signer[],
  { now = () => new Date(), charter = ['provider', 'auditor'], origin }: FoundingOptions,
): Promise<Envelope> {
  assertPrincipals(principals)
  const [first, ...others] = signers
  if (!first)
    throw new SluiceError('USAGE', 'a founding begins with one signature at least', {
      rule: 'founding.signers',
    })
  await assertEmpty(layout)
  await makeNamedDirectory(layout.root, 0o700)
  const zone = randomBytes(16).toString('hex')
  const name = origin ?? `sluice-zone-${zone}`
  const { publicKey } = await KeyFile.generate(layout.logKey, { name })
  const founding: Founding = {
    kind: 'founding',
    time: now().toISOString(),
    zone,
    origin: name,
    suite: 'international',
    logKey: publicKey,
    principals,
    charter: { keyChange: charter },
  }
  return sign(founding, first, ...others)
}

/**
 * Makes the zone of a founding that everybody it names has signed.
 *
 * @throws SluiceError FILE_FORMAT for an envelope of something else; KEY_UNKNOWN where it was begun in another
 *   directory; NOT_APPROVED naming who has not signed
 */
export async function found(layout: ZoneLayout, envelope: Envelope, now: () => Date): Promise<void> {
  const founding = envelope.predicate
  if (founding.kind !== 'founding') {
    throw new SluiceError('FILE_FORMAT', `this file is a signed ${founding.kind}, not a founding`, {
      rule: 'founding.form',
      remedy: 'Import the file that `sluice init` wrote, signed by everybody it names.',
    })
  }
  const logSigner = await KeyFile.open(layout.logKey)
  if (logSigner.publicKey !== founding.logKey) {
    throw new SluiceError(
      'KEY_UNKNOWN',
      'this founding was begun in another directory: its log has another key',
      {
        rule: 'founding.logKey',
        remedy: 'Import it in the directory that it was made for.',
      },
    )
  }
  const signed = new Set(
    verifyEnvelope(
      envelope,
      founding.principals.map(({ key }) => key),
    ).map(({ name }) => name),
  )
  const missing = founding.principals.filter(({ name }) => !signed.has(name)).map(({ name }) => name)
  if (missing.length > 0) {
    throw new SluiceError('NOT_APPROVED', `the founding lacks the signature of: ${missing.join(', ')}`, {
      rule: 'founding.signers',
      remedy: 'Have the file signed with `sluice sign` by each of them, then import it.',
    })
  }
  await Ledger.create(layout.ledger, { logSigner, founding: envelope, now: () => now().getTime() })
  await writeDurably(
    layout.trust,
    new TextEncoder().encode(`${JSON.stringify(trustOf(founding), null, 2)}\n`),
  )
  await makeZone(layout)
}

function assertPrincipals(principals: readonly Enrolment[]): void {
  const missing = FOUNDING_ROLES.filter(role => !principals.some(principal => principal.role === role))
  if (missing.length > 0) {
    throw new SluiceError(
      'USAGE',
      `a zone is founded by an operator, a provider and an auditor; missing: ${missing.join(', ')}`,
      { rule: 'founding.roles', remedy: 'Name a key for each of these roles.' },
    )
  }
  if (new Set(principals.map(({ name }) => name)).size === principals.length) return
  throw new SluiceError('NAME_TAKEN', 'two founders have the same name', {
    rule: 'founding.names',
    remedy: 'Every principal has a name of its own; make another key with another name.',
  })
}

async function assertEmpty(layout: ZoneLayout): Promise<void> {
  const names = await readdir(layout.root).catch((error: NodeJS.ErrnoException) => {
    // of a file in the way, the making of the directory tells
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
  if (names.length === 0) return
  throw new SluiceError('EXISTS', `${layout.root} is not empty`, {
    remedy: 'Choose a directory that does not exist yet, or an empty one.',
  })
}

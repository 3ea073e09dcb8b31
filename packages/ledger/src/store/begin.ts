import { dirname, join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { Envelope, verifyEnvelope } from '../entries/envelope.js'
import type { Signer } from '../keys/signer.js'
import { CompactRange } from '../tree/compact-range.js'
import { leafHash } from '../tree/hashes.js'
import { Edge } from './edge.js'
import type { Files } from './files.js'
import { journalFrames, journalHeader, parseJournal } from './journal.js'
import { CHECKPOINT, JOURNAL, LOCK, WITNESSED } from './layout.js'
import { acquire } from './lock.js'
import { publish, replaceAll } from './publish.js'

/**
 * Writes a ledger of one entry. The checkpoint comes last: until it is there, there is no ledger, and beginning again is
 * fine.
 *
 * @param now milliseconds since the epoch
 * @throws SluiceError EXISTS, SCHEMA_INVALID, SIGNATURE_INVALID, KEY_UNKNOWN, CLOCK_BEHIND
 */
export async function begin(
  files: Files,
  directory: string,
  founding: Envelope,
  log: Signer,
  now: number,
): Promise<void> {
  checkFounding(founding, log, now)
  await files.makeDirectory(directory)
  const lock = await acquire(files, join(directory, LOCK), { wait: 0 })
  try {
    await refuseExisting(files, directory)
    const entry = { bytes: founding.bytes, leaf: leafHash(founding.bytes) }
    const journal = Buffer.concat([journalHeader(0), journalFrames(0, [entry])])
    await replaceAll(files, directory, [{ path: JOURNAL, bytes: journal }])
    await files.syncDirectory(dirname(directory))
    const edge = new Edge(new CompactRange(), [], [])
    edge.append(entry)
    await publish(files, directory, edge, log, now)
  } finally {
    await lock.release()
  }
}

const CLOCK_TOLERANCE = 5 * 60_000

function checkFounding(envelope: Envelope, log: Signer, now: number): void {
  const { predicate, signatures } = Envelope.check(envelope)
  const founding = predicate.kind === 'founding' || predicate.kind === 'party-founding'
  if (!founding || predicate.logKey !== log.publicKey) {
    throw new SluiceError('SCHEMA_INVALID', 'a ledger begins with the founding that names its log’s key', {
      rule: 'ledger.founding',
    })
  }
  const founders = predicate.kind === 'founding' ? predicate.principals : [predicate.party]
  verifyEnvelope(
    envelope,
    founders.map(({ key }) => key),
  )
  const missing = founders.filter(({ key }) => !signatures.some(({ keyId }) => key.startsWith(`${keyId}+`)))
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name)
    throw new SluiceError('SIGNATURE_INVALID', `the founding lacks the signature of ${names.join(', ')}`, {
      rule: 'ledger.founding',
      remedy: 'Have everybody sign the founding whom it names.',
      facts: { missing: names },
    })
  }
  if (Date.parse(predicate.time) > now + CLOCK_TOLERANCE) {
    throw new SluiceError('CLOCK_BEHIND', 'the founding is dated in the future', {
      rule: 'ledger.time',
      remedy: 'Set the clock right, of this machine or of the one that wrote the founding.',
    })
  }
}

/** A ledger whose checkpoint was lost must not be taken for one that was never finished. */
async function refuseExisting(files: Files, directory: string): Promise<void> {
  const journal = await files.read(join(directory, JOURNAL))
  const bundles = await files.list(join(directory, 'tile', 'entries'))
  const widths = await files.list(join(directory, 'tile', 'entries', '000.p'))
  if (
    (await files.size(join(directory, CHECKPOINT))) !== null ||
    (await files.list(join(directory, WITNESSED))).length > 0 ||
    bundles.some(name => name !== '000.p') ||
    widths.some(name => name !== '1') ||
    (journal !== null && parseJournal(journal).entries.length > 1)
  ) {
    throw new SluiceError('EXISTS', `there is a ledger in ${directory} already`, {
      remedy: 'Choose another directory; a ledger is never overwritten.',
    })
  }
}

import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { verifyEnvelope } from '../entries/envelope.js'
import type { Signer } from '../keys/signer.js'
import { parseVerifierKey, verifySignature } from '../keys/verifier-key.js'
import { nodeFiles } from '../store/node-files.js'
import type { LedgerReader } from '../store/types.js'
import { CompactRange } from '../tree/compact-range.js'
import { leafHash } from '../tree/hashes.js'
import { type Tally, Tallying } from './tally.js'

/** It is written anew after so many entries: folding those takes some milliseconds. */
const EVERY = 64
const FILE = 'tally.json'
const DOMAIN = 'sluice/party-tally/1\n'

interface Kept {
  readonly origin: string
  readonly size: number
  /** of the tree of `size` entries, in base64: see `CompactRange` */
  readonly subtrees: readonly string[]
  readonly tally: Tally
}

/**
 * A party's ledger folded up to some entry. What was folded is kept beside the ledger, signed by the party, so that opening
 * takes as long for many entries as for few; it is nothing to believe: entries after it have to lead from its tree to
 * the root that the ledger's checkpoint signs. Where it is missing, or another hand wrote it, every entry is read again.
 */
export class FoldedLedger {
  readonly tallying: Tallying
  readonly #directory: string
  readonly #origin: string
  readonly #signer: Signer
  readonly #range: CompactRange
  #kept: number

  private constructor(directory: string, origin: string, signer: Signer, kept: Kept | undefined) {
    this.#directory = directory
    this.#origin = origin
    this.#signer = signer
    const subtrees = kept?.subtrees.map(hash => new Uint8Array(Buffer.from(hash, 'base64')))
    this.#range = new CompactRange(kept?.size, subtrees)
    this.tallying = new Tallying(kept?.tally)
    this.#kept = this.#range.size
  }

  static async load(directory: string, origin: string, signer: Signer): Promise<FoldedLedger> {
    const bytes = await nodeFiles.read(join(directory, FILE))
    const kept = bytes === null ? undefined : keptIn(Buffer.from(bytes), origin, signer)
    return new FoldedLedger(directory, origin, signer, kept)
  }

  /**
   * Takes in what was added since; every entry has to be this party's.
   *
   * @param reader of the holder of the lock
   * @throws SluiceError LEDGER_ROLLED_BACK, LEDGER_CORRUPT, KEY_UNKNOWN, SIGNATURE_INVALID
   */
  async advance(reader: LedgerReader): Promise<void> {
    const { size, root } = await reader.checkpoint()
    if (this.#range.size > size) throw setBack(this.#range.size, size)
    const key = parseVerifierKey(this.#signer.publicKey)
    if (this.#range.size < size) {
      for await (const { envelope } of reader.entries(this.#range.size)) {
        verifyEnvelope(envelope, [key])
        this.#range.append(leafHash(envelope.bytes))
        this.tallying.add(envelope.predicate)
      }
    }
    if (!Buffer.from(this.#range.root()).equals(root)) throw changed()
    if (size - this.#kept >= EVERY) await this.#keep()
  }

  async #keep(): Promise<void> {
    const kept: Kept = {
      origin: this.#origin,
      size: this.#range.size,
      subtrees: this.#range.subtrees.map(hash => Buffer.from(hash).toString('base64')),
      tally: this.tallying.tally,
    }
    const text = JSON.stringify(kept)
    const signature = await this.#signer.sign(Buffer.from(DOMAIN + text))
    const [path, partial] = [join(this.#directory, FILE), join(this.#directory, `${FILE}.new`)]
    const bytes = Buffer.from(`${text}\n${Buffer.from(signature).toString('base64')}\n`)
    await nodeFiles.write(partial, bytes, 0o600)
    await nodeFiles.rename(partial, path)
    this.#kept = this.#range.size
  }
}

/** Undefined where it is not this party's over this ledger. */
function keptIn(bytes: Buffer, origin: string, signer: Signer): Kept | undefined {
  const end = bytes.indexOf(0x0a)
  const text = bytes.subarray(0, Math.max(0, end)).toString()
  const signature = Buffer.from(bytes.subarray(end + 1).toString(), 'base64')
  const key = parseVerifierKey(signer.publicKey)
  if (signature.length !== 64 || !verifySignature(key, Buffer.from(DOMAIN + text), signature))
    return undefined
  const kept = JSON.parse(text) as Kept
  return kept.origin === origin ? kept : undefined
}

function setBack(seen: number, size: number): SluiceError {
  return new SluiceError(
    'LEDGER_ROLLED_BACK',
    `this party has counted ${seen} entries of its ledger, which now has ${size}`,
    {
      rule: 'ledger.rollback',
      remedy:
        'Put the newer files back, and find out who replaced them; without them no quota can be counted.',
      facts: { size, seen },
    },
  )
}

function changed(): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', 'the entries do not lead to the root that the checkpoint signs', {
    rule: 'ledger.root',
    remedy: 'Run "sluice ledger verify", and restore the ledger from a copy that verifies.',
  })
}

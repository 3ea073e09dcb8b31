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
const TALLY = { file: 'tally.json', domain: 'sluice/party-tally/1\n' }
const HEAD = { file: 'head.json', domain: 'sluice/party-head/1\n' }

/** Of the ledger as this party has left it; written at each entry. */
interface Head {
  readonly origin: string
  readonly size: number
  /** of the tree of `size` entries, in base64 */
  readonly root: string
}

interface Kept {
  readonly origin: string
  readonly size: number
  /** of the tree of `size` entries, in base64: see `CompactRange` */
  readonly subtrees: readonly string[]
  readonly tally: Tally
}

/**
 * A party's ledger folded up to some entry. What was folded is kept beside the ledger, signed by the party, so that opening
 * reads no more than the entries since, and some 240 bytes for each run; it is nothing to believe: entries after it have
 * to lead from its tree to the root that the ledger's checkpoint signs. Where it is missing, or another hand wrote it,
 * every entry is read again. The head beside it, small and written at each entry, is what the ledger may not fall behind.
 */
export class FoldedLedger {
  readonly tallying: Tallying
  readonly #directory: string
  readonly #origin: string
  readonly #signer: Signer
  readonly #range: CompactRange
  readonly #head: Head | undefined
  #kept: number

  private constructor(
    directory: string,
    origin: string,
    signer: Signer,
    kept: Kept | undefined,
    head: Head | undefined,
  ) {
    this.#directory = directory
    this.#origin = origin
    this.#signer = signer
    const subtrees = kept?.subtrees.map(hash => new Uint8Array(Buffer.from(hash, 'base64')))
    this.#range = new CompactRange(kept?.size, subtrees)
    this.tallying = new Tallying(kept?.tally)
    this.#head = head
    this.#kept = this.#range.size
  }

  /** @throws SluiceError LEDGER_ROLLED_BACK where the head is of another ledger, LEDGER_CORRUPT where it is not this party's */
  static async load(directory: string, origin: string, signer: Signer): Promise<FoldedLedger> {
    const [tally, last] = await Promise.all(
      [TALLY, HEAD].map(({ file }) => nodeFiles.read(join(directory, file))),
    )
    const head = last && signedIn<Head>(last, HEAD.domain, signer)
    if (head === undefined) throw unsigned()
    if (head !== null && head.origin !== origin) throw another()
    const kept = tally && signedIn<Kept>(tally, TALLY.domain, signer)
    const own = kept?.origin === origin ? kept : undefined
    return new FoldedLedger(directory, origin, signer, own, head ?? undefined)
  }

  /** Whether a ledger in this directory was ever counted. */
  static async isBegun(directory: string): Promise<boolean> {
    const sizes = [TALLY, HEAD].map(({ file }) => nodeFiles.size(join(directory, file)))
    return (await Promise.all(sizes)).some(size => size !== null)
  }

  /**
   * Takes in what was added since; every entry has to be this party's.
   *
   * @param reader of the holder of the lock
   * @throws SluiceError LEDGER_ROLLED_BACK, LEDGER_CORRUPT, KEY_UNKNOWN, SIGNATURE_INVALID
   */
  async advance(reader: LedgerReader): Promise<void> {
    const { size, root } = await reader.checkpoint()
    const seen = Math.max(this.#range.size, this.#head?.size ?? 0)
    if (seen > size) throw setBack(seen, size)
    this.#checkHead()
    const key = parseVerifierKey(this.#signer.publicKey)
    if (this.#range.size < size) {
      for await (const { envelope } of reader.entries(this.#range.size)) {
        verifyEnvelope(envelope, [key])
        this.#range.append(leafHash(envelope.bytes))
        this.tallying.add(envelope.predicate)
        this.#checkHead()
      }
    }
    if (!Buffer.from(this.#range.root()).equals(root)) throw changed()
    if (size - this.#kept >= EVERY) await this.#keep()
  }

  /** Keeps where the ledger now is, durably: it is refused from then on where it has less. */
  async seal(): Promise<void> {
    const root = Buffer.from(this.#range.root()).toString('base64')
    await this.#write(HEAD, { origin: this.#origin, size: this.#range.size, root })
    await nodeFiles.syncDirectory(this.#directory)
  }

  #checkHead(): void {
    if (this.#range.size !== this.#head?.size) return
    if (Buffer.from(this.#range.root()).toString('base64') !== this.#head.root) throw another()
  }

  async #keep(): Promise<void> {
    const kept: Kept = {
      origin: this.#origin,
      size: this.#range.size,
      subtrees: this.#range.subtrees.map(hash => Buffer.from(hash).toString('base64')),
      tally: this.tallying.tally,
    }
    await this.#write(TALLY, kept)
    this.#kept = this.#range.size
  }

  async #write({ file, domain }: typeof TALLY, value: Kept | Head): Promise<void> {
    const text = JSON.stringify(value)
    const signature = await this.#signer.sign(Buffer.from(domain + text))
    const [path, partial] = [join(this.#directory, file), join(this.#directory, `${file}.new`)]
    const bytes = Buffer.from(`${text}\n${Buffer.from(signature).toString('base64')}\n`)
    await nodeFiles.write(partial, bytes, 0o600)
    await nodeFiles.rename(partial, path)
  }
}

/** Undefined where this party did not write it. */
function signedIn<T>(written: Uint8Array, domain: string, signer: Signer): T | undefined {
  const bytes = Buffer.from(written)
  const end = bytes.indexOf(0x0a)
  const text = bytes.subarray(0, Math.max(0, end)).toString()
  const signature = Buffer.from(bytes.subarray(end + 1).toString(), 'base64')
  const key = parseVerifierKey(signer.publicKey)
  if (signature.length !== 64 || !verifySignature(key, Buffer.from(domain + text), signature))
    return undefined
  return JSON.parse(text) as T
}

const PUT_BACK =
  'Put the newer files back, and find out who replaced them; without them no quota can be counted.'

function setBack(seen: number, size: number): SluiceError {
  return new SluiceError(
    'LEDGER_ROLLED_BACK',
    `this party has counted ${seen} entries of its ledger, which now has ${size}`,
    { rule: 'ledger.rollback', remedy: PUT_BACK, facts: { size, seen } },
  )
}

function another(): SluiceError {
  return new SluiceError('LEDGER_ROLLED_BACK', 'this party has counted other entries than its ledger has', {
    rule: 'ledger.rollback',
    remedy: PUT_BACK,
  })
}

/** Of a party whose ledger was begun before. */
export function lost(directory: string): SluiceError {
  return new SluiceError(
    'LEDGER_ROLLED_BACK',
    `the ledger in ${directory} was begun before, and its log is not there`,
    { rule: 'ledger.rollback', remedy: PUT_BACK },
  )
}

function unsigned(): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', 'head.json beside the ledger is not what this party wrote', {
    rule: 'ledger.head',
    remedy: 'Restore it; a ledger that was set back is not noticed without it.',
  })
}

function changed(): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', 'the entries do not lead to the root that the checkpoint signs', {
    rule: 'ledger.root',
    remedy: 'Run "sluice ledger verify", and restore the ledger from a copy that verifies.',
  })
}

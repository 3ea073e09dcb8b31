import { hash } from 'node:crypto'
import { SluiceError } from '../errors.js'
import type { Shape } from './aggregation.js'
import { DIGEST_BYTES, digestMismatch } from './lane.js'
import {
  type ContributionStatement,
  readStatement,
  SIGNATURE_BYTES,
  type Signed,
  STATEMENT_BYTES,
  type Statement,
  type SumStatement,
} from './statement.js'

/** Bytes somewhere: a file, or memory. `read` gives an array that the reader may give away. */
export interface ByteSource {
  /** for errors: a file's name */
  readonly name: string
  readonly size: number
  read(offset: number, length: number): Promise<Uint8Array>
}

/** Where bytes go, in any order; what was never written does not exist. */
export interface ByteSink {
  write(offset: number, bytes: Uint8Array): Promise<void>
}

/**
 * A contribution or a sum as a file:
 *
 *     8     "SLUICEHE"
 *     4     length of the statement, little endian
 *     n     statement, canonical JSON
 *     64    signature over it
 *     32·c  SHA-256 of each ciphertext
 *     …     the ciphertexts, all of one length
 *
 * Everything but the statement has a length that the aggregation fixes, so the size of the whole is checked before
 * anything is read, and the statement signs the digests, so a ciphertext is authentic before SEAL sees it.
 */
export interface Opened<S extends Statement> {
  readonly source: ByteSource
  readonly signed: Signed<S>
  /** SHA-256 of each ciphertext, one after the other */
  readonly digests: Uint8Array
  /** reads ciphertexts, from the one of this index on, in one array */
  ciphertexts(first: number, count: number): Promise<Uint8Array>
}

const MAGIC = Buffer.from('SLUICEHE')
const HEAD = MAGIC.length + 4

/**
 * Opens a container: its form, its size, and that its digests are those of the statement. Whose signature it needs,
 * the caller checks.
 *
 * @throws SluiceError FILE_FORMAT, FINGERPRINT_MISMATCH, APPROVAL_MISMATCH (it belongs to another aggregation)
 */
export async function openContainer<F extends 'sluice-he-contribution/1' | 'sluice-he-sum/1'>(
  form: F,
  source: ByteSource,
  aggregation: { readonly digest: string; readonly parameters: string },
  shape: Shape,
): Promise<Opened<Extract<Statement, { form: F }>>> {
  const rest = SIGNATURE_BYTES + shape.ciphertexts * (DIGEST_BYTES + shape.ciphertextBytes)
  const length = source.size - HEAD - rest
  if (source.size < HEAD) throw malformed(source)
  const head = Buffer.from(await source.read(0, HEAD))
  if (!head.subarray(0, MAGIC.length).equals(MAGIC)) throw malformed(source)
  const said = head.readUInt32LE(MAGIC.length)
  if (said > STATEMENT_BYTES || HEAD + said + SIGNATURE_BYTES > source.size) throw malformed(source)
  const text = await source.read(HEAD, said + SIGNATURE_BYTES)
  const signed = readStatement(form, text.subarray(0, said), text.subarray(said))
  const statement: ContributionStatement | SumStatement = signed.statement as
    | ContributionStatement
    | SumStatement
  if (statement.aggregation !== aggregation.digest) throw otherAggregation(source)
  if (said !== length || statement.parameters !== aggregation.parameters) throw malformed(source)
  const digests = await source.read(HEAD + said + SIGNATURE_BYTES, shape.ciphertexts * DIGEST_BYTES)
  if (hash('sha256', digests, 'hex') !== statement.ciphertexts) throw digestMismatch()
  const body = source.size - shape.ciphertexts * shape.ciphertextBytes
  return {
    source,
    signed,
    digests,
    ciphertexts: (first, count) =>
      source.read(body + first * shape.ciphertextBytes, count * shape.ciphertextBytes),
  }
}

/** Writes a container whose statement is made last, when the digests are known, and whose length is known first. */
export class ContainerWriter {
  readonly #sink: ByteSink
  readonly #shape: Shape
  readonly #digests: Uint8Array
  readonly #statementBytes: number

  /** @param statementBytes length of the statement that `finish` will be given */
  constructor(sink: ByteSink, shape: Shape, statementBytes: number) {
    this.#sink = sink
    this.#shape = shape
    this.#digests = new Uint8Array(shape.ciphertexts * DIGEST_BYTES)
    this.#statementBytes = statementBytes
  }

  async put(first: number, bytes: Uint8Array, digests: Uint8Array): Promise<void> {
    this.#digests.set(digests, first * DIGEST_BYTES)
    const body = HEAD + this.#statementBytes + SIGNATURE_BYTES + this.#digests.length
    await this.#sink.write(body + first * this.#shape.ciphertextBytes, bytes)
  }

  /** What the statement says of the ciphertexts. */
  get ciphertexts(): string {
    return hash('sha256', this.#digests, 'hex')
  }

  async finish({ bytes, signature }: Signed<Statement>): Promise<void> {
    if (bytes.length !== this.#statementBytes) {
      throw new SluiceError('INTERNAL', 'a statement is not as long as was planned')
    }
    const head = Buffer.alloc(HEAD)
    head.set(MAGIC)
    head.writeUInt32LE(bytes.length, MAGIC.length)
    await this.#sink.write(0, Buffer.concat([head, bytes, signature, this.#digests]))
  }
}

/** Bytes in memory as a source; what is read is a copy. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return { name, size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) }
}

/** Collects what is written; for small things and tests. */
export class MemorySink implements ByteSink {
  #bytes = new Uint8Array()

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const size = Math.max(this.#bytes.length, offset + bytes.length)
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(size)
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, offset)
  }

  bytes(): Uint8Array {
    return this.#bytes
  }
}

function malformed({ name }: ByteSource): SluiceError {
  return new SluiceError('FILE_FORMAT', `${name} is not a file of this aggregation`, {
    rule: 'he.container',
    remedy:
      'Use the file as `sluice he encrypt` or `sluice he add` wrote it: it was changed, cut, or is another kind.',
  })
}

function otherAggregation({ name }: ByteSource): SluiceError {
  return new SluiceError('APPROVAL_MISMATCH', `${name} belongs to another aggregation`, {
    rule: 'he.aggregation',
    remedy: 'Use a file that was made for this aggregation.',
  })
}

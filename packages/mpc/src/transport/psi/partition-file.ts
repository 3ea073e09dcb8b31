import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import { altered, SEAL_BYTES, SEAL_NONCE_BYTES, seal, unseal, unwritable } from './sealed.js'

/** Records that are sealed together. */
const CHUNK = 1 << 13
const ROW_BYTES = 4
const VALUE_BYTES = 8

/** Rows of a file, the hashes of their keys, and their values where these are kept, side by side. */
export interface Records {
  readonly hashes: ItemHashes
  readonly rows: Uint32Array
  readonly values?: BigUint64Array
}

/**
 * A part of a set on disk: rows, the hashes of their keys and perhaps a value of each, in their order, sealed a chunk at a
 * time and bound to what the set is, which part this is and where in it the chunk stands.
 */
export class PartitionFile {
  readonly #path: string
  readonly #key: Uint8Array
  readonly #about: string
  readonly #part: number
  readonly #words = new Uint32Array((CHUNK * ITEM_BYTES) / 4)
  readonly #rows = new Uint32Array(CHUNK)
  /** two words each, the lower first */
  readonly #values: Uint32Array<ArrayBuffer> | undefined
  readonly #recordBytes: number
  #filled = 0
  #chunks = 0
  #records = 0
  #file: FileHandle | undefined
  #isSynced = true

  /** @param about what the set is. @param isValued whether rows have values */
  constructor(path: string, key: Uint8Array, about: string, part: number, isValued = false) {
    this.#path = path
    this.#key = key
    this.#about = about
    this.#part = part
    this.#values = isValued ? new Uint32Array(CHUNK * 2) : undefined
    this.#recordBytes = ITEM_BYTES + ROW_BYTES + (isValued ? VALUE_BYTES : 0)
  }

  get records(): number {
    return this.#records
  }

  /** What was pushed since the last `flush`, as `restore` takes it. */
  get pending(): Uint8Array[] {
    return [
      new Uint8Array(this.#words.buffer, 0, this.#filled * ITEM_BYTES),
      new Uint8Array(this.#rows.buffer, 0, this.#filled * ROW_BYTES),
      ...(this.#values === undefined
        ? []
        : [new Uint8Array(this.#values.buffer, 0, this.#filled * VALUE_BYTES)]),
    ]
  }

  /** Bytes of `pending` where so many records were pushed, and full chunks alone flushed. */
  pendingBytes(records: number): number {
    return (records % CHUNK) * this.#recordBytes
  }

  /**
   * Goes back to where a file of an earlier process was: what it wrote after that is cut off.
   *
   * @param pending what was not flushed then; undefined where everything was
   * @throws SluiceError FINGERPRINT_MISMATCH where the file has less, FILE_MISSING
   */
  async restore(records: number, pending: Uint8Array | undefined): Promise<void> {
    const filled = pending === undefined ? 0 : records % CHUNK
    const chunks = Math.ceil((records - filled) / CHUNK)
    const bytes = (records - filled) * this.#recordBytes + chunks * SEAL_BYTES
    try {
      if (bytes === 0) await rm(this.#path, { force: true })
      else {
        this.#file = await open(this.#path, constants.O_RDWR | constants.O_NOFOLLOW)
        if ((await this.#file.stat()).size < bytes) throw altered()
        await this.#file.truncate(bytes)
      }
    } catch (cause) {
      if (cause instanceof SluiceError) throw cause
      // a link in its place
      throw (cause as NodeJS.ErrnoException).code === 'ELOOP' ? altered(cause) : unwritable(cause)
    }
    if (pending !== undefined) {
      new Uint8Array(this.#words.buffer).set(pending.subarray(0, filled * ITEM_BYTES))
      const [rows, values] = [filled * ITEM_BYTES, filled * (ITEM_BYTES + ROW_BYTES)]
      new Uint8Array(this.#rows.buffer).set(pending.subarray(rows, values))
      if (this.#values !== undefined) new Uint8Array(this.#values.buffer).set(pending.subarray(values))
    }
    this.#filled = filled
    this.#chunks = chunks
    this.#records = records
  }

  /**
   * @param at where the record's hash begins among `words`
   * @param values of which the record's is number `place`
   * @returns whether it is time to `flush`
   */
  push(words: Uint32Array, at: number, row: number, values?: Uint32Array, place = 0): boolean {
    const to = this.#filled * 4
    this.#words[to] = words[at]!
    this.#words[to + 1] = words[at + 1]!
    this.#words[to + 2] = words[at + 2]!
    this.#words[to + 3] = words[at + 3]!
    if (this.#values !== undefined) {
      this.#values[this.#filled * 2] = values![place * 2]!
      this.#values[this.#filled * 2 + 1] = values![place * 2 + 1]!
    }
    this.#rows[this.#filled++] = row
    this.#records++
    return this.#filled === CHUNK
  }

  /** @throws SluiceError DISK_FULL, FILE_MISSING */
  async flush(): Promise<void> {
    if (this.#filled === 0) return
    // a chunk after a checkpoint may be sealed again by the process that goes on: a counted nonce would come twice
    const nonce = randomBytes(SEAL_NONCE_BYTES)
    const sealed = seal(this.#key, nonce, this.#aboutChunk(this.#chunks), this.pending)
    try {
      this.#file ??= await open(this.#path, 'wx+', 0o600)
      await writeAll(this.#file, sealed, this.#chunks * this.#sealedBytes)
    } catch (cause) {
      throw unwritable(cause)
    }
    this.#chunks++
    this.#filled = 0
    this.#isSynced = false
  }

  /** What was flushed outlives a loss of power. @throws SluiceError DISK_FULL, FILE_MISSING */
  async sync(): Promise<void> {
    if (this.#isSynced) return
    await this.#file!.datasync().catch(cause => {
      throw unwritable(cause)
    })
    this.#isSynced = true
  }

  /** Everything that was pushed and flushed, chunk by chunk. @throws SluiceError FINGERPRINT_MISMATCH, FILE_MISSING */
  async *read(): AsyncGenerator<Records> {
    for (let chunk = 0; chunk < this.#chunks; chunk++) {
      const count = Math.min(CHUNK, this.#records - chunk * CHUNK)
      const sealed = new Uint8Array(count * this.#recordBytes + SEAL_BYTES)
      await this.#file!.read(sealed, 0, sealed.length, chunk * this.#sealedBytes).catch(cause => {
        throw unwritable(cause)
      })
      const plain = unseal(this.#key, this.#aboutChunk(chunk), sealed)
      yield {
        hashes: plain.subarray(0, count * ITEM_BYTES),
        rows: new Uint32Array(plain.slice(count * ITEM_BYTES, count * (ITEM_BYTES + ROW_BYTES)).buffer),
        ...(this.#values !== undefined && {
          values: new BigUint64Array(plain.slice(count * (ITEM_BYTES + ROW_BYTES)).buffer),
        }),
      }
    }
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  get #sealedBytes(): number {
    return CHUNK * this.#recordBytes + SEAL_BYTES
  }

  /** What it is, which part, and which chunk: none can stand in another's place. */
  #aboutChunk(chunk: number): string {
    return `${this.#about} part ${this.#part} chunk ${chunk}`
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import { altered, SEAL_BYTES, SEAL_NONCE_BYTES, seal, unseal, unwritable } from './sealed.js'

/** Records that are sealed together. */
const CHUNK = 1 << 13
const ROW_BYTES = 4
const RECORD_BYTES = ITEM_BYTES + ROW_BYTES
const SEALED_BYTES = CHUNK * RECORD_BYTES + SEAL_BYTES

/** Rows of a file and the hashes of their keys, side by side. */
export interface Records {
  readonly hashes: ItemHashes
  readonly rows: Uint32Array
}

/**
 * A part of a set on disk: rows and the hashes of their keys, in their order, sealed a chunk at a time and bound to what
 * the set is, which part this is and where in it the chunk stands.
 */
export class PartitionFile {
  readonly #path: string
  readonly #key: Uint8Array
  readonly #about: string
  readonly #part: number
  readonly #words = new Uint32Array((CHUNK * ITEM_BYTES) / 4)
  readonly #rows = new Uint32Array(CHUNK)
  #filled = 0
  #chunks = 0
  #records = 0
  #file: FileHandle | undefined
  #isSynced = true

  /** @param about what the set is */
  constructor(path: string, key: Uint8Array, about: string, part: number) {
    this.#path = path
    this.#key = key
    this.#about = about
    this.#part = part
  }

  get records(): number {
    return this.#records
  }

  /** What was pushed since the last `flush`, as `restore` takes it. */
  get pending(): Uint8Array[] {
    return [
      new Uint8Array(this.#words.buffer, 0, this.#filled * ITEM_BYTES),
      new Uint8Array(this.#rows.buffer, 0, this.#filled * ROW_BYTES),
    ]
  }

  /** Bytes of `pending` where so many records were pushed, and full chunks alone flushed. */
  static pendingBytes(records: number): number {
    return (records % CHUNK) * RECORD_BYTES
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
    const bytes = (records - filled) * RECORD_BYTES + chunks * SEAL_BYTES
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
      new Uint8Array(this.#rows.buffer).set(pending.subarray(filled * ITEM_BYTES))
    }
    this.#filled = filled
    this.#chunks = chunks
    this.#records = records
  }

  /** @param at where the record's hash begins among `words`. @returns whether it is time to `flush` */
  push(words: Uint32Array, at: number, row: number): boolean {
    const to = this.#filled * 4
    this.#words[to] = words[at]!
    this.#words[to + 1] = words[at + 1]!
    this.#words[to + 2] = words[at + 2]!
    this.#words[to + 3] = words[at + 3]!
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
      await writeAll(this.#file, sealed, this.#chunks * SEALED_BYTES)
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
      const sealed = new Uint8Array(count * RECORD_BYTES + SEAL_BYTES)
      await this.#file!.read(sealed, 0, sealed.length, chunk * SEALED_BYTES).catch(cause => {
        throw unwritable(cause)
      })
      const plain = unseal(this.#key, this.#aboutChunk(chunk), sealed)
      yield {
        hashes: plain.subarray(0, count * ITEM_BYTES),
        rows: new Uint32Array(plain.slice(count * ITEM_BYTES).buffer),
      }
    }
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
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

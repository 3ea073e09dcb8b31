import { type FileHandle, open } from 'node:fs/promises'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import { countedNonce, SEAL_BYTES, seal, unseal, unwritable } from './sealed.js'

/** Records that are sealed together. */
const CHUNK = 1 << 13
const ROW_BYTES = 4
const RECORD_BYTES = ITEM_BYTES + ROW_BYTES

/** Rows of a file and the hashes of their keys, side by side. */
export interface Records {
  readonly hashes: ItemHashes
  readonly rows: Uint32Array
}

/**
 * A part of a set on disk: rows and the hashes of their keys, in their order, sealed a chunk at a time under a key that
 * is in no file and bound to what the set is, which part this is and where in it the chunk stands.
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
    const plain = [
      new Uint8Array(this.#words.buffer, 0, this.#filled * ITEM_BYTES),
      new Uint8Array(this.#rows.buffer, 0, this.#filled * ROW_BYTES),
    ]
    const nonce = countedNonce(this.#part, this.#chunks)
    const sealed = seal(this.#key, nonce, this.#aboutChunk(this.#chunks), plain)
    this.#chunks++
    this.#filled = 0
    try {
      this.#file ??= await open(this.#path, 'wx+', 0o600)
      await this.#file.appendFile(sealed)
    } catch (cause) {
      throw unwritable(cause)
    }
  }

  /** Everything that was pushed and flushed, chunk by chunk. @throws SluiceError FINGERPRINT_MISMATCH, FILE_MISSING */
  async *read(): AsyncGenerator<Records> {
    for (let chunk = 0; chunk < this.#chunks; chunk++) {
      const count = Math.min(CHUNK, this.#records - chunk * CHUNK)
      const sealed = new Uint8Array(count * RECORD_BYTES + SEAL_BYTES)
      const position = chunk * (CHUNK * RECORD_BYTES + SEAL_BYTES)
      await this.#file!.read(sealed, 0, sealed.length, position).catch(cause => {
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

import { hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'
import {
  bucketAt,
  decodeHead,
  ENTRY_BYTES,
  HEAD_BYTES,
  notPrepared,
  type PreparedHead,
  preparedDigest,
  VALUE_BYTES,
} from '../../psi/prepared-layout.js'

/**
 * A prepared set in its file: its head and its index, of some half megabyte for ten million items, are read and checked
 * when it is opened, and of the values only the buckets that are looked into, each against the index.
 *
 * ```ts
 * const set = await PreparedFile.open('companies.prepared')
 * const matched = await set.contains(values)
 * ```
 */
export class PreparedFile {
  readonly head: PreparedHead
  /** names the whole file, 64 hexadecimal digits */
  readonly digest: string
  readonly #file: FileHandle
  readonly #index: Uint8Array
  /** where the values begin */
  readonly #start: number

  private constructor(file: FileHandle, head: PreparedHead, index: Uint8Array, start: number) {
    this.#file = file
    this.head = head
    this.digest = preparedDigest(head)
    this.#index = index
    this.#start = start
  }

  /** @throws SluiceError FILE_MISSING, FILE_FORMAT */
  static async open(path: string): Promise<PreparedFile> {
    const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
      throw new SluiceError('FILE_MISSING', `the prepared set cannot be read (${cause.code})`, {
        remedy: 'Check the path.',
        cause,
      })
    })
    try {
      const status = await file.stat()
      if (!status.isFile()) throw notPrepared()
      const { head, bytes } = decodeHead(await read(file, 0, Math.min(HEAD_BYTES, status.size)))
      const indexBytes = ENTRY_BYTES * 2 ** head.bits
      const start = bytes + indexBytes
      if (status.size !== start + head.count * VALUE_BYTES) throw notPrepared()
      const index = await read(file, bytes, indexBytes)
      if (hash('sha256', index, 'hex') !== head.index) throw notPrepared()
      const set = new PreparedFile(file, head, index, start)
      set.#checkEnds()
      return set
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /**
   * Which of these values are in the set. Each bucket is read once, however many of the values fall into it; which ones
   * are read shows on this machine alone.
   *
   * @param values 12 bytes each
   * @returns 1 for each that is there
   * @throws SluiceError FILE_FORMAT where a bucket is not what the index says
   */
  async contains(values: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const byBucket = new Map<number, number[]>()
    for (let item = 0; item * VALUE_BYTES < values.length; item++) {
      const bucket = bucketAt(values, item * VALUE_BYTES, this.head.bits)
      const items = byBucket.get(bucket)
      if (items === undefined) byBucket.set(bucket, [item])
      else items.push(item)
    }
    const matched = new Uint8Array(values.length / VALUE_BYTES)
    // from the front to the back of the file, several at once: on a disk it is the waiting that counts
    const left = [...byBucket].sort(([a], [b]) => b - a)
    const lane = async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const [bucket, items] = next
        const content = await this.#bucket(bucket)
        for (const item of items) {
          const value = Buffer.from(values.buffer, values.byteOffset + item * VALUE_BYTES, VALUE_BYTES)
          if (isAmong(content, value)) matched[item] = 1
        }
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    return matched
  }

  /** Reads all of it, bucket by bucket. @throws SluiceError FILE_FORMAT, INTERRUPTED */
  async verify(signal?: AbortSignal): Promise<void> {
    const buckets = 2 ** this.head.bits
    for (let bucket = 0; bucket < buckets; bucket++) {
      if (signal?.aborted) throw new SluiceError('INTERRUPTED', 'the reading was interrupted')
      await this.#bucket(bucket)
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #bucket(bucket: number): Promise<Buffer> {
    const [first, end] = [bucket === 0 ? 0 : this.#end(bucket - 1), this.#end(bucket)]
    const content = await read(this.#file, this.#start + first * VALUE_BYTES, (end - first) * VALUE_BYTES)
    const expected = this.#index.subarray(bucket * ENTRY_BYTES + 4, (bucket + 1) * ENTRY_BYTES)
    if (hash('sha256', content, 'buffer').equals(expected)) return content
    throw notPrepared()
  }

  #end(bucket: number): number {
    return new DataView(this.#index.buffer, this.#index.byteOffset).getUint32(bucket * ENTRY_BYTES, true)
  }

  #checkEnds(): void {
    let before = 0
    for (let bucket = 0; bucket < 2 ** this.head.bits; bucket++) {
      if (this.#end(bucket) < before) throw notPrepared()
      before = this.#end(bucket)
    }
    if (before !== this.head.count) throw notPrepared()
  }
}

/** buckets that are read at once */
const LANES = 16

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) throw notPrepared()
    done += bytesRead
  }
  return bytes
}

function isAmong(content: Buffer, value: Uint8Array): boolean {
  for (let at = content.indexOf(value); at >= 0; at = content.indexOf(value, at + 1)) {
    if (at % VALUE_BYTES === 0) return true
  }
  return false
}

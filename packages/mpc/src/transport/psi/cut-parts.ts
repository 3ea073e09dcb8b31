import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { blockCipher } from '@sluice/core/desensitize/cipher'
import { nodeFiles } from '@sluice/ledger/files'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import { ItemSet } from '../../psi/item-set.js'
import { PARTITIONS, partitionOf } from '../../psi/job/buckets.js'
import { joined } from '../../psi/job/items.js'
import { concatenate } from '../../ring/columns.js'
import { type Buckets, overfull } from './buckets.js'
import { PartitionFile, type Records } from './partition-file.js'
import { SEAL_KEY_BYTES, unwritable } from './sealed.js'

/** Rows on disk that are cut by their hashes. Memory is that of a part: 64 bytes for each of its different keys. */
export class CutParts implements Buckets {
  readonly rows: number
  readonly #parts: readonly PartitionFile[]
  /** different keys that each part has at most */
  readonly #limits: readonly number[]

  constructor(parts: readonly PartitionFile[], rows: number, limits: readonly number[]) {
    this.#parts = parts
    this.#limits = limits
    this.rows = rows
  }

  /** @throws SluiceError FINGERPRINT_MISMATCH, FILE_MISSING, PARAMETER_INVALID where a part has more different keys */
  async bucket(index: number, of: number): Promise<ItemHashes> {
    const sets: ItemHashes[] = []
    for (const part of partsOf(index, of)) sets.push((await this.#distinct(part)).hashes.slice())
    return joined(sets)
  }

  async values(index: number, of: number): Promise<BigUint64Array<ArrayBuffer>> {
    const all: BigUint64Array<ArrayBuffer>[] = []
    for (const part of partsOf(index, of)) {
      const set = await this.#distinct(part)
      const totals = new BigUint64Array(set.size)
      for await (const records of this.#parts[part]!.read()) addValues(totals, set, records)
      all.push(totals)
    }
    return concatenate(all)
  }

  async *places(index: number, of: number) {
    let before = 0
    for (const part of partsOf(index, of)) {
      const set = await this.#distinct(part)
      for await (const { hashes, rows } of this.#parts[part]!.read()) {
        const start = before
        yield { rows, places: set.places(hashes).map(place => place + start) }
      }
      before += set.size
    }
  }

  /**
   * The same rows, cut by their hashes' encryption under another key, beside these: under a key that is in this process's
   * memory alone.
   *
   * @param folder is emptied first
   * @param limit different keys that a part has at most
   * @throws SluiceError FINGERPRINT_MISMATCH, DISK_FULL, FILE_MISSING, INTERRUPTED
   */
  async recut(
    key: Uint8Array,
    { folder, limit, isValued, signal }: Recut,
  ): Promise<{ readonly cut: CutParts; readonly close: () => Promise<void> }> {
    await removeFolder(folder)
    await makeFolder(folder)
    const parts = partsIn(folder, randomBytes(SEAL_KEY_BYTES), 'sluice-psi/1 cut again', isValued)
    const close = async (): Promise<void> => {
      await closed(parts)
      await removeFolder(folder)
    }
    try {
      const cipher = blockCipher('aes', key)
      for (const part of this.#parts) {
        if (signal?.aborted) throw new SluiceError('INTERRUPTED', 'the session was interrupted')
        for await (const { hashes, rows, values } of part.read()) {
          const cut = new Uint8Array(cipher.encrypt(hashes))
          await pushAll(parts, cut, i => rows[i]!, values === undefined ? {} : { values })
        }
      }
      for (const part of parts) await part.flush()
    } catch (error) {
      await close()
      throw error
    }
    const limits = parts.map(({ records }) => Math.min(records, limit))
    return { cut: new CutParts(parts, this.rows, limits), close }
  }

  async #distinct(part: number): Promise<ItemSet> {
    const set = new ItemSet(this.#limits[part]!)
    for await (const { hashes } of this.#parts[part]!.read()) if (!set.add(hashes)) throw overfull()
    return set
  }
}

export interface Recut {
  readonly folder: string
  readonly limit: number
  readonly isValued: boolean
  readonly signal?: AbortSignal
}

/**
 * Rows go to the parts that their hashes say.
 *
 * @param rowOf number of the row that a hash is of
 * @param placeOf where its value is among `values`; its own place where absent
 */
export async function pushAll(
  parts: readonly PartitionFile[],
  hashes: ItemHashes,
  rowOf: (place: number) => number,
  { values, placeOf }: { readonly values?: BigUint64Array; readonly placeOf?: Uint32Array } = {},
): Promise<void> {
  const words = new Uint32Array(hashes.buffer, hashes.byteOffset, hashes.length / 4)
  const halves = values && halvesOf(values)
  const count = hashes.length / ITEM_BYTES
  for (let i = 0; i < count; i++) {
    const part = parts[partitionOf(hashes[i * ITEM_BYTES + ITEM_BYTES - 1]!)]!
    if (part.push(words, i * 4, rowOf(i), halves, placeOf === undefined ? i : placeOf[i]!)) await part.flush()
  }
}

/** Adds each row's value to the total of its key, modulo 2^64; by halves, which is several times as fast as by bigints. */
export function addValues(totals: BigUint64Array, set: ItemSet, { hashes, values }: Records): void {
  const places = set.places(hashes)
  const [to, from] = [halvesOf(totals), halvesOf(values!)]
  for (let i = 0; i < places.length; i++) {
    const at = places[i]! * 2
    const low = to[at]! + from[i * 2]!
    to[at] = low
    to[at + 1]! += from[i * 2 + 1]! + (low > 0xffffffff ? 1 : 0)
  }
}

/** Two words each, the lower first. */
function halvesOf(values: BigUint64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2)
}

export async function makeFolder(path: string): Promise<void> {
  await nodeFiles.makeDirectory(path, 0o700).catch(cause => {
    throw unwritable(cause)
  })
}

async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5 }).catch(cause => {
    throw unwritable(cause)
  })
}

export function partsIn(folder: string, key: Uint8Array, about: string, isValued: boolean): PartitionFile[] {
  return Array.from({ length: PARTITIONS }, (_, part) => {
    return new PartitionFile(join(folder, String(part)), key, about, part, isValued)
  })
}

export async function closed(parts: readonly PartitionFile[]): Promise<void> {
  for (const part of parts) await part.close()
}

function partsOf(index: number, of: number): number[] {
  const each = PARTITIONS / of
  return Array.from({ length: each }, (_, i) => index * each + i)
}

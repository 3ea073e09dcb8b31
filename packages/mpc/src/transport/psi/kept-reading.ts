import { createHash } from 'node:crypto'
import { isSluiceError } from '@sluice/core'
import { type PsiJob, psiJobDigest } from '../../psi/job/job.js'
import type { PartitionFile } from './partition-file.js'
import { SCRATCH } from './sealed.js'
import { doesNotHold, SealedFile } from './sealed-file.js'

/** Where a set on disk is kept, so that the process that comes after a killed one goes on with it. */
export interface KeptPlace {
  /** whose set it is */
  readonly party: string
  /** a folder of its own is made in it */
  readonly scratch: string
  /** the path of its key, a file of mode 600, begins with this; it lies elsewhere */
  readonly keys: string
  /** SHA-256 of the input's bytes, hexadecimal: what was read of another input is not used */
  readonly input: string
  /** refuses where the input is no longer what `input` says; called before what was read is made safe */
  readonly unchanged?: () => Promise<void>
  /** rows after which what was read is made safe again; 2^20 where absent */
  readonly every?: number
}

/** How far a reading was when it was last made safe. */
interface Head {
  /** digest of the input and of which columns are read of it */
  readonly source: string
  readonly rows: number
  /** everything is read, and nothing pending */
  readonly whole: boolean
  /** by part */
  readonly records: readonly number[]
}

/**
 * How far a set on disk is, and the records that do not fill a chunk yet. What its files hold beyond that is cut off by the
 * process that goes on.
 */
export class KeptReading {
  readonly #file: SealedFile
  readonly #source: string
  #head: Head | undefined
  #pending: Uint8Array

  private constructor(file: SealedFile, source: string, saved: Saved | undefined) {
    this.#file = file
    this.#source = source
    this.#head = saved?.head
    this.#pending = saved?.pending ?? new Uint8Array(0)
  }

  /** @throws SluiceError FINGERPRINT_MISMATCH where what was kept does not hold, and as `SealedFile.open` */
  static async open(
    job: PsiJob,
    key: readonly string[],
    place: KeptPlace & { readonly sum?: string },
  ): Promise<KeptReading> {
    const { party, input, scratch: directory, keys, sum } = place
    const source = createHash('sha256')
      .update(JSON.stringify(sum === undefined ? [input, key] : [input, key, sum]))
      .digest('hex')
    const about = `sluice-psi/1 reading ${psiJobDigest(job)} ${party} ${keys}`
    const file = await SealedFile.open({ about, directory, keys })
    try {
      const saved = await savedIn(file)
      if (saved === undefined || saved.head.source === source) return new KeptReading(file, source, saved)
      // of another input, or of other columns: read anew. What says so goes before the parts that it is about
      await file.discard()
      return new KeptReading(file, source, undefined)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Folder of the parts' files. */
  get folder(): string {
    return this.#file.folder
  }

  get key(): Uint8Array {
    return this.#file.key
  }

  /** Which input the parts are of; they are bound to it. */
  get source(): string {
    return this.#source
  }

  /** rows that are safe */
  get rows(): number {
    return this.#head?.rows ?? 0
  }

  get isWhole(): boolean {
    return this.#head?.whole === true
  }

  /** @throws SluiceError FINGERPRINT_MISMATCH where a part has less than it had, KEY_PERMISSIONS */
  async restore(parts: readonly PartitionFile[]): Promise<void> {
    await this.#file.makeFolder()
    let at = 0
    for (const [i, part] of parts.entries()) {
      const records = this.#head?.records[i] ?? 0
      const bytes = this.isWhole ? 0 : part.pendingBytes(records)
      await part.restore(records, this.isWhole ? undefined : this.#pending.subarray(at, at + bytes))
      at += bytes
    }
  }

  /** What was read so far is safe from here on, also from a loss of power. */
  async save(parts: readonly PartitionFile[], rows: number, whole: boolean): Promise<void> {
    await Promise.all(parts.map(part => part.sync()))
    const head = { source: this.#source, rows, whole, records: parts.map(({ records }) => records) }
    const text = Buffer.from(JSON.stringify(head))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(text.length)
    await this.#file.replace([length, text, ...parts.flatMap(({ pending }) => pending)])
    this.#head = head
  }

  /** Where a part is not what was written to it, the folder is named, and what to do. */
  explained(error: unknown): unknown {
    if (!isSluiceError(error) || error.code !== 'FINGERPRINT_MISMATCH' || error.rule !== SCRATCH) return error
    return doesNotHold(this.folder, REMEDY, error)
  }

  /** Lets go of it; what is kept stays for the next process. */
  async close(): Promise<void> {
    await (this.#head === undefined ? this.#file.remove() : this.#file.close())
  }

  async remove(): Promise<void> {
    await this.#file.remove()
  }
}

interface Saved {
  readonly head: Head
  readonly pending: Uint8Array
}

const REMEDY = 'Remove that folder, and the input is read anew.'

async function savedIn(file: SealedFile): Promise<Saved | undefined> {
  const plain = await file.read(REMEDY)
  if (plain === undefined) return undefined
  const at = 4 + plain.readUInt32LE(0)
  return { head: JSON.parse(plain.subarray(4, at).toString()) as Head, pending: plain.subarray(at) }
}

import type { OpenedInput } from '../../psi/job/opening.js'
import { SealedFile, type SealedPlace } from './sealed-file.js'

/** What an earlier run of the same command came to. */
interface Head {
  /** of the run that was counted in full in the party's record */
  readonly session: string
  readonly other: OpenedInput
  readonly buckets: number
  /** buckets whose evaluation has begun since that run was counted */
  readonly begun: readonly number[]
  /** buckets that are finished, and how many items of this party each has; 0 where it learns nothing */
  readonly finished: readonly (readonly [bucket: number, items: number])[]
  /** the other side has finished too: there is nothing more to do with it */
  readonly complete: boolean
}

/**
 * What is kept of a run in buckets until its result is written: which buckets have begun and which are finished, and
 * what was learned of those, a bit for each item.
 */
export class KeptRun {
  readonly #file: SealedFile
  #head: Head | undefined
  #matched = new Map<number, Uint8Array>()

  private constructor(file: SealedFile, saved: Saved | undefined) {
    this.#file = file
    this.#head = saved?.head
    if (saved !== undefined) this.#matched = saved.matched
  }

  /** @throws SluiceError FINGERPRINT_MISMATCH where it does not hold, and as `SealedFile.open` */
  static async open(place: SealedPlace): Promise<KeptRun> {
    const file = await SealedFile.open(place)
    try {
      return new KeptRun(file, await savedIn(file))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  get session(): string | undefined {
    return this.#head?.session
  }

  get begun(): ReadonlySet<number> {
    return new Set(this.#head?.begun)
  }

  get finished(): ReadonlySet<number> {
    return new Set(this.#head?.finished.map(([bucket]) => bucket))
  }

  get buckets(): number {
    return this.#head?.buckets ?? 0
  }

  get complete(): boolean {
    return this.#head?.complete === true
  }

  /** By item of a finished bucket, 1 where it is shared; empty where nothing was learned. */
  matched(bucket: number): Uint8Array {
    return this.#matched.get(bucket)!
  }

  /** Are these the other side's input and the buckets of the run that was kept? */
  isOf(other: OpenedInput, buckets: number): boolean {
    const head = this.#head
    return (
      head !== undefined &&
      head.buckets === buckets &&
      head.other.size === other.size &&
      head.other.commitment === other.commitment
    )
  }

  /** A run that is counted in full from here on. @param stays whether what was finished is of use to it */
  async start(session: string, other: OpenedInput, buckets: number, stays: boolean): Promise<void> {
    if (!stays) this.#matched.clear()
    const finished = stays ? this.#head!.finished : []
    await this.#save({ session, other, buckets, begun: [], finished, complete: false })
  }

  async begin(bucket: number): Promise<void> {
    const head = this.#head!
    await this.#save({ ...head, begun: [...new Set([...head.begun, bucket])] })
  }

  /** @param matched by item, 1 where it is shared; empty where nothing is learned */
  async finish(bucket: number, matched: Uint8Array): Promise<void> {
    const head = this.#head!
    this.#matched.set(bucket, matched)
    const others = head.finished.filter(([one]) => one !== bucket)
    await this.#save({ ...head, finished: [...others, [bucket, matched.length]] })
  }

  async completed(): Promise<void> {
    await this.#save({ ...this.#head!, complete: true })
  }

  /** Lets go of it; what is kept stays for the next run. */
  async close(): Promise<void> {
    await this.#file.close(this.#head === undefined)
  }

  async remove(): Promise<void> {
    await this.#file.remove()
  }

  async #save(head: Head): Promise<void> {
    const text = Buffer.from(JSON.stringify(head))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(text.length)
    const bits = head.finished.map(([bucket]) => packed(this.#matched.get(bucket)!))
    await this.#file.replace([length, text, ...bits])
    this.#head = head
  }
}

interface Saved {
  readonly head: Head
  readonly matched: Map<number, Uint8Array>
}

export const REMEDY = 'Remove that folder to begin anew: what is evaluated again will be counted again.'

async function savedIn(file: SealedFile): Promise<Saved | undefined> {
  const plain = await file.read(REMEDY)
  if (plain === undefined) return undefined
  let at = 4 + plain.readUInt32LE(0)
  const head = JSON.parse(plain.subarray(4, at).toString()) as Head
  const matched = new Map<number, Uint8Array>()
  for (const [bucket, items] of head.finished) {
    const bytes = Math.ceil(items / 8)
    matched.set(bucket, unpacked(plain.subarray(at, at + bytes), items))
    at += bytes
  }
  return { head, matched }
}

export function packed(flags: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(flags.length / 8))
  for (let i = 0; i < flags.length; i++) bits[i >> 3]! |= flags[i]! << (i & 7)
  return bits
}

export function unpacked(bits: Uint8Array, count: number): Uint8Array {
  const flags = new Uint8Array(count)
  for (let i = 0; i < count; i++) flags[i] = (bits[i >> 3]! >> (i & 7)) & 1
  return flags
}

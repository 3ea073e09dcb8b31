import { packed, REMEDY, unpacked } from './kept.js'
import { SealedFile, type SealedPlace } from './sealed-file.js'

/** What one party has of a part that is finished. */
export interface FinishedPart {
  /** in which it was computed: what others have of it fits this only if it is of the same */
  readonly session: string
  /** at the helper: which items are in all sets, a byte each */
  readonly flags?: Uint8Array
  /** of a total: this party's shares, both of the number and both of the sum */
  readonly shares?: BigUint64Array<ArrayBuffer>
}

/** What a party has learned. */
export interface Learned {
  readonly withheld?: boolean
  readonly count?: number
  readonly sum?: bigint
  /** of all parts' items, in the order of this party's tags */
  readonly flags?: Uint8Array
}

/** What an owner alone has: how sets are cut, and from what its orders follow. */
export interface CutSecret {
  /** 32 bytes each; the owners have one `key`, and each an `order` of its own */
  readonly key: Uint8Array
  readonly order: Uint8Array
}

interface Head {
  /** of the run that was counted in full in the party's record */
  readonly session: string
  /** digest of what everybody brings and of how it is cut */
  readonly inputs: string
  readonly cut?: { readonly key: string; readonly order: string }
  /** parts that have begun since that run was counted */
  readonly begun: readonly number[]
  /** the answer over all parts was about to be opened: whoever receives it may have it */
  readonly opened?: true
  readonly learned?: { readonly withheld?: boolean; readonly count?: number; readonly sum?: string }
  /** everybody has said that nothing is left to do */
  readonly complete: boolean
}

/** The bytes beside the head: of each finished part, and of what was learned. */
interface Sizes {
  readonly finished: readonly (readonly [
    part: number,
    session: string,
    what: 'none' | 'flags' | 'shares',
    items: number,
  ])[]
  readonly flags: number
}

/** What is kept of a run with a helper until its result is written, in one sealed file that is replaced as a whole. */
export class KeptHelperRun {
  readonly #file: SealedFile
  #head: Head | undefined
  #finished = new Map<number, FinishedPart>()
  #flags: Uint8Array | undefined

  private constructor(file: SealedFile) {
    this.#file = file
  }

  /** @throws SluiceError FINGERPRINT_MISMATCH where it does not hold, and as `SealedFile.open` */
  static async open(place: SealedPlace): Promise<KeptHelperRun> {
    const file = await SealedFile.open(place)
    try {
      const kept = new KeptHelperRun(file)
      await kept.#load()
      return kept
    } catch (error) {
      await file.close()
      throw error
    }
  }

  get session(): string | undefined {
    return this.#head?.session
  }

  get inputs(): string | undefined {
    return this.#head?.inputs
  }

  get cut(): CutSecret | undefined {
    const cut = this.#head?.cut
    if (cut === undefined) return undefined
    return { key: Buffer.from(cut.key, 'hex'), order: Buffer.from(cut.order, 'hex') }
  }

  get begun(): ReadonlySet<number> {
    return new Set(this.#head?.begun)
  }

  get finished(): ReadonlyMap<number, FinishedPart> {
    return this.#finished
  }

  get learned(): Learned | undefined {
    const learned = this.#head?.learned
    if (learned === undefined) return undefined
    const { sum, ...others } = learned
    return {
      ...others,
      ...(sum !== undefined && { sum: BigInt(sum) }),
      ...(this.#flags !== undefined && { flags: this.#flags }),
    }
  }

  get opened(): boolean {
    return this.#head?.opened === true
  }

  get complete(): boolean {
    return this.#head?.complete === true
  }

  /** A run that is counted in full from here on; nothing of an earlier one is of use to it. */
  async start(session: string, inputs: string): Promise<void> {
    this.#finished.clear()
    this.#flags = undefined
    await this.#save({ session, inputs, begun: [], complete: false })
  }

  /** The sets are cut anew: nothing that was finished before fits. @param secret of an owner */
  async recut(secret: CutSecret | undefined): Promise<void> {
    const { cut: _, ...head } = this.#head!
    this.#finished.clear()
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
    const cut = secret && { key: hex(secret.key), order: hex(secret.order) }
    await this.#save({ ...head, begun: [], ...(cut !== undefined && { cut }) })
  }

  async begin(part: number): Promise<void> {
    const head = this.#head!
    await this.#save({ ...head, begun: [...new Set([...head.begun, part])] })
  }

  async finish(part: number, finished: FinishedPart): Promise<void> {
    this.#finished.set(part, finished)
    await this.#save(this.#head!)
  }

  async opening(): Promise<void> {
    await this.#save({ ...this.#head!, opened: true })
  }

  async conclude({ flags, sum, ...learned }: Learned): Promise<void> {
    this.#flags = flags
    const said = { ...learned, ...(sum !== undefined && { sum: String(sum) }) }
    await this.#save({ ...this.#head!, learned: said })
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

  async #load(): Promise<void> {
    const plain = await this.#file.read(REMEDY)
    if (plain === undefined) return
    let at = 4 + plain.readUInt32LE(0)
    const { sizes, head } = JSON.parse(plain.subarray(4, at).toString()) as { sizes: Sizes; head: Head }
    const next = (bytes: number): Uint8Array<ArrayBuffer> => {
      at += bytes
      return new Uint8Array(plain.subarray(at - bytes, at))
    }
    for (const [part, session, what, items] of sizes.finished) {
      const flags = what === 'flags' ? { flags: unpacked(next(Math.ceil(items / 8)), items) } : {}
      const shares = what === 'shares' ? { shares: new BigUint64Array(next(SHARES * 8).buffer) } : {}
      this.#finished.set(part, { session, ...flags, ...shares })
    }
    if (sizes.flags > 0) this.#flags = unpacked(next(Math.ceil(sizes.flags / 8)), sizes.flags)
    this.#head = head
  }

  async #save(head: Head): Promise<void> {
    const finished = [...this.#finished].map(([part, { session, flags, shares }]) => {
      const what = flags !== undefined ? 'flags' : shares !== undefined ? 'shares' : 'none'
      return [part, session, what, flags?.length ?? 0] as const
    })
    const sizes: Sizes = { finished, flags: this.#flags?.length ?? 0 }
    const text = Buffer.from(JSON.stringify({ sizes, head }))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(text.length)
    const parts = [...this.#finished.values()].flatMap(({ flags, shares }) => [
      ...(flags === undefined ? [] : [packed(flags)]),
      ...(shares === undefined ? [] : [new Uint8Array(shares.buffer)]),
    ])
    const all = this.#flags === undefined ? [] : [packed(this.#flags)]
    await this.#file.replace([length, text, ...parts, ...all])
    this.#head = head
  }
}

const SHARES = 4

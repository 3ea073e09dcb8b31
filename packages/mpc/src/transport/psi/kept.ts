import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { type Lock, nodeFiles } from '@sluice/ledger'
import type { OpenedInput } from '../../psi/job/opening.js'
import { SEAL_KEY_BYTES, seal, unseal, unwritable } from './sealed.js'

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
 * what was learned of those, a bit for each item. One file, sealed under a key in a file of mode 600 elsewhere, replaced
 * as a whole (write, sync, rename, sync of the directory): torn states do not exist, and a changed one is refused.
 */
export class KeptRun {
  readonly #folder: string
  readonly #keyPath: string
  readonly #about: string
  readonly #key: Uint8Array
  #lock: Lock | undefined
  #head: Head | undefined
  #matched = new Map<number, Uint8Array>()

  private constructor(
    { folder, keyPath, about }: Place,
    key: Uint8Array,
    lock: Lock,
    saved: Saved | undefined,
  ) {
    this.#folder = folder
    this.#keyPath = keyPath
    this.#about = about
    this.#key = key
    this.#lock = lock
    this.#head = saved?.head
    if (saved !== undefined) this.#matched = saved.matched
  }

  /**
   * @param about job, party and its commitment to its input: what was kept of others is not seen
   * @param directory in which a folder of its own is made
   * @param keys the key's path begins with this
   * @throws SluiceError LOCKED where another process has it, FINGERPRINT_MISMATCH where it does not hold, DISK_FULL,
   *   KEY_PERMISSIONS, FILE_MISSING
   */
  static async open(about: string, directory: string, keys: string): Promise<KeptRun> {
    const id = createHash('sha256').update(about).digest('hex').slice(0, 32)
    const place = { about, folder: join(directory, `.sluice-psi-${id}`), keyPath: `${keys}.${id}` }
    const key = await secretAt(place.keyPath)
    const lock = await nodeFiles.tryLock(place.keyPath)
    if (lock === null) throw busy()
    try {
      return new KeptRun(place, key, lock, await savedAt(place, key))
    } catch (error) {
      await lock.release()
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
    if (this.#lock !== undefined && this.#head === undefined) await rm(this.#keyPath, { force: true })
    const lock = this.#lock
    this.#lock = undefined
    await lock?.release()
  }

  /** Removes everything, the key first: what may stay behind cannot be read. */
  async remove(): Promise<void> {
    await rm(this.#keyPath, { force: true })
    await this.close()
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async #save(head: Head): Promise<void> {
    const text = Buffer.from(JSON.stringify(head))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(text.length)
    const bits = head.finished.map(([bucket]) => packed(this.#matched.get(bucket)!))
    const sealed = seal(this.#key, randomBytes(12), this.#about, [length, text, ...bits])
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      await nodeFiles.write(join(this.#folder, PARTIAL), sealed, 0o600)
      await nodeFiles.rename(join(this.#folder, PARTIAL), join(this.#folder, FILE))
      await nodeFiles.syncDirectory(this.#folder)
    } catch (cause) {
      throw unwritable(cause)
    }
    this.#head = head
  }
}

interface Place {
  readonly folder: string
  readonly keyPath: string
  readonly about: string
}

interface Saved {
  readonly head: Head
  readonly matched: Map<number, Uint8Array>
}

const FILE = 'kept'
const PARTIAL = 'kept.partial'

async function savedAt({ folder, about }: Place, key: Uint8Array): Promise<Saved | undefined> {
  const sealed = await nodeFiles.read(join(folder, FILE))
  if (sealed === null) return undefined
  let plain: Buffer
  try {
    plain = Buffer.from(unseal(key, about, sealed))
  } catch (cause) {
    throw new SluiceError(
      'FINGERPRINT_MISMATCH',
      `what was kept of an earlier run, in ${folder}, does not hold`,
      {
        rule: 'psi.kept',
        remedy: 'Remove that folder to begin anew: what is evaluated again will be counted again.',
        cause,
      },
    )
  }
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

/** Made where it is not there: a file of mode 600, whole and durable before it has its name. */
async function secretAt(path: string): Promise<Uint8Array> {
  if ((await nodeFiles.size(path)) === null) {
    const partial = `${path}.${randomBytes(8).toString('hex')}`
    try {
      await nodeFiles.write(partial, randomBytes(SEAL_KEY_BYTES), 0o600)
      await link(partial, path)
      await nodeFiles.syncDirectory(dirname(path))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(cause)
    } finally {
      await rm(partial, { force: true })
    }
  }
  const { mode } = await stat(path)
  const secret = await nodeFiles.read(path)
  const own = process.platform === 'win32' || (mode & 0o077) === 0
  if (own && secret?.length === SEAL_KEY_BYTES) return secret
  throw new SluiceError('KEY_PERMISSIONS', `the key ${path} of what is kept is not this party’s alone`, {
    rule: 'psi.kept',
    remedy: 'Remove it to begin anew: what is evaluated again will be counted again.',
  })
}

function busy(): SluiceError {
  return new SluiceError('LOCKED', 'another process runs this job as this party', {
    rule: 'psi.kept',
    remedy: 'Wait until it has ended.',
  })
}

function packed(flags: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(flags.length / 8))
  for (let i = 0; i < flags.length; i++) bits[i >> 3]! |= flags[i]! << (i & 7)
  return bits
}

function unpacked(bits: Uint8Array, count: number): Uint8Array {
  const flags = new Uint8Array(count)
  for (let i = 0; i < count; i++) flags[i] = (bits[i >> 3]! >> (i & 7)) & 1
  return flags
}

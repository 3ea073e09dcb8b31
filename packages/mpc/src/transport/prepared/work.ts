import { type CipherGCM, createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { appendFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalBytes, SluiceError } from '@sluice/core'
import { nodeFiles } from '@sluice/ledger/files'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import type { PreparedKey } from '../../psi/prepared.js'
import { withFileErrors } from '../file-errors.js'

/**
 * The working directory of a preparation: the set's hashes in parts, by their first bits, and of each part that is done
 * its values. Both are encrypted (AES-256-GCM) under a key that is derived from the set's, which lies elsewhere: keyed
 * hashes of identity numbers can be enumerated. A part is written beside its name first, so that what is there under
 * its name is whole, however the process ended.
 */
export class Work {
  readonly #path: string
  readonly #key: Uint8Array
  readonly #lock: { release(): Promise<void> }

  private constructor(path: string, key: Uint8Array, lock: { release(): Promise<void> }) {
    this.#path = path
    this.#key = key
    this.#lock = lock
  }

  /** @throws SluiceError LOCKED where another process prepares the same set, FILE_MISSING, DISK_FULL */
  static async open(path: string, { set, scalar }: PreparedKey): Promise<Work> {
    return withFileErrors(path, async () => {
      await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
      const lock = await nodeFiles.tryLock(join(path, 'lock'))
      if (lock === null) {
        throw new SluiceError('LOCKED', 'another process is preparing this set', {
          rule: 'psi.prepare',
          remedy: 'Wait until it is done, or choose another --out.',
        })
      }
      const salt = Buffer.from(set, 'hex')
      return new Work(
        path,
        new Uint8Array(hkdfSync('sha256', scalar, salt, 'sluice-psi-set/1 work', 32)),
        lock,
      )
    })
  }

  /** Into how many parts a set was read by this plan; where it was not, or by another, nothing is left here. */
  async partsOf(plan: object): Promise<number | undefined> {
    const before = await nodeFiles.read(join(this.#path, 'plan'))
    const parts = before === null ? undefined : partsIn(before)
    if (parts !== undefined && Buffer.from(canonicalBytes({ ...plan, parts })).equals(before!)) return parts
    // first the plan, without which nothing else counts
    await rm(join(this.#path, 'plan'), { force: true })
    for (const name of await readdir(this.#path)) {
      if (/^(items|values)-/.test(name)) await rm(join(this.#path, name))
    }
    return undefined
  }

  /** From here on a process that is killed goes on with the parts. */
  async begin(plan: object, parts: number): Promise<void> {
    // the parts that it names are synced, and so are their names before its own is there
    await nodeFiles.syncDirectory(this.#path)
    await this.#write('plan', canonicalBytes({ ...plan, parts }))
  }

  async isDone(part: number): Promise<boolean> {
    return (await nodeFiles.size(this.#name('values', part))) !== null
  }

  itemsWriter(part: number): PartWriter {
    return new PartWriter(this.#name('items', part), this.#key, `items ${part}`)
  }

  async items(part: number): Promise<ItemHashes> {
    return this.#opened('items', part)
  }

  async values(part: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#opened('values', part)
  }

  async finish(part: number, values: Uint8Array): Promise<void> {
    const nonce = randomBytes(NONCE)
    const cipher = cipherFor(this.#key, nonce, `values ${part}`)
    await this.#write(
      `values-${part}`,
      Buffer.concat([nonce, cipher.update(values), cipher.final(), cipher.getAuthTag()]),
    )
    await rm(this.#name('items', part), { force: true })
  }

  /** A file of this directory, to be written and then moved to where it is to be. */
  file(name: string): string {
    return join(this.#path, name)
  }

  async remove(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true })
  }

  async release(): Promise<void> {
    this.#key.fill(0)
    await this.#lock.release()
  }

  #name(kind: 'items' | 'values', part: number): string {
    return join(this.#path, `${kind}-${part}`)
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#path, name)
    await withFileErrors(path, async () => {
      const file = await open(`${path}.new`, 'w', 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${path}.new`, path)
      await nodeFiles.syncDirectory(this.#path)
    })
  }

  async #opened(kind: 'items' | 'values', part: number): Promise<Uint8Array<ArrayBuffer>> {
    const path = this.#name(kind, part)
    const bytes = await withFileErrors(path, () => readFile(path))
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE), {
        authTagLength: TAG,
      })
        .setAAD(Buffer.from(`${kind} ${part}`))
        .setAuthTag(bytes.subarray(-TAG))
      return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()]))
    } catch (cause) {
      throw new SluiceError('FINGERPRINT_MISMATCH', 'a working file of the preparation was changed', {
        rule: 'psi.prepare',
        remedy: 'Remove the folder of working files, and run the same command again: it starts anew.',
        cause,
      })
    }
  }
}

const [NONCE, TAG] = [12, 16]
/** so much of a part is gathered before it is written */
const GATHERED = 1 << 16

/** Hashes of one part, encrypted as they come; whole and synced once it is ended. */
export class PartWriter {
  readonly #path: string
  readonly #cipher: CipherGCM
  #pending: Uint8Array[]
  #bytes: number
  #new = true

  constructor(path: string, key: Uint8Array, name: string) {
    this.#path = path
    const nonce = randomBytes(NONCE)
    this.#cipher = cipherFor(key, nonce, name)
    this.#pending = [nonce]
    this.#bytes = nonce.length
  }

  async add(hashes: Uint8Array): Promise<void> {
    this.#push(this.#cipher.update(hashes))
    if (this.#bytes >= GATHERED) await this.#flush()
  }

  async end(): Promise<void> {
    this.#push(this.#cipher.final())
    this.#push(this.#cipher.getAuthTag())
    await this.#flush()
    await withFileErrors(this.#path, async () => {
      const file = await open(this.#path, 'r')
      await file.sync().finally(() => file.close())
    })
  }

  #push(bytes: Uint8Array): void {
    this.#pending.push(bytes)
    this.#bytes += bytes.length
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending)
    await withFileErrors(this.#path, () =>
      appendFile(this.#path, bytes, { mode: 0o600, flag: this.#new ? 'w' : 'a' }),
    )
    this.#new = false
    this.#pending = []
    this.#bytes = 0
  }
}

/** Hashes by their first sixteen bits: those of part 0, part 1, … in turn, each in the order in which they stood. */
export function byPart(hashes: ItemHashes, parts: number): Uint8Array[] {
  const count = hashes.length / ITEM_BYTES
  const partAt = (item: number) =>
    (((hashes[item * ITEM_BYTES]! << 8) | hashes[item * ITEM_BYTES + 1]!) * parts) >>> 16
  const starts = new Uint32Array(parts + 1)
  for (let item = 0; item < count; item++) starts[partAt(item) + 1]!++
  for (let part = 0; part < parts; part++) starts[part + 1]! += starts[part]!
  const sorted = new Uint8Array(hashes.length)
  const next = starts.slice()
  for (let item = 0; item < count; item++) {
    const to = next[partAt(item)]!++
    for (let i = 0; i < ITEM_BYTES; i++) sorted[to * ITEM_BYTES + i] = hashes[item * ITEM_BYTES + i]!
  }
  return Array.from({ length: parts }, (_, part) =>
    sorted.subarray(starts[part]! * ITEM_BYTES, starts[part + 1]! * ITEM_BYTES),
  )
}

function partsIn(plan: Uint8Array): number | undefined {
  try {
    const { parts } = JSON.parse(Buffer.from(plan).toString('utf8')) as { parts: number }
    return parts
  } catch {
    return undefined
  }
}

function cipherFor(key: Uint8Array, nonce: Uint8Array, name: string): CipherGCM {
  return createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG }).setAAD(Buffer.from(name))
}

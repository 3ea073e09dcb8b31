import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { Lock } from '@sluice/ledger'
import { nodeFiles } from '@sluice/ledger/files'
import { SEAL_KEY_BYTES, SEAL_NONCE_BYTES, seal, unseal, unwritable } from './sealed.js'

export interface SealedPlace {
  /** what it is, whose, and of which job: what was kept of others is not seen */
  readonly about: string
  /** in which a folder of its own is made */
  readonly directory: string
  /** the key's path begins with this */
  readonly keys: string
}

/**
 * One file in a folder of its own, sealed under a key in a file of mode 600 elsewhere, replaced as a whole (write, sync,
 * rename, sync of the directory): torn states do not exist, and a changed one is refused. One process at a time has it.
 */
export class SealedFile {
  readonly folder: string
  /** of the file, and of what else lies in the folder */
  readonly key: Uint8Array
  readonly #keyPath: string
  readonly #about: string
  #lock: Lock | undefined

  private constructor({ about }: SealedPlace, { folder, keyPath }: Paths, key: Uint8Array, lock: Lock) {
    this.folder = folder
    this.key = key
    this.#keyPath = keyPath
    this.#about = about
    this.#lock = lock
  }

  /** @throws SluiceError LOCKED where another process has it, KEY_PERMISSIONS, DISK_FULL, FILE_MISSING */
  static async open(place: SealedPlace): Promise<SealedFile> {
    const id = createHash('sha256').update(place.about).digest('hex').slice(0, 32)
    const paths = { folder: join(place.directory, `.sluice-psi-${id}`), keyPath: `${place.keys}.${id}` }
    const key = await secretAt(paths.keyPath)
    const lock = await nodeFiles.tryLock(paths.keyPath)
    if (lock === null) throw busy()
    return new SealedFile(place, paths, key, lock)
  }

  /**
   * What it holds; undefined where it is not there.
   *
   * @param remedy of a file that does not hold
   * @throws SluiceError FINGERPRINT_MISMATCH where it is not what was sealed
   */
  async read(remedy: string): Promise<Buffer | undefined> {
    const sealed = await nodeFiles.read(join(this.folder, FILE))
    if (sealed === null) return undefined
    try {
      return Buffer.from(unseal(this.key, this.#about, sealed))
    } catch (cause) {
      throw new SluiceError(
        'FINGERPRINT_MISMATCH',
        `what was kept of an earlier run, in ${this.folder}, does not hold`,
        { rule: 'psi.kept', remedy, cause },
      )
    }
  }

  /** @throws SluiceError DISK_FULL, FILE_MISSING */
  async replace(plain: readonly Uint8Array[]): Promise<void> {
    const sealed = seal(this.key, randomBytes(SEAL_NONCE_BYTES), this.#about, plain)
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 })
      await nodeFiles.write(join(this.folder, PARTIAL), sealed, 0o600)
      await nodeFiles.rename(join(this.folder, PARTIAL), join(this.folder, FILE))
      await nodeFiles.syncDirectory(this.folder)
    } catch (cause) {
      throw unwritable(cause)
    }
  }

  /** Lets go of it. @param forgetKey where nothing was kept under it */
  async close(forgetKey = false): Promise<void> {
    const lock = this.#lock
    if (lock === undefined) return
    this.#lock = undefined
    if (forgetKey) await rm(this.#keyPath, { force: true })
    await lock.release()
  }

  /** Removes everything, the key first: what may stay behind cannot be read. */
  async remove(): Promise<void> {
    await rm(this.#keyPath, { force: true })
    await this.close()
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

interface Paths {
  readonly folder: string
  readonly keyPath: string
}

const FILE = 'kept'
const PARTIAL = 'kept.partial'

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

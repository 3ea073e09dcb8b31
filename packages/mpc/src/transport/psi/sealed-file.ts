import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, link, lstat, open, rm, stat } from 'node:fs/promises'
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

  /**
   * @throws SluiceError LOCKED where another process has it, KEY_PERMISSIONS (the key, or the folder, is another's too),
   *   DISK_FULL, FILE_MISSING
   */
  static async open(place: SealedPlace): Promise<SealedFile> {
    const id = createHash('sha256').update(place.about).digest('hex').slice(0, 32)
    const paths = { folder: join(place.directory, `.sluice-psi-${id}`), keyPath: `${place.keys}.${id}` }
    const { key, lock } = await lockedSecret(paths.keyPath)
    const file = new SealedFile(place, paths, key, lock)
    try {
      await requireOwn(file.folder)
      return file
    } catch (error) {
      await file.close()
      throw error
    }
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
      throw doesNotHold(this.folder, remedy, cause)
    }
  }

  /** Makes the folder where it is not there. @throws SluiceError KEY_PERMISSIONS where it is another's, FILE_MISSING */
  async makeFolder(): Promise<void> {
    try {
      await nodeFiles.makeDirectory(this.folder, 0o700)
    } catch (cause) {
      throw unwritable(cause)
    }
    await requireOwn(this.folder)
  }

  /** What it holds is no longer of use; what else lies in the folder stays. @throws SluiceError FILE_MISSING */
  async discard(): Promise<void> {
    if ((await nodeFiles.size(this.folder)) === null) return
    try {
      await rm(join(this.folder, FILE), { force: true })
      await nodeFiles.syncDirectory(this.folder)
    } catch (cause) {
      throw unwritable(cause)
    }
  }

  /** @throws SluiceError DISK_FULL, FILE_MISSING */
  async replace(plain: readonly Uint8Array[]): Promise<void> {
    const sealed = seal(this.key, randomBytes(SEAL_NONCE_BYTES), this.#about, plain)
    await this.makeFolder()
    try {
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

  /**
   * Removes everything: the file, which says what the rest is, then the rest, then the key. So nothing that a killed process
   * leaves is taken for what was kept, and no other process begins in a folder that is being removed.
   */
  async remove(): Promise<void> {
    try {
      await this.discard()
      await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
    } finally {
      await rm(this.#keyPath, { force: true })
      await this.close()
    }
  }
}

interface Paths {
  readonly folder: string
  readonly keyPath: string
}

const FILE = 'kept'
const PARTIAL = 'kept.partial'

/** The key, made where it is not there, and the lock on its file: on the one that has this name, not on one before it. */
async function lockedSecret(path: string): Promise<{ key: Uint8Array; lock: Lock }> {
  for (;;) {
    const { key, id } = await secretAt(path)
    const lock = await nodeFiles.tryLock(path)
    if (lock === null) throw busy()
    let isHeld = false
    try {
      const found = await unlessGone(stat(path, { bigint: true }))
      isHeld = key.length > 0 && found?.ino === id
      if (isHeld) return { key, lock }
      // whoever had it has removed it meanwhile; to lock what is not there makes an empty file
      if (found?.size === 0n) await rm(path, { force: true })
    } finally {
      if (!isHeld) await lock.release()
    }
  }
}

/** Made where it is not there: a file of mode 600, whole and durable before it has its name. */
async function secretAt(path: string): Promise<{ key: Uint8Array; id: bigint }> {
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
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    // removed since
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { key: new Uint8Array(0), id: 0n }
    throw unwritable(cause)
  }
  try {
    const { mode, ino } = await file.stat({ bigint: true })
    const key = await file.readFile()
    if (key.length === 0) return { key, id: ino }
    if (isAlone(mode) && key.length === SEAL_KEY_BYTES) return { key, id: ino }
  } finally {
    await file.close()
  }
  throw new SluiceError('KEY_PERMISSIONS', `the key ${path} of what is kept is not this party’s alone`, {
    rule: 'psi.kept',
    remedy: 'Remove it to begin anew: what is evaluated again will be counted again.',
  })
}

function isAlone(mode: bigint): boolean {
  return process.platform === 'win32' || (mode & 0o077n) === 0n
}

/** A folder that others can write to may be made by anybody, under a name that anybody knows. */
async function requireOwn(folder: string): Promise<void> {
  const found = await unlessGone(lstat(folder, { bigint: true }))
  if (found === undefined) return
  const user = process.getuid?.()
  const isOwn = user === undefined || found.uid === BigInt(user)
  if (isOwn && found.isDirectory() && isAlone(found.mode)) return
  throw new SluiceError(
    'KEY_PERMISSIONS',
    `the folder ${folder} of temporary files is not this party’s alone`,
    {
      rule: 'psi.kept',
      remedy: 'Find out whose it is and remove it, or name another folder with --scratch DIR.',
    },
  )
}

/** Nothing where there is no such file; what else is wrong is told. @throws SluiceError FILE_MISSING */
async function unlessGone<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unwritable(cause)
  }
}

/** @param remedy of what was kept in this folder and was changed */
export function doesNotHold(folder: string, remedy: string, cause: unknown): SluiceError {
  return new SluiceError(
    'FINGERPRINT_MISMATCH',
    `what was kept of an earlier run, in ${folder}, does not hold`,
    { rule: 'psi.kept', remedy, cause },
  )
}

function busy(): SluiceError {
  return new SluiceError('LOCKED', 'another process runs this job as this party', {
    rule: 'psi.kept',
    remedy: 'Wait until it has ended.',
  })
}

import { SluiceError } from '@sluice/core'

/**
 * All that the store asks of a file system, small enough that a test can stand in for it, fail or crash at each call
 * and forget what was not synced. Errors carry a `code` as Node's do.
 */
export interface Files {
  /** the whole file; null where there is none */
  read(path: string): Promise<Uint8Array | null>
  /** in bytes; null where there is no such file */
  size(path: string): Promise<number | null>
  /** names in a directory; empty where there is none */
  list(path: string): Promise<string[]>
  /** with those above it; one that exists is fine. `mode` of those that are made is 0o777 less the umask unless given. */
  makeDirectory(path: string, mode?: number): Promise<void>
  /**
   * Always a new file, whatever had the name before: that might still have another name, by a rename that a crash undid
   * by half. On return the content is durable, the name is not. `mode` is 0o644 unless given.
   */
  write(path: string, bytes: Uint8Array, mode?: number): Promise<void>
  /** atomically; durable after the target's directory is synced */
  rename(from: string, to: string): Promise<void>
  /** a file, or a directory with all that is in it; one that does not exist is fine */
  remove(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
  /** opens a file that exists, to write into */
  open(path: string): Promise<OpenFile>
  /** creates the file if need be; null where somebody else holds the lock, which ends with its process at the latest */
  tryLock(path: string): Promise<Lock | null>
}

export interface OpenFile {
  write(bytes: Uint8Array, position: number): Promise<void>
  truncate(size: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

export interface Lock {
  release(): Promise<void>
}

/** Runs something that touches files, and turns what the system says into an error that helps. */
export async function withFileErrors<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw fileError(error)
  }
}

export function fileError(error: unknown): unknown {
  const { code, name } = (error ?? {}) as NodeJS.ErrnoException
  if (name === 'SluiceError' || typeof code !== 'string') return error
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new SluiceError(
      'DISK_FULL',
      'the disk is full; nothing was acknowledged that is not in the ledger',
      {
        remedy: 'Free some space and try again; nothing has to be repaired.',
        cause: error,
      },
    )
  }
  return new SluiceError('ZONE_DAMAGED', `the ledger’s files cannot be read or written (${code})`, {
    remedy: 'Check the disk, and that you may read and write the zone’s directory.',
    cause: error,
  })
}

import { chmod, constants, copyFile, link, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { nodeFiles } from '@sluice/ledger/files'

/**
 * A child's private directory: `in` holds the files of its one job, `out` takes what it writes, `tmp` what the
 * engine spills, `root` is the mount point of the namespaces mode. Removed with everything in it.
 */
export class Staging {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** @param parent a directory on the file system of the data, so that files can be linked instead of copied */
  static async create(parent: string): Promise<Staging> {
    await nodeFiles.makeDirectory(parent, 0o700)
    const path = await mkdtemp(join(parent, 'run-'))
    await chmod(path, 0o700)
    for (const name of ['in', 'out', 'tmp', 'root']) await mkdir(join(path, name), { mode: 0o700 })
    return new Staging(path)
  }

  /** Makes a file visible to the child as `in/<name>`, by a hard link where the file system allows it. */
  async link(source: string, name: string): Promise<void> {
    const target = join(this.path, 'in', name)
    try {
      await link(source, target)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw missing(error)
      await this.copy(source, name)
    }
  }

  /** The same by a copy, for a file that somebody else may be writing to. */
  async copy(source: string, name: string): Promise<void> {
    try {
      await copyFile(source, join(this.path, 'in', name), constants.COPYFILE_FICLONE)
    } catch (error) {
      if (codeOf(error) === 'ENOSPC') {
        throw new SluiceError('DISK_FULL', 'there is no room for a working copy of the file', {
          remedy: 'Free disk space below the zone.',
          cause: error,
        })
      }
      throw missing(error)
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 })
  }
}

export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code
}

function missing(cause: unknown): SluiceError {
  return new SluiceError('FILE_MISSING', 'a file that the job needs cannot be read', { cause })
}

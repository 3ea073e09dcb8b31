import { type FileHandle, open, realpath, rm } from 'node:fs/promises'
import { createEnginePool } from '../duckdb/pool.js'
import { detectFormat } from './format.js'
import { writeError } from './place-table.js'
import { scratchPath } from './scratch.js'
import { requireFile } from './seal.js'
import { LONGEST, openTable, type ReadTableOptions, type TableFile, told } from './table-reader.js'
import { fileVersion, requireVersion } from './version.js'

export interface HoldTableOptions extends Pick<ReadTableOptions, 'signal' | 'onStart'> {
  /** folder on whose file system `keep` makes its file, which has no name */
  readonly output: string
}

/**
 * Opens a file that is read, left for a while and written from, in one child without a directory, which sees the file
 * read-only and has the one that it makes open, so that a process which is killed meanwhile leaves nothing. Where `canHold` says so.
 *
 * @throws SluiceError as `readTable`, and FILE_MISSING or DISK_FULL of `output`
 */
export async function holdTable<T>(
  path: string,
  { output, signal, onStart }: HoldTableOptions,
  use: (table: TableFile) => Promise<T>,
): Promise<T> {
  await requireFile(path, Number.MAX_SAFE_INTEGER)
  // the file is whoever runs this command's own: any isolation will do
  const pool = createEnginePool({
    ...{ stagingRoot: output, minimum: 'process', warm: 0 },
    outputBytes: Number.MAX_SAFE_INTEGER,
  })
  const files: FileHandle[] = []
  const opened = async (opening: Promise<FileHandle>) => {
    const file = await opening
    files.push(file)
    return file.fd
  }
  try {
    const descriptor = await opened(open(path, 'r'))
    const to = await opened(nameless(output))
    const [source, made] = [`/proc/self/fd/${descriptor}`, `/proc/self/fd/${to}`]
    const input = { path: await realpath(path), descriptor }
    const job = { grade: '1', milliseconds: LONGEST, signal, files: [to], inputs: [input] }
    return await pool.run(job, async child => {
      onStart?.()
      const file = {
        ...{ path: source, staged: null, before: await fileVersion(source), isTranscoded: false },
        inside: { source: child.inputInside(0), output: child.fileInside(0) },
        output: made,
      }
      const format = await detectFormat(source)
      try {
        const table = await openTable(child, format, file, pool)
        // what was mounted for the child by its name is what this process has open
        await requireVersion(input.path, table.version)
        return await use(table)
      } catch (error) {
        throw told(error, format)
      }
    })
  } finally {
    for (const file of files) await file.close()
    await pool.close()
  }
}

/** Whether `holdTable` can hold this file here: a Parquet file on Linux. What else is wrong with it, reading it says. */
export async function canHold(path: string): Promise<boolean> {
  if (process.platform !== 'linux') return false
  const file = await open(path, 'r').catch(() => null)
  if (file === null) return false
  try {
    const head = Buffer.alloc(PARQUET.length)
    await file.read(head, 0, head.length, 0)
    return head.equals(PARQUET)
  } catch {
    return false
  } finally {
    await file.close()
  }
}

const PARQUET = Buffer.from('PAR1')

/** A file that goes with whoever has it open. @throws SluiceError FILE_MISSING (no such directory), DISK_FULL */
async function nameless(folder: string): Promise<FileHandle> {
  const path = await scratchPath(folder)
  const file = await open(path, 'wx+', 0o600).catch((cause: unknown) => {
    throw writeError(cause)
  })
  try {
    await rm(path)
    return file
  } catch (cause) {
    await file.close()
    throw writeError(cause)
  }
}

import { type FileHandle, open, rm } from 'node:fs/promises'
import { createEnginePool } from '../duckdb/pool.js'
import { detectFormat } from './format.js'
import { writeError } from './place-table.js'
import { scratchPath } from './scratch.js'
import { requireFile } from './seal.js'
import { LONGEST, openTable, type ReadTableOptions, type TableFile, told } from './table-reader.js'
import { fileVersion } from './version.js'

export interface HoldTableOptions extends Pick<ReadTableOptions, 'signal' | 'onStart'> {
  /** folder on whose file system `keep` makes its file, which has no name */
  readonly output: string
}

/**
 * Opens a file that is read, left for a while and written from, in one child: it has both files open and no directory,
 * so that a process which is killed meanwhile leaves nothing. Where `canHold` says so.
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
  try {
    files.push(await open(path, 'r'))
    files.push(await nameless(output))
    const [source, made] = files.map(({ fd }) => `/proc/self/fd/${fd}`) as [string, string]
    const job = { grade: '1', milliseconds: LONGEST, signal, files: files.map(({ fd }) => fd) }
    return await pool.run(job, async child => {
      onStart?.()
      const file = {
        ...{ path: source, staged: null, before: await fileVersion(source), isTranscoded: false },
        inside: { source: child.fileInside(0), output: child.fileInside(1) },
        output: made,
      }
      const format = await detectFormat(source)
      try {
        return await use(await openTable(child, format, file, pool))
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

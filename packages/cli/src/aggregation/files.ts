import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { Aggregation, ByteSink, ByteSource, VerifySignature } from '@sluice/core/he'
import type { Context } from '../context.js'
import { readBytes } from '../input.js'
import { assertFree, writeError } from '../output/file.js'

const AGGREGATION_BYTES = 16 * 2 ** 20
const KEY_BYTES = 2 ** 20

export async function readAggregation(context: Context, file: string): Promise<Aggregation> {
  const { parseAggregation } = await import('@sluice/core/he')
  return parseAggregation(await readBytes(context.path(file), AGGREGATION_BYTES))
}

export function readPublicHeKey(context: Context, file: string): Promise<Uint8Array> {
  return readBytes(context.path(file), KEY_BYTES)
}

/** Files to read, all closed when the work is done. */
export async function withSources<T>(
  context: Context,
  files: readonly string[],
  work: (sources: ByteSource[]) => Promise<T>,
): Promise<T> {
  const handles: FileHandle[] = []
  try {
    const sources: ByteSource[] = []
    for (const file of files) {
      const handle = await open(context.path(file), constants.O_RDONLY).catch(
        (cause: NodeJS.ErrnoException) => {
          const why = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`
          throw new SluiceError('FILE_MISSING', `${file}: ${why}`, { remedy: 'Check the path.', cause })
        },
      )
      handles.push(handle)
      const status = await handle.stat()
      sources.push(sourceOf(handle, basename(file), status.isFile() ? status.size : 0))
    }
    return await work(sources)
  } finally {
    await Promise.all(handles.map(handle => handle.close()))
  }
}

function sourceOf(handle: FileHandle, name: string, size: number): ByteSource {
  return {
    name,
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length; ) {
        const { bytesRead } = await handle.read(bytes, at, length - at, offset + at)
        if (bytesRead === 0) throw new SluiceError('FILE_FORMAT', `${name} became shorter while it was read`)
        at += bytesRead
      }
      return bytes
    },
  }
}

/**
 * A file of mode 600 that appears whole under its name, or not at all, however the process ends. What an earlier process
 * left half written is swept.
 */
export async function withSink<T>(
  context: Context,
  out: string,
  force: boolean,
  work: (sink: ByteSink) => Promise<T>,
): Promise<T> {
  const path = context.path(out)
  const { scratchPath } = await import('@sluice/sandbox/scratch')
  const partial = await scratchPath(dirname(path))
  try {
    // before the work, and once more when it is done
    if (!force) await assertFree(path)
    const handle = await open(partial, 'wx', 0o600)
    let result: T
    try {
      result = await work({
        async write(offset, bytes) {
          for (let at = 0; at < bytes.length; ) {
            at += (await handle.write(bytes, at, bytes.length - at, offset + at)).bytesWritten
          }
        },
      })
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (!force) await assertFree(path)
    await rename(partial, path)
    return result
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined)
    if (typeof (error as NodeJS.ErrnoException).syscall !== 'string') throw error
    throw writeError(path, error as NodeJS.ErrnoException)
  }
}

/** Signatures of parties, by the keys that an aggregation names them with. */
export async function signatureCheck(): Promise<VerifySignature> {
  const { parseVerifierKey, verifySignature } = await import('@sluice/ledger/keys')
  return (key, bytes, signature) => {
    try {
      return verifySignature(parseVerifierKey(key), bytes, signature)
    } catch {
      return false
    }
  }
}

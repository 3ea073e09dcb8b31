import { createReadStream, createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SluiceError } from '@sluice/core'

export const ENCODINGS = ['utf-8', 'gbk'] as const
export type Encoding = (typeof ENCODINGS)[number]

/**
 * Writes a text file of another encoding again as UTF-8, piece by piece. GBK is read as GB 18030, of which it is a
 * part.
 *
 * @throws SluiceError FILE_FORMAT with the line where the text is not of that encoding
 */
export async function transcode(
  from: string,
  to: string,
  encoding: Exclude<Encoding, 'utf-8'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const decoder = new TextDecoder(encoding === 'gbk' ? 'gb18030' : encoding, { fatal: true })
  let lines = 1
  const decode = (chunk: Uint8Array | undefined) => {
    try {
      const text = decoder.decode(chunk, { stream: chunk !== undefined })
      if (text.includes('\0')) throw new RangeError('a NUL')
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++
      return text
    } catch (cause) {
      throw new SluiceError('FILE_FORMAT', `the text file is not ${encoding.toUpperCase()}`, {
        rule: 'encoding',
        remedy: 'Name the encoding that the file has, or leave it out for UTF-8.',
        position: { line: lines, column: 1 },
        cause,
      })
    }
  }
  const decoding = new Transform({
    decodeStrings: false,
    transform(chunk: Buffer, _, done) {
      attempt(() => decode(chunk), done)
    },
    flush(done) {
      attempt(() => decode(undefined), done)
    },
  })
  // pieces this small tell the line well enough
  const source = createReadStream(from, { highWaterMark: 1 << 16 })
  await pipeline(
    source,
    decoding,
    createWriteStream(to, { mode: 0o600 }),
    signal === undefined ? {} : { signal },
  )
}

function attempt(action: () => string, done: (error: Error | null, text?: string) => void): void {
  try {
    done(null, action())
  } catch (error) {
    done(error as Error)
  }
}

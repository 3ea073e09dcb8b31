import { type FileHandle, open } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'

export const FILE_FORMATS = ['parquet', 'arrow', 'csv'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

const READ_BYTES = 1 << 20
const ARROW_CONTINUATION = [0xff, 0xff, 0xff, 0xff]

/**
 * What a file is, by its content and never by its name: Parquet and Arrow IPC (file and stream) by their magic
 * bytes at both ends, anything else must be UTF-8 text and is taken for CSV.
 *
 * @throws SluiceError FILE_FORMAT with rule `truncated`, `encoding`, `encrypted` or `format`
 */
export async function detectFormat(path: string): Promise<FileFormat> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size === 0) throw refused('format', 'the file is empty', 'Give a Parquet, CSV or Arrow IPC file.')
    const head = await readAt(file, 0, Math.min(8, size))
    const tail = await readAt(file, Math.max(0, size - 6), Math.min(6, size))
    if (starts(head, 'PAR1')) return ends(tail, 'PAR1') ? 'parquet' : truncated()
    if (starts(head, 'PARE')) {
      throw refused('encrypted', 'the Parquet file is encrypted', 'Register a file that is not encrypted.')
    }
    if (starts(head, 'ARROW1')) return ends(tail, 'ARROW1') ? 'arrow' : truncated()
    if (ARROW_CONTINUATION.every((byte, index) => head[index] === byte)) return 'arrow'
    for (const [magic, what] of FOREIGN) {
      if (magic.every((byte, index) => head[index] === byte)) {
        throw refused('format', `the file is ${what}`, 'Export it as CSV (UTF-8) or Parquet.')
      }
    }
    await requireText(file)
    return 'csv'
  } finally {
    await file.close()
  }
}

const FOREIGN: readonly (readonly [readonly number[], string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], 'a ZIP archive or an Excel workbook'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'an old Excel workbook'],
  [[0x1f, 0x8b], 'compressed with gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'compressed with zstd'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF document'],
]

/** Text means: UTF-8 from end to end and no NUL. GBK, GB 18030 and UTF-16 are told so, not guessed. */
async function requireText(file: FileHandle): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const buffer = new Uint8Array(READ_BYTES)
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, position)
    const chunk = buffer.subarray(0, bytesRead)
    if (chunk.includes(0)) {
      throw refused('format', 'the file is neither Parquet, nor Arrow IPC, nor text', 'Give one of these.')
    }
    try {
      decoder.decode(chunk, { stream: bytesRead > 0 })
    } catch {
      throw refused(
        'encoding',
        looksLikeGbk(chunk) ? 'the text file is not UTF-8; it looks like GBK' : 'the text file is not UTF-8',
        'Name its encoding (--encoding gbk) where the command knows that, or convert it first: iconv -f GB18030 -t UTF-8 FILE > NEW.',
      )
    }
    if (bytesRead === 0) return
    position += bytesRead
  }
}

/** Does GB 18030, of which GBK is a part, make Han characters of most of what is not ASCII? */
function looksLikeGbk(bytes: Uint8Array): boolean {
  // the last characters may be cut
  const text = new TextDecoder('gb18030').decode(bytes).slice(0, -4)
  const foreign = text.match(/[^\0-\x7f]/g)?.length ?? 0
  const usual = text.match(/[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/g)?.length ?? 0
  return foreign > 0 && usual >= 0.9 * foreign
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  await file.read(bytes, 0, length, position)
  return bytes
}

function starts(bytes: Uint8Array, magic: string): boolean {
  return Buffer.from(bytes).toString('latin1').startsWith(magic)
}

function ends(bytes: Uint8Array, magic: string): boolean {
  return Buffer.from(bytes).toString('latin1').endsWith(magic)
}

function truncated(): never {
  throw refused('truncated', 'the file ends before its footer', 'Copy the file again, whole.')
}

function refused(rule: string, message: string, remedy: string): SluiceError {
  return new SluiceError('FILE_FORMAT', message, { rule, remedy })
}

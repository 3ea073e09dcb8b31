import { extname } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { ReleasedResult } from '@sluice/sandbox'
import type { Context } from '../context.js'
import { deliver } from './deliver.js'
import { writeFile } from './file.js'
import { FORMATS, type Format } from './format.js'
import { jsonText, type Reply } from './reply.js'
import { resultJson, resultText } from './result.js'
import type { Ui } from './ui.js'

interface Options {
  readonly out?: string
  readonly receipt?: string
  readonly force?: boolean
}

/** A released table where and how it was asked for, and its receipt beside it. */
export async function deliverRelease(
  context: Context,
  released: ReleasedResult,
  options: Options,
): Promise<Reply | undefined> {
  const { run, request, receipt, isolation, milliseconds, suppressions } = released
  if (options.receipt !== undefined) {
    const { receiptBytes } = await import('@sluice/ledger')
    await writeFile(context.path(options.receipt), receiptBytes(receipt), options.force === true)
  }
  const summary = { run, request, entry: receipt.index, isolation, milliseconds }
  const footer = (ui: Ui) =>
    ui.fields([
      ['label.release', run],
      ['label.request', request],
      ['label.entry', receipt.index],
      ['label.isolation', isolation],
      ['label.milliseconds', `≤ ${milliseconds}`],
      ['label.receipt', options.receipt ?? null],
    ])
  const format = formatOf(context.settings.format, options.out)
  if (format === 'table') {
    return {
      json: { ...summary, ...resultJson(released), receipt },
      text: ui => [resultText(released, ui), '', footer(ui)].join('\n'),
    }
  }
  return deliver(context, await encode(context, released, format), options, {
    json: { ...summary, format, suppressions, receipt },
    text: footer,
  })
}

/** A table is for reading, so it goes to stdout alone; a file's format is named, or told by its name. */
function formatOf(asked: Format | undefined, out: string | undefined): Format {
  if (out === undefined || out === '-') return asked ?? 'table'
  const format = asked ?? FORMATS.find(name => extname(out).toLowerCase() === `.${name}`)
  if (format !== undefined && format !== 'table') return format
  throw new SluiceError('USAGE', `${out}: a file is written as csv, json, arrow or parquet`, {
    remedy: 'Name the format with --format, or by the end of the file’s name.',
  })
}

async function encode(
  context: Context,
  released: ReleasedResult,
  format: Exclude<Format, 'table'>,
): Promise<Uint8Array> {
  // what the ledger commits to, byte for byte
  if (format === 'arrow') return released.bytes
  if (format === 'json') return new TextEncoder().encode(`${jsonText(resultJson(released))}\n`)
  const { encodeTable } = await import('@sluice/sandbox/io')
  const { staging } = (await context.zone()).layout
  return encodeTable(released.table, format, { staging, signal: context.signal })
}

import { SluiceError } from '@sluice/core'
import type { Context } from '../context.js'
import { write } from '../io.js'
import { writeFile } from './file.js'
import type { Reply } from './reply.js'

/**
 * Hands out bytes as `--out` says: to a file, or with `-` (and where there is none) to stdout, where they stand
 * alone. The reply says where they went.
 */
export async function deliver(
  context: Context,
  bytes: Uint8Array,
  options: { readonly out?: string; readonly force?: boolean },
  reply: { readonly json: object; readonly text: Reply['text'] },
): Promise<Reply | undefined> {
  const { out } = options
  if (out === undefined || out === '-') {
    if (context.json) {
      throw new SluiceError('USAGE', 'with --json, stdout holds one JSON document and nothing else', {
        remedy: 'Add --out FILE for the bytes.',
      })
    }
    context.progress.end()
    await write(context.io.stdout, bytes)
    return undefined
  }
  const path = context.path(out)
  await writeFile(path, bytes, options.force === true)
  return {
    json: { ...reply.json, file: path },
    text: ui => `${reply.text(ui)}\n${ui.t('text.written')}: ${out}`,
  }
}

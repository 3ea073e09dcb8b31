import { createHash } from 'node:crypto'
import { receiptBytes } from '@sluice/ledger'
import type { DatasetSample } from './sample.js'

/**
 * What lies beside a stand-in's file, `FILE.sample.json`: that it is one, of what, and what proves that it left so. The
 * receipt shows the ledger's entry; its commitment opens, with the salt, to the SHA-256 of the file.
 */
export function sampleStatement({ mark, consumer, bytes, format, salt, receipt }: DatasetSample): Uint8Array {
  const statement = {
    ...mark,
    standIn: true,
    consumer,
    file: { format, sha256: createHash('sha256').update(bytes).digest('hex') },
    salt,
    receipt: JSON.parse(new TextDecoder().decode(receiptBytes(receipt))) as unknown,
  }
  return new TextEncoder().encode(`${JSON.stringify(statement, null, 2)}\n`)
}

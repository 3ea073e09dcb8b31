import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Flips one bit in the middle of the entry that a receipt is for, in a copy of a ledger. */
export async function flipByte(ledger, receipt) {
  const folder = join(ledger, 'tile', 'entries')
  const needle = Buffer.from(receipt.entry, 'base64')
  for (const name of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue
    const path = join(name.parentPath, name.name)
    const bytes = await readFile(path)
    const at = bytes.indexOf(needle)
    if (at < 0) continue
    bytes[at + (needle.length >> 1)] ^= 1
    await writeFile(path, bytes)
  }
}

import type { VerifierKey } from '@sluice/ledger/keys'
import { readText } from './input.js'

const FILE_BYTES = 65_536
const MARK = 'Public-Key: '

/**
 * A public key as `sluice key new` prints it, alone in a file, or the line of a key file that holds it.
 *
 * @throws SluiceError FILE_MISSING, KEY_INVALID
 */
export async function readPublicKey(path: string): Promise<VerifierKey> {
  const { parseVerifierKey } = await import('@sluice/ledger/keys')
  const lines = (await readText(path, FILE_BYTES)).split(/\r?\n/).map(line => line.trim())
  const marked = lines.find(line => line.startsWith(MARK))?.slice(MARK.length)
  return parseVerifierKey(marked ?? lines.find(line => line !== '') ?? '')
}

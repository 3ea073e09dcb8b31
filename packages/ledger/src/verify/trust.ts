import { SluiceError } from '@sluice/core'
import { COSIGNATURE, isName, type Key, NOTE, readKey } from './keys.js'

/** What a verifier takes from outside the ledger: whom to believe. Passed on by hand, compared, kept. */
export interface Trust {
  readonly origin: string
  /** verifier key of the log */
  readonly logKey: string
  /** verifier keys of everybody whom the founding names */
  readonly founders: readonly string[]
  /** verifier keys whose cosignatures count; type 0x01 or 0x04 */
  readonly witnesses: readonly string[]
}

/** The same, with its keys read. */
export interface TrustedKeys {
  readonly origin: string
  readonly log: Key
  readonly founders: readonly Key[]
  readonly witnesses: readonly Key[]
}

/**
 * Reads a trust file (JSON in UTF-8).
 *
 * @throws SluiceError FILE_FORMAT, FILE_TOO_LARGE, KEY_INVALID
 */
export function parseTrust(file: string | Uint8Array): Trust {
  if (file.length > 65_536)
    throw new SluiceError('FILE_TOO_LARGE', 'a file of trusted keys is smaller than this')
  let value: unknown
  try {
    value = JSON.parse(
      typeof file === 'string' ? file : new TextDecoder('utf-8', { fatal: true }).decode(file),
    )
  } catch {
    throw malformed('it is not JSON')
  }
  trustedKeys(value)
  return value as Trust
}

/** @throws SluiceError FILE_FORMAT, KEY_INVALID */
export function trustedKeys(value: unknown): TrustedKeys {
  const { origin, logKey, founders, witnesses, ...others } = (value ?? {}) as Partial<Trust>
  if (typeof value !== 'object' || value === null || Object.keys(others).length > 0) {
    throw malformed('it has other fields than origin, logKey, founders and witnesses')
  }
  if (typeof origin !== 'string' || !isName(origin)) throw malformed('its origin is not one')
  const log = readKey(logKey)
  if (log.name !== origin) throw malformed('its log key is not named as its origin')
  return {
    origin,
    log,
    // a zone has three at least; a party of joint jobs keeps a ledger by itself
    founders: keys('founders', founders, [NOTE], Array.isArray(founders) && founders.length === 1 ? 1 : 3),
    witnesses: keys('witnesses', witnesses, [NOTE, COSIGNATURE], 0),
  }
}

function keys(field: string, list: unknown, types: readonly number[], minimum: number): Key[] {
  if (!Array.isArray(list) || list.length < minimum || list.length > 64) {
    throw malformed(`its ${field} are not a list of ${minimum} to 64 keys`)
  }
  const read = list.map(text => readKey(text, types))
  if (new Set(read.map(key => key.text)).size !== read.length)
    throw malformed(`its ${field} name a key twice`)
  return read
}

function malformed(reason: string): SluiceError {
  return new SluiceError('FILE_FORMAT', `these are not trusted keys: ${reason}`, {
    rule: 'trust',
    remedy:
      'Take the file as the zone’s founders handed it out: {"origin", "logKey", "founders", "witnesses"}.',
  })
}

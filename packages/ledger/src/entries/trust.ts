import type { Founding, PartyFounding } from './predicates.js'

/**
 * What an outsider takes from outside the ledger to verify it: a JSON file that people pass on by hand, compare, and
 * keep. `parseTrust` of `@sluice/ledger/verify` reads it.
 */
export interface Trust {
  readonly origin: string
  /** verifier key of the log */
  readonly logKey: string
  /** verifier keys of everybody whom the founding names */
  readonly founders: readonly string[]
  /** verifier keys whose cosignatures count; type 0x01 or 0x04 */
  readonly witnesses: readonly string[]
}

/** The trust that a founding gives; its providers and auditors are the witnesses. A party's own ledger names none. */
export function trustOf(founding: Founding | PartyFounding): Trust {
  if (founding.kind === 'party-founding') {
    const { origin, logKey, party } = founding
    return { origin, logKey, founders: [party.key], witnesses: [] }
  }
  const witnesses = founding.principals.filter(({ role }) => role === 'provider' || role === 'auditor')
  return {
    origin: founding.origin,
    logKey: founding.logKey,
    founders: founding.principals.map(({ key }) => key),
    witnesses: witnesses.map(({ key }) => key),
  }
}

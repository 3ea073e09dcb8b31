import type { Enrolment, Founding, KeyChange, PartyFounding, Role } from '../entries/predicates.js'
import { type Key, readKey } from './keys.js'
import type { Refuse } from './refuse.js'

export interface Principal extends Enrolment {
  readonly active: boolean
}

/** Whose keys count, entry by entry: the founding, and every change under its charter. */
export class Principals {
  readonly #charter: readonly Role[]
  readonly #byName = new Map<string, Principal>()
  /** every key that ever counted, by key id; past entries and cosignatures are verified with it */
  readonly #keys = new Map<string, Key>()

  constructor(founding: Founding | PartyFounding, refuse: Refuse) {
    // a party alone acts as the operator of its own ledger, and changes its key by itself
    const alone = founding.kind === 'party-founding'
    this.#charter = alone ? ['operator'] : founding.charter.keyChange
    const principals = alone ? [{ ...founding.party, role: 'operator' as const }] : founding.principals
    for (const principal of principals) this.#enrol(principal, refuse)
  }

  get all(): readonly Principal[] {
    return [...this.#byName.values()]
  }

  get keys(): ReadonlyMap<string, Key> {
    return this.#keys
  }

  /** The enrolled principal whose key this is, now. */
  withKey(keyId: string): Principal | undefined {
    const key = this.#keys.get(keyId)
    const principal = key && this.#byName.get(key.name)
    return principal?.active && principal.key === key?.text ? principal : undefined
  }

  named(name: string): Principal | undefined {
    return this.#byName.get(name)
  }

  change({ action, principal }: KeyChange, signers: readonly Principal[], refuse: Refuse): void {
    for (const role of this.#charter) {
      if (!signers.some(signer => signer.role === role)) {
        throw refuse('keys.charter', `the charter asks for the signature of one ${role} at least`)
      }
    }
    const known = this.#byName.get(principal.name)
    if (known !== undefined && known.role !== principal.role) {
      throw refuse('keys.role', 'a principal keeps its role')
    }
    if (action === 'enrol' ? known?.active === true : known?.active !== true) {
      throw refuse('keys.action', `${principal.name} cannot be changed so: ${action}`)
    }
    if (action === 'remove') {
      if (known?.key !== principal.key)
        throw refuse('keys.action', 'another key is removed than the one that counts')
      this.#byName.set(principal.name, { ...principal, active: false })
      return
    }
    this.#enrol(principal, refuse)
  }

  #enrol(principal: Enrolment, refuse: Refuse): void {
    const key = readKey(principal.key)
    // a key that counted once is not taken up again; two keys of one id could not be told apart
    if (this.#keys.has(key.id)) throw refuse('keys.reused', 'a key is enrolled twice')
    this.#keys.set(key.id, key)
    this.#byName.set(principal.name, { ...principal, active: true })
  }
}

import { SluiceError } from '@sluice/core'
import { type KeyChange, type Role, sign } from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import type { ZoneContext } from '../zone/context.js'
import type { Principal } from '../zone/state.js'

/**
 * Who is enrolled. A change of keys takes signatures of every role that the zone's charter names, so that an
 * operator cannot invent a provider: made here and signed by those at hand, or carried from machine to machine as
 * an envelope until it has them all.
 */
export class Principals {
  readonly #zone: ZoneContext

  constructor(zone: ZoneContext) {
    this.#zone = zone
  }

  list(): Principal[] {
    return [...this.#zone.state().principals.values()]
  }

  /** Roles of which at least one principal each has to sign a change of keys. */
  get charter(): readonly Role[] {
    return this.#zone.state().founding.charter.keyChange
  }

  /** Enrols, rotates or removes a key; the signers are those that the charter names. */
  async change(
    change: Pick<KeyChange, 'action' | 'principal'>,
    signers: readonly Signer[],
  ): Promise<Principal> {
    return this.import(await this.propose(change, signers))
  }

  /** The change as an envelope, signed by those at hand; others add theirs with `cosign`. */
  async propose(
    change: Pick<KeyChange, 'action' | 'principal'>,
    signers: readonly Signer[],
  ): Promise<Uint8Array> {
    this.#assertSensible(change)
    const [first, ...others] = signers
    if (!first) throw new SluiceError('USAGE', 'a change of keys begins with one signature at least')
    return (
      await sign({ kind: 'key-change', time: this.#zone.now().toISOString(), ...change }, first, ...others)
    ).bytes
  }

  /**
   * Records a change of keys that everybody needed has signed.
   *
   * @throws SluiceError NOT_APPROVED where a role of the charter has not signed
   */
  async import(envelope: Uint8Array): Promise<Principal> {
    const name = await this.#zone.change(async transaction => {
      const { predicate } = transaction.open(envelope)
      if (predicate.kind !== 'key-change') {
        throw new SluiceError(
          'FILE_FORMAT',
          `this file is a signed ${predicate.kind}, not a change of keys`,
          {
            remedy: 'Import it with the command for that.',
          },
        )
      }
      this.#assertSensible(predicate)
      await transaction.import(envelope)
      return predicate.principal.name
    })
    return this.#zone.state().principals.get(name)!
  }

  #assertSensible({ action, principal }: Pick<KeyChange, 'action' | 'principal'>): void {
    const known = this.#zone.state().principals.get(principal.name)
    if (action === 'enrol' && known) {
      throw new SluiceError('NAME_TAKEN', `"${principal.name}" was enrolled before`, {
        remedy: 'Choose another name, or rotate the key of the enrolled principal.',
      })
    }
    if (action !== 'enrol' && (!known || known.removed)) {
      throw new SluiceError('NAME_UNKNOWN', `"${principal.name}" is not enrolled`, {
        remedy: 'List the principals with `sluice principal list`.',
      })
    }
    if (action === 'rotate' && known?.role !== principal.role) {
      throw new SluiceError('ROLE_DENIED', 'a rotation changes the key, never the role', {
        remedy: `Keep the role ${known?.role ?? ''}, or remove the principal and enrol another.`,
      })
    }
  }
}

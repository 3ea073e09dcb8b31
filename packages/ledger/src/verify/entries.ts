import { SluiceError } from '@sluice/core'
import type { PredicateKind } from '../entries/predicates.js'
import { isSignature, type Key } from './keys.js'
import type { Principal } from './principals.js'
import { Rules } from './rules.js'
import type { ScannedEntry, ScannedSignature } from './scan.js'
import type { TrustedKeys } from './trust.js'

/** Takes scanned entries in their order: whose signatures they need, and whether they may stand where they stand. */
export class Entries {
  readonly #trust: TrustedKeys
  #rules: Rules | undefined

  constructor(trust: TrustedKeys) {
    this.#trust = trust
  }

  /** keys that count or counted */
  get keys(): Iterable<Key> {
    return this.#rules?.principals.keys.values() ?? this.#trust.founders
  }

  get counts(): Readonly<Partial<Record<PredicateKind, number>>> {
    return this.#rules?.counts ?? {}
  }

  get principals(): readonly Principal[] {
    return this.#rules?.principals.all ?? []
  }

  /** @param times of the log's checkpoints by size, in seconds since the epoch */
  take(first: number, entries: readonly ScannedEntry[], times: ReadonlyMap<number, number>): void {
    for (const [i, entry] of entries.entries()) {
      const index = first + i
      if (index === 0) this.#found(entry)
      else this.#apply(index, entry)
      const time = times.get(index + 1)
      if (time !== undefined) this.#rules?.checkpoint(index + 1, time)
    }
  }

  /** The founding is believed because it names exactly the keys that are trusted, and all of them signed it. */
  #found({ predicate, signatures }: ScannedEntry): void {
    const { founders, log, origin } = this.#trust
    const refuse = (reason: string) =>
      new SluiceError('KEY_UNKNOWN', `entry 0 is not the founding that is trusted: ${reason}`, {
        rule: 'founding',
        remedy: 'Compare the trusted keys with those who gave them to you.',
        facts: { entry: 0 },
      })
    if (predicate.kind !== 'founding' && predicate.kind !== 'party-founding') throw refuse('it is none')
    if (predicate.logKey !== log.text || predicate.origin !== origin) throw refuse('it names another log')
    const principals = predicate.kind === 'founding' ? predicate.principals : [predicate.party]
    const named = new Set(principals.map(({ key }) => key))
    if (named.size !== founders.length || founders.some(({ text }) => !named.has(text))) {
      throw refuse('it names other principals')
    }
    const signed = new Set(signatures.map(signature => this.#verified(0, signature, new Map()).keyId))
    if (signed.size !== founders.length) throw refuse('not everybody signed it whom it names')
    this.#rules = new Rules(predicate)
  }

  #apply(index: number, { predicate, signatures }: ScannedEntry): void {
    const rules = this.#rules!
    const signers = signatures.map(signature => {
      const { keyId } = this.#verified(index, signature, rules.principals.keys)
      const principal = rules.principals.withKey(keyId)
      if (principal === undefined) throw unknownKey(index, keyId)
      return principal
    })
    rules.apply(index, predicate, signers)
  }

  /** A key that was enrolled while the entry was being scanned is looked up here. */
  #verified(index: number, signature: ScannedSignature, keys: ReadonlyMap<string, Key>): ScannedSignature {
    let right = signature.verdict === 'right'
    if (signature.verdict === 'unknown') {
      const key = keys.get(signature.keyId)
      if (key === undefined) throw unknownKey(index, signature.keyId)
      right = isSignature(key, signature.message!, signature.signature!)
    }
    if (!right) {
      throw new SluiceError('SIGNATURE_INVALID', `entry ${index}: a signature on it is wrong`, {
        rule: 'entry.signature',
        remedy: 'The entry is not what its signer signed: ask the operator, and the signer.',
        facts: { entry: index, keyId: signature.keyId },
      })
    }
    return signature
  }
}

function unknownKey(index: number, keyId: string): SluiceError {
  return new SluiceError(
    'KEY_UNKNOWN',
    `entry ${index} is signed by ${keyId}, whose key does not count there`,
    {
      rule: 'entry.signer',
      remedy: 'The key was never enrolled, or was rotated or removed before: ask the operator.',
      facts: { entry: index, keyId },
    },
  )
}

import { timingSafeEqual } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import { expandMessage, type Ristretto, sha512 } from './ristretto.js'

/**
 * The oblivious pseudorandom function OPRF(ristretto255, SHA-512) of RFC 9497, mode OPRF (0x00): whoever holds the key
 * evaluates it on an input that it does not see, and whoever has the input learns its value and nothing of the key.
 *
 * Secure against a holder of the key who follows the protocol; one who does not can use another key for each input,
 * which this mode does not show.
 */
export class Oprf {
  readonly #group: Ristretto

  constructor(group: Ristretto) {
    this.#group = group
  }

  /** DeriveKeyPair's secret key (section 3.2.1). @param seed 32 bytes */
  deriveKey(seed: Uint8Array, info: Uint8Array): Uint8Array<ArrayBuffer> {
    for (let counter = 0; counter < 256; counter++) {
      const input = Buffer.concat([seed, length2(info), info, Uint8Array.of(counter)])
      const key = this.#group.reduced(expandMessage(input, domain('DeriveKeyPair'), 64))
      if (!timingSafeEqual(key, new Uint8Array(key.length))) return key
    }
    throw new SluiceError('INTERNAL', 'no key came of this seed')
  }

  /** Blind (section 3.3.1). @returns the blinded element, 32 bytes */
  blind(input: Uint8Array, blind: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#group.multiply(blind, this.#group.hashToGroup(input, domain('HashToGroup-')))
  }

  /** BlindEvaluate (section 3.3.1). @throws SluiceError PROTOCOL_VIOLATION where the element is none, or the identity */
  blindEvaluate(key: Uint8Array, blinded: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#group.multiply(key, blinded)
  }

  /** Finalize (section 3.3.1). @returns 64 bytes */
  finalize(input: Uint8Array, blind: Uint8Array, evaluated: Uint8Array): Uint8Array {
    return this.unblind(input, this.#group.invert(blind), evaluated)
  }

  /** Finalize, for whoever has the blind's inverse. @returns 64 bytes */
  unblind(input: Uint8Array, inverse: Uint8Array, evaluated: Uint8Array): Uint8Array {
    return this.#hashed(input, this.#group.multiply(inverse, evaluated))
  }

  /** Evaluate (section 3.3.1), for whoever holds the key. @returns 64 bytes */
  evaluate(key: Uint8Array, input: Uint8Array): Uint8Array {
    return this.#hashed(input, this.blind(input, key))
  }

  #hashed(input: Uint8Array, element: Uint8Array): Uint8Array {
    return sha512(length2(input), input, length2(element), element, Buffer.from('Finalize'))
  }
}

/** contextString of section 3.1 behind a name */
function domain(name: string): Uint8Array {
  return Buffer.concat([Buffer.from(`${name}OPRFV1-`), Uint8Array.of(0), Buffer.from('-ristretto255-SHA512')])
}

function length2({ length }: Uint8Array): Uint8Array {
  return Uint8Array.of(length >> 8, length & 255)
}

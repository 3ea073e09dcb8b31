import { hash, randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'

/** Bytes of an encoded element, and of a scalar (RFC 9496, section 4.3.1). */
export const POINT_BYTES = 32
export const SCALAR_BYTES = 32

/**
 * The group ristretto255 (RFC 9496) of prime order, by libsodium, whose multiplications take constant time. Elements
 * are their encodings; what does not decode, and the identity, is refused wherever it comes from.
 */
export interface Ristretto {
  /** hash_to_ristretto255 (RFC 9380, appendix B): expand_message_xmd with SHA-512, then RFC 9496, section 4.3.4. */
  hashToGroup(message: Uint8Array, domain: Uint8Array): Uint8Array<ArrayBuffer>
  /** Element derivation (RFC 9496, section 4.3.4): 64 uniform bytes to an element whose logarithm nobody knows. */
  derive(uniform: Uint8Array): Uint8Array<ArrayBuffer>
  /** The generator times a scalar that is not zero. */
  multiplyBase(scalar: Uint8Array): Uint8Array<ArrayBuffer>
  /** @throws SluiceError PROTOCOL_VIOLATION where one of the points is none */
  add(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer>
  /** @throws SluiceError PROTOCOL_VIOLATION where one of the points is none */
  subtract(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer>
  /** @throws SluiceError PROTOCOL_VIOLATION where the point is none, or the result the identity */
  multiply(scalar: Uint8Array, point: Uint8Array): Uint8Array<ArrayBuffer>
  /** Is this an element, and not the identity? */
  has(point: Uint8Array): boolean
  /** a · b + c, of scalars */
  multiplyAdd(a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array<ArrayBuffer>
  /** The inverse of a scalar that is not zero. */
  invert(scalar: Uint8Array): Uint8Array<ArrayBuffer>
  /** Of each of these scalars, none of them zero: one inversion for all (Montgomery 1987, section 10.3.1). */
  invertAll(scalars: readonly Uint8Array[]): Uint8Array<ArrayBuffer>[]
  /** A uniform scalar that is not zero, out of 64 random bytes. */
  randomScalar(random?: (bytes: number) => Uint8Array): Uint8Array<ArrayBuffer>
  /** Any 64 bytes as a scalar, modulo the group's order. */
  reduced(bytes: Uint8Array): Uint8Array<ArrayBuffer>
}

/** The group's order (RFC 9496, section 4). */
const ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n

/** An integer modulo the group's order, 32 bytes little-endian. */
export function scalarOf(value: bigint): Uint8Array<ArrayBuffer> {
  const reduced = ((value % ORDER) + ORDER) % ORDER
  const words = new BigUint64Array(SCALAR_BYTES / 8)
  for (let i = 0; i < words.length; i++) words[i] = BigInt.asUintN(64, reduced >> BigInt(64 * i))
  return new Uint8Array(words.buffer)
}

let loaded: Promise<Ristretto> | undefined

/** The library compiles its WebAssembly first, so that what computes can be synchronous. */
export function loadRistretto(): Promise<Ristretto> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<Ristretto> {
  const { default: sodium } = await import('libsodium-wrappers-sumo')
  await sodium.ready
  const reduced = (bytes: Uint8Array) => new Uint8Array(sodium.crypto_core_ristretto255_scalar_reduce(bytes))
  const group: Ristretto = {
    reduced,
    hashToGroup: (message, domain) =>
      new Uint8Array(sodium.crypto_core_ristretto255_from_hash(expandMessage(message, domain, 64))),
    derive: uniform => new Uint8Array(sodium.crypto_core_ristretto255_from_hash(uniform)),
    multiply: (scalar, point) => onPoints(() => sodium.crypto_scalarmult_ristretto255(scalar, point)),
    multiplyBase: scalar => new Uint8Array(sodium.crypto_scalarmult_ristretto255_base(scalar)),
    add: (a, b) => onPoints(() => sodium.crypto_core_ristretto255_add(a, b)),
    subtract: (a, b) => onPoints(() => sodium.crypto_core_ristretto255_sub(a, b)),
    has: point => point.some(byte => byte !== 0) && sodium.crypto_core_ristretto255_is_valid_point(point),
    multiplyAdd(a, b, c) {
      const product = sodium.crypto_core_ristretto255_scalar_mul(a, b)
      return new Uint8Array(sodium.crypto_core_ristretto255_scalar_add(product, c))
    },
    invert: scalar => new Uint8Array(sodium.crypto_core_ristretto255_scalar_invert(scalar)),
    invertAll(scalars) {
      const product = (a: Uint8Array, b: Uint8Array) =>
        new Uint8Array(sodium.crypto_core_ristretto255_scalar_mul(a, b))
      // before[i] is the product of all before the i-th
      const before = [scalarOf(1n)]
      for (const [i, scalar] of scalars.entries()) before.push(product(before[i]!, scalar))
      let inverse = group.invert(before.at(-1)!)
      const inverses: Uint8Array<ArrayBuffer>[] = []
      for (let i = scalars.length - 1; i >= 0; i--) {
        inverses[i] = product(inverse, before[i]!)
        inverse = product(inverse, scalars[i]!)
      }
      return inverses
    },
    randomScalar(random = randomBytes) {
      for (;;) {
        const scalar = reduced(random(64))
        if (scalar.some(byte => byte !== 0)) return scalar
      }
    },
  }
  return group
}

function onPoints(operation: () => Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(operation())
  } catch {
    throw new SluiceError('PROTOCOL_VIOLATION', 'a point that was received is none of the group', {
      rule: 'psi.point',
      remedy: 'Ask the other party which version runs there, then start the job again on both sides.',
    })
  }
}

const [BLOCK, OUTPUT] = [128, 64]

/**
 * expand_message_xmd with SHA-512 (RFC 9380, section 5.3.1).
 *
 * @param domain at most 255 bytes
 */
export function expandMessage(
  message: Uint8Array,
  domain: Uint8Array,
  length: number,
): Uint8Array<ArrayBuffer> {
  const suffix = Buffer.concat([domain, Uint8Array.of(domain.length)])
  const size = Uint8Array.of(length >> 8, length & 255, 0)
  const first = sha512(new Uint8Array(BLOCK), message, size, suffix)
  const blocks: Uint8Array[] = []
  let previous: Uint8Array = new Uint8Array(OUTPUT)
  for (let i = 1; i <= Math.ceil(length / OUTPUT); i++) {
    previous = sha512(
      previous.map((byte, k) => byte ^ first[k]!),
      Uint8Array.of(i),
      suffix,
    )
    blocks.push(previous)
  }
  return new Uint8Array(Buffer.concat(blocks).subarray(0, length))
}

export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return hash('sha512', Buffer.concat(parts), 'buffer')
}

import { SluiceError } from '@sluice/core'

/** Bytes of one coordinate as kernels have it: nine limbs of 29 bits in eight bytes each. */
export const COORDINATE_BYTES = 72
const LIMBS = 9
const LIMB_BITS = 29

/** A point of Curve25519 (RFC 7748, section 4.1), not the identity. */
export interface Coordinates {
  readonly u: bigint
  readonly v: bigint
}

export interface Point {
  readonly X: bigint
  readonly Y: bigint
  readonly Z: bigint
}

/** Points as the search for a logarithm has them: public, or the searcher's own. Nothing takes constant time. */
export interface Curve {
  /** four times the generator */
  readonly base: Point
  /** Four times an element, which all its representatives have in common. @throws SluiceError PROTOCOL_VIOLATION */
  decode(element: Uint8Array): Point
  plus(a: Point, b: Point): Point
  multiple(point: Point, factor: number): Point
  /** One inversion for all of them; undefined for the identity. */
  coordinates(points: readonly Point[]): (Coordinates | undefined)[]
  encode(coordinates: Coordinates): Uint8Array
}

let loaded: Promise<Curve> | undefined

export function loadCurve(): Promise<Curve> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<Curve> {
  const { ed25519, ristretto255 } = await import('@noble/curves/ed25519.js')
  const { Point } = ed25519
  type Inner = InstanceType<typeof Point>
  const { Fp } = Point
  const root = Fp.sqrt(Fp.create(-486_664n))
  const fourTimes = (point: Inner): Inner => point.double().double()
  return {
    base: fourTimes(Point.BASE),
    decode(element) {
      try {
        return fourTimes(Point.fromAffine(ristretto255.Point.fromBytes(element).toAffine()))
      } catch {
        throw new SluiceError('PROTOCOL_VIOLATION', 'a point that was received is none of the group', {
          rule: 'psi.point',
          remedy: 'Ask the other party which version runs there, then start the job again on both sides.',
        })
      }
    },
    plus: (a, b) => (a as Inner).add(b as Inner),
    multiple(point, factor) {
      const positive = (point as Inner).multiplyUnsafe(BigInt(Math.abs(factor)))
      return factor < 0 ? positive.negate() : positive
    },
    coordinates(points) {
      const there = points.filter(({ X }) => X !== 0n)
      const inverses = Fp.invertBatch(there.map(({ X, Y, Z }) => Fp.mul(X, Fp.sub(Z, Y))))
      let next = 0
      return points.map(({ X, Y, Z }) => {
        if (X === 0n) return undefined
        const scaled = Fp.mul(Fp.add(Z, Y), inverses[next++]!)
        // (1 + y) / (1 − y), and √−486664 · u / x
        return { u: Fp.mul(scaled, X), v: Fp.mul(root, Fp.mul(scaled, Z)) }
      })
    },
    encode({ u, v }) {
      const limbs = new BigUint64Array(2 * LIMBS)
      for (let i = 0; i < LIMBS; i++) {
        const shift = BigInt(LIMB_BITS * i)
        limbs[i] = BigInt.asUintN(LIMB_BITS, u >> shift)
        limbs[LIMBS + i] = BigInt.asUintN(LIMB_BITS, v >> shift)
      }
      return new Uint8Array(limbs.buffer)
    },
  }
}

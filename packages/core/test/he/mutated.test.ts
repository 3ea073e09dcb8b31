import { isSluiceError } from '@sluice/core'
import { aggregationDigest, ciphertextBytes, memorySource, parameterSet, shapeOf } from '@sluice/core/he'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  auditOf,
  begin,
  contribution,
  DISTRICTS,
  INLINE,
  inputs,
  type Lanes,
  opened,
  type Round,
  resigned,
  sumOf,
} from './fixture.ts'

/** As the command line runs them: what takes too long is ENGINE_KILLED. */
const THREAD = { threads: 1, patience: 20_000 }

let round: Round
let contributions: Uint8Array[]
let sum: Uint8Array
let audited: Uint8Array
let layout: { statement: number; signature: number; digests: number; body: number; one: number }

beforeAll(async () => {
  // totals of three programmes fit the small set, where a ciphertext has 32 KiB
  round = await begin(undefined, { columns: { amount: { minimum: '0', maximum: '1000' } } })
  contributions = []
  for (const district of DISTRICTS.slice(0, 3)) {
    contributions.push(await contribution(round, district, [[1, 2, 3].map(value => Float64Array.of(value))]))
  }
  sum = await sumOf(round, contributions)
  audited = await auditOf(round, sum, contributions)
  const { ciphertexts, ciphertextBytes: one } = shapeOf(round.aggregation)
  const signature = 12 + Buffer.from(contributions[0]!).readUInt32LE(8)
  layout = { statement: 12, signature, digests: signature + 64, body: signature + 64 + 32 * ciphertexts, one }
})

type Mutation = (bytes: Uint8Array) => Uint8Array

const place = (bytes: Uint8Array, at: number) => Math.min(bytes.length - 1, Math.floor(at * bytes.length))

/** Bytes that somebody on the way changed: no signature covers them any more. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), bit: fc.nat(7) }).map(flip),
  },
  // the head, where lengths stand, more often than its share
  {
    weight: 3,
    arbitrary: fc.record({ at: fc.double({ min: 0, max: 0.004, noNaN: true }), bit: fc.nat(7) }).map(flip),
  },
  {
    weight: 2,
    arbitrary: fc
      .double({ min: 0, max: 1, noNaN: true })
      .map(at => (bytes: Uint8Array) => bytes.slice(0, place(bytes, at))),
  },
  {
    weight: 1,
    arbitrary: fc
      .nat(64)
      .map(more => (bytes: Uint8Array) => Buffer.concat([bytes, new Uint8Array(more + 1)])),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.integer({ min: 1, max: 4096 }) })
      .map(
        ({ at, cut }) =>
          (bytes: Uint8Array) =>
            Buffer.concat([bytes.subarray(0, place(bytes, at)), bytes.subarray(place(bytes, at) + cut)]),
      ),
  },
)

function flip({ at, bit }: { at: number; bit: number }): Mutation {
  return bytes => {
    const changed = bytes.slice()
    changed[place(bytes, at)]! ^= 1 << bit
    return changed
  }
}

/** Residues of the primes, which have 32 bits, and others. */
const word = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 20n) - 1n }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
)

/** What it gives, or the code that it was refused with. */
async function outcome<T>(action: () => Promise<T>): Promise<T | string> {
  try {
    return await action()
  } catch (error) {
    if (isSluiceError(error)) return error.code
    throw error
  }
}

async function refusal(action: () => Promise<unknown>): Promise<string> {
  try {
    await action()
  } catch (error) {
    if (isSluiceError(error) && error.code !== 'INTERNAL') return error.code
    throw error
  }
  throw new Error('it was accepted')
}

type Target = 'contribution' | 'sum' | 'audit'
const target = fc.constantFrom<Target>('contribution', 'sum', 'audit')

/** Whoever reads the file next gets it changed. */
function given(what: Target, change: Mutation, lanes: Lanes = INLINE): Promise<unknown> {
  switch (what) {
    case 'contribution':
      return sumOf(round, [change(contributions[0]!), ...contributions.slice(1)], lanes)
    case 'sum':
      return opened(round, inputs(round, change(sum), audited), lanes)
    case 'audit':
      return opened(round, inputs(round, sum, change(audited)), lanes)
  }
}

describe('bytes that were changed on their way', () => {
  it('are refused with a code, whatever was changed, and memory stays bounded', async () => {
    const before = process.memoryUsage().rss
    const codes = new Map<string, number>()
    const check = async (what: Target, change: Mutation) => {
      const code = await refusal(() => given(what, change))
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    // chance, which the keys' and digests' bytes have a part in, may not meet this one
    const named = Buffer.from(contributions[0]!).indexOf(aggregationDigest(round.aggregation))
    await check('contribution', bytes => bytes.with(named, bytes[named] === 0x30 ? 0x31 : 0x30))
    await fc.assert(fc.asyncProperty(target, mutation, check), { numRuns: 10_000, seed: 11 })
    // a flipped letter of a name or of a digest's hexadecimal is another name, another aggregation
    expect([...codes.keys()].sort()).toEqual([
      'APPROVAL_MISMATCH',
      'FILE_FORMAT',
      'FINGERPRINT_MISMATCH',
      'KEY_UNKNOWN',
      'SIGNATURE_INVALID',
    ])
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20)
  })

  it('are refused with the same code on a thread, which neither hangs nor ends', async () => {
    const check = async (what: Target, change: Mutation) => {
      expect(await refusal(() => given(what, change, THREAD))).toBe(await refusal(() => given(what, change)))
    }
    await fc.assert(fc.asyncProperty(target, mutation, check), { numRuns: 300, seed: 14 })
  })
})

describe('ciphertexts that a contributor made to harm, and signed', () => {
  /** The first ciphertext changed, digests and statement made to match. */
  const hostile = async (change: (ciphertext: Buffer) => void) => {
    const bytes = Buffer.from(contributions[0]!)
    change(bytes.subarray(layout.body, layout.body + layout.one))
    const { createHash } = await import('node:crypto')
    const sha256 = (part: Uint8Array) => createHash('sha256').update(part).digest()
    sha256(bytes.subarray(layout.body, layout.body + layout.one)).copy(bytes, layout.digests)
    const ciphertexts = sha256(bytes.subarray(layout.digests, layout.body)).toString('hex')
    return resigned(bytes, DISTRICTS[0]!, { ciphertexts })
  }
  const added = async (change: (ciphertext: Buffer) => void) =>
    sumOf(round, [await hostile(change), ...contributions.slice(1)])

  it('are refused by name where their form is not that of the parameters', async () => {
    const check = async (at: number, bit: number) => {
      await expect(added(bytes => void bytes.writeUInt8(bytes[at]! ^ (1 << bit), at))).toThrowWithCode(
        'FILE_FORMAT',
        'he.ciphertext',
      )
    }
    // every bit of the 113 bytes before the coefficients: version, compression, sizes, parameters, NTT form, scale
    for (let at = 0; at < 113; at++) await check(at, at % 8)
    await fc.assert(fc.asyncProperty(fc.nat(112), fc.nat(7), check), { numRuns: 300, seed: 12 })
  })

  it('are refused where a coefficient is no residue of its prime', async () => {
    const set = parameterSet(round.aggregation.parameters)
    const count = (ciphertextBytes(set) - 113) / 8
    const check = async (index: number, above: bigint) => {
      const value = set.coefficientPrimes[0]! + above
      await expect(added(bytes => void bytes.writeBigUInt64LE(value, 113 + 8 * index))).toThrowWithCode(
        'FILE_FORMAT',
        'he.ciphertext',
      )
    }
    const most = (1n << 64n) - 1n - set.coefficientPrimes[0]!
    await fc.assert(fc.asyncProperty(fc.nat(count - 1), fc.bigInt({ min: 0n, max: most }), check), {
      numRuns: 200,
      seed: 13,
    })
  })

  it('are added or refused on a thread, and their sum opened or refused, and no thread hangs or ends', async () => {
    let accepted = 0
    const check = async (at: number, word: bigint) => {
      const changed = await hostile(bytes => void bytes.writeBigUInt64LE(word, at))
      const files = [changed, ...contributions.slice(1)]
      const inline = await outcome(() => sumOf(round, files))
      const added = await outcome(() => sumOf(round, files, THREAD))
      if (typeof added === 'string' || typeof inline === 'string') {
        expect([added, inline]).toEqual(['FILE_FORMAT', 'FILE_FORMAT'])
        return
      }
      expect(Buffer.compare(added, inline)).toBe(0)
      accepted++
      const again = await auditOf(round, added, files)
      const total = await outcome(() => opened(round, inputs(round, added, again), THREAD))
      if (typeof total === 'string') expect(total).toBe('DISCLOSURE_REFUSED')
    }
    await fc.assert(fc.asyncProperty(fc.nat(layout.one - 8), word, check), { numRuns: 24, seed: 15 })
    // both ways are met
    expect(accepted).toBeGreaterThan(3)
    expect(accepted).toBeLessThan(21)
  })

  it('all zeros, and a ciphertext without its second half, do not add up to an open total', async () => {
    await expect(added(bytes => void bytes.fill(0))).toThrowWithCode('FILE_FORMAT', 'he.ciphertext')
    // a transparent sum, which anybody can read, is refused by SEAL
    const transparent = async (file: Uint8Array, signer: number) => {
      const bytes = Buffer.from(file)
      for (let at = layout.body; at < bytes.length; at += layout.one) {
        bytes.fill(0, at + 113 + (layout.one - 113) / 2, at + layout.one)
      }
      const { createHash } = await import('node:crypto')
      const sha256 = (part: Uint8Array) => createHash('sha256').update(part).digest()
      for (let at = layout.body, index = 0; at < bytes.length; at += layout.one, index++) {
        sha256(bytes.subarray(at, at + layout.one)).copy(bytes, layout.digests + 32 * index)
      }
      const ciphertexts = sha256(bytes.subarray(layout.digests, layout.body)).toString('hex')
      return resigned(bytes, DISTRICTS[signer]!, { ciphertexts })
    }
    const files = await Promise.all(contributions.map(transparent))
    await expect(sumOf(round, files)).toThrowWithCode('FILE_FORMAT', 'he.ciphertext')
  })

  it('of other parameters are refused', async () => {
    const wide = await begin()
    expect(wide.aggregation.parameters).not.toBe(round.aggregation.parameters)
    const other = await contribution(wide, DISTRICTS[0]!, [[1, 2, 3].map(value => Float64Array.of(value))])
    const { aggregationDigest } = await import('@sluice/core/he')
    const digest = aggregationDigest(round.aggregation)
    const named = await resigned(other, DISTRICTS[0]!, { aggregation: digest })
    expect(await refusal(() => sumOf(round, [named, ...contributions.slice(1)]))).toBe('FILE_FORMAT')
    const claimed = await resigned(other, DISTRICTS[0]!, {
      aggregation: digest,
      parameters: round.aggregation.parameters,
    })
    expect(await refusal(() => sumOf(round, [claimed, ...contributions.slice(1)]))).toBe('FILE_FORMAT')
  })
})

describe('a source that lies about its size', () => {
  it('is refused before it is read', async () => {
    let read = 0
    const huge = { ...memorySource('huge', contributions[0]!), size: 2 ** 52 }
    const counted = {
      ...huge,
      read: (offset: number, length: number) => {
        read += length
        return huge.read(offset, length)
      },
    }
    const { add, MemorySink } = await import('@sluice/core/he')
    const { ADDER, verifySignature } = await import('./fixture.ts')
    const input = { contributions: [counted], signer: ADDER, verify: verifySignature }
    await expect(add(round.aggregation, input, new MemorySink(), { threads: 0 })).toThrowWithCode(
      'FILE_FORMAT',
    )
    expect(read).toBeLessThan(65_536)
  })
})

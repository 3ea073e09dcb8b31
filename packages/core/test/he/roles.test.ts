import { checkDisclosure } from '@sluice/core/disclosure'
import { openCheckedResult } from '@sluice/core/disclosure/open'
import {
  type Aggregation,
  add,
  aggregationBytes,
  aggregationDigest,
  audit,
  contribute,
  HeExecutor,
  MemorySink,
  memorySource,
  parseAggregation,
  shapeOf,
} from '@sluice/core/he'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  ADDER,
  AUDITOR,
  approvedFor,
  auditOf,
  begin,
  contribution,
  DISTRICTS,
  INLINE,
  inputs,
  opened,
  person,
  type Round,
  resigned,
  rowsOf,
  sources,
  sumOf,
  verifySignature,
} from './fixture.ts'

/** Components in the layout's order: the sum, the rows that have an amount, the rows. */
const cellsOf = (district: number) => [
  [Float64Array.of(100 * district, 7, 0), Float64Array.of(2, 1, 0), Float64Array.of(2, 1, 0)],
]

let round: Round
let other: Round
let contributions: Uint8Array[]
let sum: Uint8Array
let audited: Uint8Array

beforeAll(async () => {
  round = await begin()
  other = await begin()
  contributions = []
  for (const [index, district] of DISTRICTS.entries()) {
    contributions.push(await contribution(round, district, cellsOf(index)))
  }
  sum = await sumOf(round, contributions)
  audited = await auditOf(round, sum, contributions)
})

describe('an aggregation', () => {
  it('opens the totals of all contributors; a group without rows is not there', async () => {
    expect(shapeOf(round.aggregation)).toMatchObject({ components: 3, slots: 3, blocks: 1, ciphertexts: 3 })
    const table = await opened(round, inputs(round, sum, audited))
    expect(rowsOf(table).map(row => [row['programme'], String(row['total']), row['grants']])).toEqual([
      ['housing', '6600', 24n],
      ['farming', '84', 12n],
    ])
  })

  it('is the same on threads, byte for byte where it is deterministic', async () => {
    const threaded = await contribution(round, DISTRICTS[0]!, cellsOf(0), { threads: 2 })
    expect(threaded.length).toBe(contributions[0]!.length)
    expect(await sumOf(round, contributions, { threads: 2 })).toEqual(sum)
    expect((await opened(round, inputs(round, sum, audited), { threads: 2 })).numRows).toBe(2)
  })

  it('gives the same sum in whatever order the files come', async () => {
    expect(await sumOf(round, [...contributions].reverse())).toEqual(sum)
  })

  it.each([0, 1])('reports progress to its end, on %i threads', async threads => {
    const fractions: number[] = []
    await contribution(round, DISTRICTS[0]!, cellsOf(0), {
      threads,
      onProgress: ({ fraction }: { fraction?: number }) => fractions.push(fraction ?? Number.NaN),
    })
    expect(fractions.at(-1)).toBe(1)
  })

  it('can be cancelled', async () => {
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    await expect(contribution(round, DISTRICTS[0]!, cellsOf(0), { signal: stop.signal })).rejects.toThrow(
      'enough',
    )
    const later = new AbortController()
    const running = sumOf(round, contributions, { threads: 2, signal: later.signal })
    later.abort(new Error('later'))
    await expect(running).rejects.toThrow('later')
  })

  it('throws away a thread that does not answer', async () => {
    await expect(sumOf(round, contributions, { threads: 1, patience: 0.01 })).toThrowWithCode(
      'ENGINE_KILLED',
      'he.thread',
    )
  })

  it('opens on threads that were ready before, which end by themselves where nobody takes them', async () => {
    const executor = new HeExecutor({ threads: 1 })
    executor.prepare(round.aggregation)
    const raw = await executor.execute(approvedFor(round), inputs(round, sum, audited))
    expect(openCheckedResult(await checkDisclosure(raw)).table.numRows).toBe(2)
    const unused = new HeExecutor({ threads: 1 })
    unused.prepare(round.aggregation)
    await unused.close()
  })

  it('reads itself back, and no other encoding of itself', async () => {
    const bytes = aggregationBytes(round.aggregation)
    expect(parseAggregation(bytes)).toEqual(round.aggregation)
    const loose = new TextEncoder().encode(`${new TextDecoder().decode(bytes)} `)
    await expect(() => parseAggregation(loose)).toThrowWithCode('FILE_FORMAT', 'he.aggregation')
    const more = new TextEncoder().encode(
      JSON.stringify({ ...JSON.parse(new TextDecoder().decode(bytes)), x: 1 }),
    )
    await expect(() => parseAggregation(more)).toThrowWithCode('FILE_FORMAT', 'he.aggregation')
  })

  it.each<[string, Partial<Aggregation>, string]>([
    ['two contributors', { contributors: DISTRICTS.slice(0, 2).map(({ party }) => party) }, 'he.aggregation'],
    [
      'a contributor twice',
      { contributors: [...DISTRICTS, DISTRICTS[0]!].map(({ party }) => party) },
      'he.parties',
    ],
    ['an adder who audits', { auditor: { ...ADDER.party, name: 'x' } }, 'he.parties'],
    ['a key holder who adds', { keyHolder: ADDER.party }, 'he.parties'],
    ['a minimum that cannot be reached', { minimumContributors: 13 }, 'he.parties'],
    ['a group twice', { groups: { kind: 'list', keys: [['a'], ['a']] } }, 'he.groups'],
    ['a group of two keys', { groups: { kind: 'list', keys: [['a', 'b']] } }, 'he.groups'],
    ['more rows than its parameters hold', { rowsPerGroup: 1e12 }, 'he.range'],
  ])('with %s is refused', async (_, change, rule) => {
    const bytes = aggregationBytes({ ...round.aggregation, ...change })
    const code = rule === 'he.aggregation' ? 'FILE_FORMAT' : 'PARAMETER_INVALID'
    await expect(() => parseAggregation(bytes)).toThrowWithCode(code, rule)
  })
})

describe('a contributor', () => {
  const { aggregation, publicKey } = {
    aggregation: () => round.aggregation,
    publicKey: () => round.publicKey,
  }
  const give = (cells: Parameters<typeof contribution>[2], signer = DISTRICTS[0]!, key = publicKey()) =>
    contribute(aggregation(), { publicKey: key, signer, cells }, new MemorySink(), INLINE)

  it('has to be named, with this key', async () => {
    await expect(give(cellsOf(0), person('stranger'))).toThrowWithCode('KEY_UNKNOWN', 'he.contributor')
    await expect(give(cellsOf(0), person('district-1'))).toThrowWithCode('KEY_UNKNOWN', 'he.contributor')
  })

  it('encrypts under no other public key', async () => {
    await expect(give(cellsOf(0), DISTRICTS[0], other.publicKey)).toThrowWithCode(
      'KEY_INVALID',
      'he.public-key',
    )
  })

  it('encodes values up to the declared bound and none past it', async () => {
    const most = 1_000_000 * 1000
    await give([[Float64Array.of(most), Float64Array.of(1000), Float64Array.of(1)]])
    await give([[Float64Array.of(-most), Float64Array.of(1000), Float64Array.of(1)]])
    for (const values of [
      [most + 1, 1, 1],
      [-most - 1, 1, 1],
      [1, 1001, 1],
      [0.5, 1, 1],
      [Number.NaN, 1, 1],
    ]) {
      const run = values.map(value => Float64Array.of(value))
      await expect(give([run])).toThrowWithCode('PARAMETER_INVALID', 'he.range')
    }
    const past = [[BigInt(most) + 1n], [1n], [1n]]
    await expect(give([past])).toThrowWithCode('PARAMETER_INVALID', 'he.range')
  })

  it('gives as many lists and slots as there are', async () => {
    await expect(give([[Float64Array.of(1)]])).toThrowWithCode('PARAMETER_INVALID', 'he.cells')
    const long = [new Float64Array(4), new Float64Array(4), new Float64Array(4)]
    await expect(give([long])).toThrowWithCode('PARAMETER_INVALID', 'he.cells')
  })
})

describe('the adder', () => {
  it('refuses a double, a stranger, a foreign key and too few', async () => {
    await expect(sumOf(round, [...contributions, contributions[3]!])).toThrowWithCode(
      'APPROVAL_DUPLICATE',
      'he.double',
    )
    await expect(sumOf(round, contributions.slice(0, 2))).toThrowWithCode(
      'DISCLOSURE_REFUSED',
      'he.minimum-contributors',
    )
    const forged = await resigned(contributions[0]!, person('district-1'))
    await expect(sumOf(round, [forged, ...contributions.slice(1)])).toThrowWithCode(
      'SIGNATURE_INVALID',
      'he.signature',
    )
    const stranger = await resigned(contributions[0]!, person('stranger'), { contributor: 'stranger' })
    await expect(sumOf(round, [stranger, ...contributions.slice(1)])).toThrowWithCode(
      'KEY_UNKNOWN',
      'he.contributor',
    )
    const borrowed = await resigned(contributions[1]!, DISTRICTS[1]!, { contributor: 'district-1' })
    await expect(sumOf(round, [borrowed, ...contributions.slice(1)])).toThrowWithCode(
      'SIGNATURE_INVALID',
      'he.signature',
    )
  })

  it('refuses a contribution to another aggregation', async () => {
    const replayed = await contribution(other, DISTRICTS[0]!, cellsOf(0))
    await expect(sumOf(round, [replayed, ...contributions.slice(1)])).toThrowWithCode(
      'APPROVAL_MISMATCH',
      'he.aggregation',
    )
  })

  it('is the one that the aggregation names', async () => {
    const input = { contributions: sources(contributions), signer: AUDITOR, verify: verifySignature }
    await expect(add(round.aggregation, input, new MemorySink(), INLINE)).toThrowWithCode(
      'ROLE_DENIED',
      'he.role',
    )
  })
})

describe('the auditor', () => {
  it('refuses a sum that leaves one out or has another in', async () => {
    await expect(auditOf(round, sum, contributions.slice(1))).toThrowWithCode('PROOF_INVALID', 'he.audit')
    const again = await contribution(round, DISTRICTS[0]!, cellsOf(5))
    await expect(auditOf(round, sum, [again, ...contributions.slice(1)])).toThrowWithCode(
      'PROOF_INVALID',
      'he.audit',
    )
  })

  it('is the one that the aggregation names', async () => {
    const input = {
      sum: memorySource('sum', sum),
      contributions: sources(contributions),
      signer: ADDER,
      verify: verifySignature,
    }
    await expect(audit(round.aggregation, input, INLINE)).toThrowWithCode('ROLE_DENIED', 'he.role')
  })
})

describe('the key holder', () => {
  it('opens nothing that was not audited', async () => {
    await expect(opened(round, inputs(round, sum, null))).toThrowWithCode('NOT_APPROVED', 'he.audit')
    const part = await sumOf(round, contributions.slice(0, 5))
    await expect(opened(round, inputs(round, part, audited))).toThrowWithCode('PROOF_INVALID', 'he.audit')
  })

  it('opens nothing but the approved aggregation', async () => {
    const given = inputs(round, sum, audited)
    await expect(opened(other, given)).toThrowWithCode('APPROVAL_MISMATCH', 'he.approved')
    const renamed = aggregationBytes({ ...round.aggregation, rowsPerGroup: 999 })
    await expect(opened(round, { ...given, request: renamed })).toThrowWithCode(
      'APPROVAL_MISMATCH',
      'he.approved',
    )
  })

  it('opens no contribution', async () => {
    await expect(opened(round, inputs(round, contributions[0]!, audited))).toThrowWithCode('FILE_FORMAT')
  })

  it('needs the key of this aggregation', async () => {
    const given = { ...inputs(round, sum, audited), secretKey: round.secretKey.subarray(8) }
    await expect(opened(round, given)).toThrowWithCode('KEY_INVALID', 'he.key')
  })

  it('decrypts only what it may claim', async () => {
    const claim = async () => {
      throw new Error('another sum was opened with this key')
    }
    await expect(opened(round, { ...inputs(round, sum, audited), claim })).rejects.toThrow('another sum')
  })

  it('does not release a total that honest contributors could not have made', async () => {
    // under the same key, encoded to a wider bound, then declared to be of this aggregation
    const wide = { ...round.aggregation, rowsPerGroup: 100_000 }
    const far = [[Float64Array.of(0), Float64Array.of(20_000), Float64Array.of(20_000)]]
    const made = await contribution({ ...round, aggregation: wide }, DISTRICTS[0]!, far)
    const digest = aggregationDigest(round.aggregation)
    const falsified = await resigned(made, DISTRICTS[0]!, { aggregation: digest })
    const all = [falsified, ...contributions.slice(1)]
    const falseSum = await sumOf(round, all)
    const given = inputs(round, falseSum, await auditOf(round, falseSum, all))
    await expect(opened(round, given)).toThrowWithCode('DISCLOSURE_REFUSED', 'he.total')
  })
})

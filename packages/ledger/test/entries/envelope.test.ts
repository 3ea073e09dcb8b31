import { canonicalBytes, canonicalDigest } from '@sluice/core'
import {
  cosign,
  Envelope,
  merge,
  openEnvelope,
  type Predicate,
  parsePredicate,
  type Run,
  sign,
  statement,
  verifyEnvelope,
} from '@sluice/ledger'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestOf, examples, founders, people, person } from '../people.js'

const kinds = Object.values(examples)
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test.each(kinds.map(each => [each.kind, each] as const))(
  'a %s survives the envelope',
  async (_, predicate) => {
    const envelope = await sign(predicate, people.operator)
    const opened = openEnvelope(envelope.bytes)
    expect(opened.predicate).toEqual(predicate)
    expect(opened.bytes).toEqual(envelope.bytes)
    expect(verifyEnvelope(opened, [people.operator.publicKey]).map(key => key.name)).toEqual(['operator'])
    const outer = JSON.parse(text(envelope.bytes))
    expect(outer.payloadType).toBe('application/vnd.in-toto+json')
    const inner = JSON.parse(Buffer.from(outer.payload, 'base64').toString())
    expect(inner).toEqual(statement(predicate))
    expect(inner.predicateType).toBe(`urn:sluice:predicate:${predicate.kind}:v1`)
    expect(inner.subject[0].digest.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(text(canonicalBytes(outer))).toBe(text(envelope.bytes))
  },
)

test.each(kinds.map(each => [each.kind, each] as const))(
  'a %s with a key too many is refused',
  async (_, predicate) => {
    await expect(() => parsePredicate({ ...predicate, more: 1 })).toThrowWithCode('SCHEMA_INVALID')
    for (const key of Object.keys(predicate)) {
      const { [key]: _gone, ...rest } = predicate as unknown as Record<string, unknown>
      await expect(() => parsePredicate(rest)).toThrowWithCode('SCHEMA_INVALID')
    }
  },
)

const TABLE = { name: 'towns.csv', file: '0e37df36.parquet', fingerprint: digestOf('table') }
test('a registration and a change of policy can name tables', async () => {
  for (const example of [examples.registration, examples['policy-change']]) {
    const predicate = { ...example, tables: [TABLE], desensitized: 'stated' }
    expect(parsePredicate(predicate)).toEqual(predicate)
  }
})

const invalid: [string, unknown][] = [
  ['another word for what is stated', { ...examples.registration, desensitized: 'yes' }],
  ['two tables of one name', { ...examples.registration, tables: [TABLE, TABLE] }],
  ['a table elsewhere', { ...examples.registration, tables: [{ ...TABLE, file: '/etc/passwd' }] }],
  ['a day that does not exist', { ...examples.retirement, time: '2026-02-30T00:00:00.000Z' }],
  ['a time without milliseconds', { ...examples.retirement, time: '2026-02-03T00:00:00Z' }],
  ['a local time', { ...examples.retirement, time: '2026-02-03T00:00:00.000+08:00' }],
  ['an upper-case digest', { ...examples.request, requestDigest: digestOf('x').toUpperCase() }],
  ['a path that climbs', { ...examples.registration, file: '../zone/log.key' }],
  ['an absolute path', { ...examples.registration, file: '/etc/passwd' }],
  ['a name with a bidirectional character', { ...examples.retirement, dataset: 'a\u202eb' }],
  ['a request under the digest of another', { ...examples.request, requestDigest: digestOf('other') }],
  ['a policy under the digest of another', { ...examples.registration, policyDigest: digestOf('other') }],
  ['a negative count', { ...examples.approval, maxRuns: 0 }],
  ['a fraction', { ...examples.approval, maxRuns: 1.5 }],
  [
    'a founding without an auditor',
    {
      ...examples.founding,
      principals: examples.founding.principals.filter(({ role }) => role !== 'auditor'),
    },
  ],
  [
    'a founding with one key twice',
    {
      ...examples.founding,
      principals: [...examples.founding.principals, examples.founding.principals[0]],
    },
  ],
  [
    'a key under another name',
    {
      ...examples['key-change'],
      principal: { ...examples['key-change'].principal, name: 'other' },
    },
  ],
  ['a run twice on one approval', { ...examples.run, approvals: [3, 3] }],
  ['an unpaired surrogate', { ...examples.rejection, reason: '\ud800' }],
  ['JSON without end', { ...examples.request, request: nested(40) }],
  ['an unknown kind', { kind: 'party', time: examples.run.time }],
  ['null', null],
]

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)]
}

test.each(invalid)('refused: %s', async (_, predicate) => {
  await expect(() => parsePredicate(predicate)).toThrowWithCode('SCHEMA_INVALID')
  await expect(sign(predicate as Predicate, people.operator)).toThrowWithCode('SCHEMA_INVALID')
})

test('several sign, in any order and anywhere, and the bytes are the same', async () => {
  const [first, ...rest] = founders
  const together = await sign(examples.founding, first!, ...rest)
  let travelled = await sign(examples.founding, founders[4]!)
  for (const signer of founders.slice(0, 4)) travelled = await cosign(openEnvelope(travelled.bytes), signer)
  expect(travelled.bytes).toEqual(together.bytes)
  const left = await sign(examples.founding, founders[0]!, founders[1]!, founders[2]!)
  const right = await sign(examples.founding, founders[3]!, founders[4]!, founders[0]!)
  expect(merge(left, right).bytes).toEqual(together.bytes)
  await expect(cosign(together, founders[0]!)).toThrowWithCode('EXISTS')
  await expect(async () => merge(left, await sign(examples.run, founders[3]!))).toThrowWithCode(
    'SIGNATURE_INVALID',
  )
  expect(
    verifyEnvelope(
      together,
      founders.map(each => each.publicKey),
    ),
  ).toHaveLength(5)
})

test('a signature by a stranger, by a namesake or over something else is refused', async () => {
  const envelope = await sign(examples.run, people.operator)
  await expect(() => verifyEnvelope(envelope, [people.bank.publicKey])).toThrowWithCode('KEY_UNKNOWN')
  await expect(() => verifyEnvelope(envelope, [person('operator', 'other').publicKey])).toThrowWithCode(
    'KEY_UNKNOWN',
  )
  const forged = await sign(examples.run, { ...person('operator', 'other'), keyId: people.operator.keyId })
  await expect(() => verifyEnvelope(forged, [people.operator.publicKey])).toThrowWithCode('SIGNATURE_INVALID')
})

test('a changed byte does not open, or does not verify', async () => {
  const { bytes } = await sign(examples.approval, people.bureau)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = Uint8Array.from(bytes)
      changed[at]! ^= mask
      expect(() => verifyEnvelope(openEnvelope(changed), [people.bureau.publicKey])).toThrow()
    }),
    { numRuns: 500 },
  )
})

test('other spellings of one envelope are refused', async () => {
  const { bytes } = await sign(examples.run, people.operator)
  const outer = JSON.parse(text(bytes))
  const spellings = [
    `${text(bytes)}\n`,
    ` ${text(bytes)}`,
    `\ufeff${text(bytes)}`,
    JSON.stringify({ payloadType: outer.payloadType, payload: outer.payload, signatures: outer.signatures }),
    JSON.stringify({ ...outer, more: 1 }),
    JSON.stringify({ ...outer, signatures: [] }),
    JSON.stringify({ ...outer, signatures: [outer.signatures[0], outer.signatures[0]] }),
    JSON.stringify({ ...outer, signatures: [{ ...outer.signatures[0], sig: 'AAAA' }] }),
    JSON.stringify({
      ...outer,
      payload: outer.payload.replace(/=*$/, '') + (outer.payload.endsWith('=') ? '' : '='),
    }),
    JSON.stringify({
      ...outer,
      payload: Buffer.from(` ${Buffer.from(outer.payload, 'base64')}`).toString('base64'),
    }),
    '[]',
    'null',
    '',
  ]
  for (const spelling of spellings) {
    await expect(() => openEnvelope(Buffer.from(spelling))).toThrowWithCode(
      spelling.includes(`[${JSON.stringify(outer.signatures[0])},`) ? 'EXISTS' : 'SCHEMA_INVALID',
    )
  }
})

test('an entry has at most 65,535 bytes', async () => {
  const long = (characters: number) => {
    const request = 'x'.repeat(characters)
    return { ...examples.request, request, requestDigest: canonicalDigest(request) }
  }
  await expect(sign(long(49_000), people.bank)).toThrowWithCode('ENTRY_TOO_LARGE')
  expect((await sign(long(48_000), people.bank)).bytes.length).toBeLessThanOrEqual(65_535)
  await expect(() => openEnvelope(new Uint8Array(65_536))).toThrowWithCode('ENTRY_TOO_LARGE')
})

test('an envelope that was copied, cast or spread is not one', async () => {
  const envelope = await sign(examples.run, people.operator)
  for (const copy of [{ ...envelope }, structuredClone({ ...envelope }), Object.create(envelope), null]) {
    await expect(() => Envelope.check(copy)).toThrowWithCode('BRAND_INVALID')
  }
  expect(Envelope.check(envelope)).toBe(envelope)
  expect(Object.isFrozen((envelope.predicate as Run).datasets[0])).toBe(true)
})

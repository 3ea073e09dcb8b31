import { canonicalBytes } from '@sluice/core'
import {
  leafHash,
  type Predicate,
  parsePredicate,
  parseReceipt,
  type Receipt,
  receiptBytes,
  signCheckpoint,
  statement,
} from '@sluice/ledger'
import { parseTrust, verifyReceipt } from '@sluice/ledger/verify'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { examples, log, ORIGIN, people, person } from '../people.js'
import { Story, trust } from './story.js'

async function released(): Promise<{ story: Story; receipt: Receipt }> {
  const story = await Story.begin()
  await story.usual()
  await story.cosign()
  return { story, receipt: await story.ledger.receipt(5) }
}

test('a receipt verifies from its bytes and trusted keys alone', async () => {
  const { receipt } = await released()
  const report = await verifyReceipt(receiptBytes(receipt), { trust })
  expect(report).toEqual(await verifyReceipt(receipt, { trust }))
  expect(report).toMatchObject({
    origin: ORIGIN,
    index: 5,
    size: 6,
    predicate: { kind: 'release', run: 'run-1' },
    signedBy: [{ keyId: people.operator.keyId, trusted: true }],
    witnessedBy: [{ name: 'auditor' }],
  })
  expect(parseReceipt(receiptBytes(receipt)).receipt).toEqual(receipt)
})

test('whom one does not trust does not count', async () => {
  const { receipt } = await released()
  expect((await verifyReceipt(receipt, { trust: { ...trust, witnesses: [] } })).witnessedBy).toEqual([])
  const founders = [...trust.founders.filter(key => !key.startsWith('operator+')), person('x').publicKey]
  const report = await verifyReceipt(receipt, { trust: { ...trust, founders } })
  expect(report.signedBy).toEqual([{ keyId: people.operator.keyId, trusted: false }])
  const logKey = person(ORIGIN, 'other').publicKey
  await expect(verifyReceipt(receipt, { trust: { ...trust, logKey } })).toThrowWithCode('CHECKPOINT_INVALID')
})

test('every changed byte is noticed, by the verifier and by the strict parser with it', async () => {
  const { receipt } = await released()
  const bytes = Buffer.from(receiptBytes(receipt))
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const changed = Buffer.from(bytes)
      changed[at]! ^= mask
      const report = await verifyReceipt(changed, { trust }).catch((error: { exitCode?: number }) => error)
      // a line of a key that one does not trust may say anything: then a witness is missing
      const noticed = 'exitCode' in report || ('witnessedBy' in report && report.witnessedBy.length === 0)
      expect(noticed).toBe(true)
    }),
    { numRuns: 400 },
  )
})

test('another index, another entry, another tree', async () => {
  const { story, receipt } = await released()
  await expect(verifyReceipt({ ...receipt, index: 4 }, { trust })).toThrowWithCode('PROOF_INVALID')
  const other = await story.ledger.receipt(4)
  await expect(verifyReceipt({ ...receipt, entry: other.entry }, { trust })).toThrowWithCode('PROOF_INVALID')
  await expect(verifyReceipt({ ...receipt, proof: receipt.proof.slice(1) }, { trust })).toThrowWithCode(
    'PROOF_INVALID',
  )
  const forged = { ...receipt, checkpoint: receipt.checkpoint.replace('\n6\n', '\n7\n') }
  await expect(verifyReceipt(forged, { trust })).toThrowWithCode('CHECKPOINT_INVALID')
  for (const broken of [
    {},
    [],
    { ...receipt, more: 1 },
    { ...receipt, version: 2 },
    { ...receipt, proof: 'x' },
  ]) {
    await expect(verifyReceipt(broken, { trust })).toThrowWithCode('FILE_FORMAT')
    await expect(() => parseReceipt(canonicalBytes(broken))).toThrowWithCode('FILE_FORMAT')
  }
  await expect(verifyReceipt(new Uint8Array(300_000), { trust })).toThrowWithCode('FILE_TOO_LARGE')
  await expect(verifyReceipt(Buffer.from(` ${JSON.stringify(receipt)}`), { trust })).toThrowWithCode(
    'FILE_FORMAT',
  )
})

/** A receipt for whatever a writer that checks nothing might put into a ledger of its own. */
async function forge(
  predicate: unknown,
  payload = Buffer.from(canonicalBytes(statement(predicate as Predicate))),
): Promise<Receipt> {
  const type = 'application/vnd.in-toto+json'
  const message = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload])
  const sig = Buffer.from(await people.operator.sign(message)).toString('base64')
  const entry = canonicalBytes({
    payload: payload.toString('base64'),
    payloadType: type,
    signatures: [{ keyid: people.operator.keyId, sig }],
  })
  const { note } = await signCheckpoint(
    { origin: ORIGIN, size: 1, root: leafHash(entry) },
    log,
    1_767_600_000,
  )
  return {
    kind: 'receipt',
    version: 1,
    index: 0,
    entry: Buffer.from(entry).toString('base64'),
    proof: [],
    checkpoint: note,
  }
}

test('names that JavaScript orders otherwise, and names in another order', async () => {
  const predicate = { ...examples.approval, parameters: { 9: {}, 10: {}, b: {}, a: {} } }
  expect((await verifyReceipt(await forge(predicate), { trust })).predicate).toEqual(predicate)
  const canonical = Buffer.from(canonicalBytes(statement(predicate as Predicate))).toString()
  expect(canonical).toContain('{"10":{},"9":{},"a":{},"b":{}}')
  for (const other of ['{"9":{},"10":{},"a":{},"b":{}}', '{"10":{},"9":{},"b":{},"a":{}}']) {
    const payload = Buffer.from(canonical.replace('{"10":{},"9":{},"a":{},"b":{}}', other))
    await expect(verifyReceipt(await forge(predicate, payload), { trust })).toThrowWithCode('LEDGER_CORRUPT')
  }
  const plain = { ...examples.approval, parameters: { a: {}, b: {} } }
  const payload = Buffer.from(
    Buffer.from(canonicalBytes(statement(plain as Predicate)))
      .toString()
      .replace('{"a":{},"b":{}}', '{"b":{},"a":{}}'),
  )
  await expect(verifyReceipt(await forge(plain, payload), { trust })).toThrowWithCode('LEDGER_CORRUPT')
})

describe('writer and verifier agree on what an entry may say', () => {
  test.each(Object.values(examples).map(each => [each.kind, each] as const))('%s', async (_, predicate) => {
    expect((await verifyReceipt(await forge(predicate), { trust })).predicate).toEqual(predicate)
  })

  // a value for any place in any predicate: what fits somewhere, and what fits nowhere
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      -1,
      0,
      1,
      1.5,
      '',
      'x',
      'a b',
      'a\u202eb',
      'operator',
      'consumer',
      'exact',
      '2026-02-30T00:00:00.000Z',
      '2026-02-03T00:00:00.000Z',
      '../x',
      'a.b',
      [],
      {},
      [[]],
      { minimum: '1' },
      { values: [] },
      { year: { minimum: '1', more: '2' } },
      people.bank.publicKey,
      'ab'.repeat(32),
      'ab'.repeat(16),
      'x'.repeat(2001),
    ),
    fc.string({ maxLength: 20 }),
    fc.integer(),
  )

  function places(item: unknown, path: string[] = []): string[][] {
    if (typeof item !== 'object' || item === null) return [path]
    return [path, ...Object.entries(item).flatMap(([key, each]) => places(each, [...path, key]))]
  }

  function put(item: unknown, [key, ...rest]: string[], replacement: unknown): unknown {
    if (key === undefined) return replacement
    if (Array.isArray(item))
      return item.map((each, i) => (String(i) === key ? put(each, rest, replacement) : each))
    const record = item as Record<string, unknown>
    return { ...record, [key]: put(record[key], rest, replacement) }
  }

  test('with any one thing in it changed', async () => {
    let accepted = 0
    const anywhere = fc
      .constantFrom(...Object.values(examples))
      .chain(predicate =>
        fc.tuple(fc.constant(predicate), fc.constantFrom(...places(predicate).slice(1)), value),
      )
    await fc.assert(
      fc.asyncProperty(anywhere, async ([predicate, place, replacement]) => {
        fc.pre(place[0] !== 'kind')
        const changed = put(predicate, place, replacement)
        const writer = await outcome(async () => parsePredicate(changed))
        const verifier = await outcome(async () => verifyReceipt(await forge(changed), { trust }))
        expect(verifier, place.join('.')).toBe(writer)
        if (writer) accepted++
      }),
      { numRuns: 1500, seed: 20260105 },
    )
    // the changes are not all refused, or this would compare nothing
    expect(accepted).toBeGreaterThan(100)
  })

  async function outcome(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action()
      return true
    } catch {
      return false
    }
  }
})

describe('trusted keys', () => {
  test('are read from a file as they were handed out', () => {
    expect(parseTrust(JSON.stringify(trust, null, 2))).toEqual(trust)
    expect(parseTrust(Buffer.from(JSON.stringify(trust)))).toEqual(trust)
  })

  test.each<[string, unknown]>([
    ['a field too many', { ...trust, more: 1 }],
    ['a field too few', { origin: trust.origin, logKey: trust.logKey, founders: trust.founders }],
    ['another origin', { ...trust, origin: 'other' }],
    ['a founder twice', { ...trust, founders: [...trust.founders, trust.founders[0]] }],
    ['too few founders', { ...trust, founders: trust.founders.slice(0, 2) }],
    ['a list that is none', { ...trust, witnesses: 'all' }],
    ['null', null],
    ['a list', []],
  ])('refused: %s', async (_, value) => {
    await expect(() => parseTrust(JSON.stringify(value))).toThrowWithCode('FILE_FORMAT')
  })

  test('refused: a key that is none, and what is not JSON', async () => {
    const logKey = trust.logKey.slice(0, -2)
    await expect(() => parseTrust(JSON.stringify({ ...trust, logKey }))).toThrowWithCode('KEY_INVALID')
    await expect(() => parseTrust('{')).toThrowWithCode('FILE_FORMAT')
    await expect(() => parseTrust(' '.repeat(70_000))).toThrowWithCode('FILE_TOO_LARGE')
  })
})

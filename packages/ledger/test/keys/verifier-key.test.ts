import { cosignatureKey, isKeyName, parseVerifierKey, verifierKey } from '@sluice/ledger/keys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { person } from '../people.js'

// C2SP signed-note, "Example"; the same key stands in Go's sumdb/note documentation
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
// Go's checksum database
const SUMDB = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'

test.each([PETER, SUMDB])('a published verifier key parses to itself: %s', text => {
  const key = parseVerifierKey(text)
  expect(key.text).toBe(text)
  expect(verifierKey(key.name, key.publicKey).text).toBe(text)
  expect(key.keyId).toBe(text.split('+').slice(0, 2).join('+'))
})

test('a changed character anywhere is refused', () => {
  fc.assert(
    fc.property(
      fc.nat(PETER.length - 1),
      fc.constantFrom('A', 'b', '0', '+', '/', '=', ' '),
      (at, character) => {
        fc.pre(PETER[at] !== character)
        const changed = PETER.slice(0, at) + character + PETER.slice(at + 1)
        expect(() => parseVerifierKey(changed)).toThrow('not a verifier key')
      },
    ),
    { numRuns: 300 },
  )
})

test.each([
  '',
  'x',
  `${PETER}=`,
  `${PETER}\n`,
  ` ${PETER}`,
  PETER.replace('c74f20a3', 'C74F20A3'),
  'a+b',
  'a+b+',
])('refused: %j', async text => {
  await expect(() => parseVerifierKey(text)).toThrowWithCode('KEY_INVALID')
})

test('another type, a short key and a key of small order are refused', async () => {
  const one = Buffer.alloc(32)
  one[0] = 1
  await expect(() => verifierKey('x', one)).toThrowWithCode('KEY_INVALID')
  await expect(() => verifierKey('x', Buffer.alloc(31, 7))).toThrowWithCode('KEY_INVALID')
  await expect(() => verifierKey('x', Buffer.alloc(32, 7), 0x05 as 0x04)).not.toThrowWithCode('KEY_INVALID')
  await expect(() =>
    parseVerifierKey(verifierKey('x', Buffer.alloc(32, 7), 0x05 as 0x04).text),
  ).toThrowWithCode('KEY_INVALID')
})

test('names: no space, plus sign, control or bidirectional character', () => {
  for (const good of ['a', '国土局', 'sluice.example/zone/1']) expect(isKeyName(good)).toBe(true)
  for (const bad of [
    '',
    'a b',
    'a+b',
    'a\n',
    'a\u202eb',
    'a\u200bb',
    'a\u3000b',
    '\ud800',
    'é'.repeat(101),
  ]) {
    expect(isKeyName(bad)).toBe(false)
  }
})

test('the cosignature key of a key has another hash and the same 32 bytes', () => {
  const key = parseVerifierKey(person('auditor').publicKey)
  const cosignature = cosignatureKey(key)
  expect(cosignature.publicKey).toEqual(key.publicKey)
  expect(cosignature.hash).not.toBe(key.hash)
  expect(parseVerifierKey(cosignature.text)).toEqual(cosignature)
})

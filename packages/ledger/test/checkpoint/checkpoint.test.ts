import {
  cosignCheckpoint,
  formatNote,
  leafHash,
  mergeCosignatures,
  parseCheckpoint,
  parseNote,
  signCheckpoint,
  verifyCheckpoint,
  verifyCosignature,
} from '@sluice/ledger'
import { verifierKey } from '@sluice/ledger/keys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { log, ORIGIN, people, person } from '../people.js'

const TIME = 1_767_600_000
const tree = { origin: ORIGIN, size: 300, root: leafHash(Buffer.from('x')) }

// C2SP tlog-cosignature, the example: parses, and comes out as it went in
const PUBLISHED = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`

test('the published example parses to itself', () => {
  const checkpoint = parseCheckpoint(PUBLISHED)
  expect(checkpoint.size).toBe(20_852_163)
  expect(checkpoint.signatures.map(each => each.name)).toEqual([
    'example.com/behind-the-sofa',
    'witness.example.com/w1',
  ])
  expect(formatNote(parseNote(PUBLISHED))).toBe(PUBLISHED)
})

test('a checkpoint verifies under the log’s key, says when, and under no other key', async () => {
  const checkpoint = await signCheckpoint(tree, log, TIME)
  expect(verifyCheckpoint(parseCheckpoint(checkpoint.note), log.publicKey)).toBe(TIME)
  await expect(() => verifyCheckpoint(checkpoint, people.operator.publicKey)).toThrowWithCode(
    'CHECKPOINT_INVALID',
  )
  await expect(() => verifyCheckpoint(checkpoint, person(ORIGIN, 'other').publicKey)).toThrowWithCode(
    'CHECKPOINT_INVALID',
  )
})

test('cosignatures are added, merged and verified each on its own', async () => {
  const checkpoint = await signCheckpoint(tree, log, TIME)
  const byAuditor = await cosignCheckpoint(checkpoint, people.auditor, TIME + 5)
  const byBureau = await cosignCheckpoint(checkpoint, people.bureau, TIME + 9)
  const both = mergeCosignatures(byAuditor, byBureau)
  expect(verifyCheckpoint(both, log.publicKey)).toBe(TIME)
  expect(verifyCosignature(both, people.auditor.publicKey)).toBe(TIME + 5)
  expect(verifyCosignature(both, people.bureau.publicKey)).toBe(TIME + 9)
  expect(verifyCosignature(both, people.reviewer.publicKey)).toBe(null)
  const later = mergeCosignatures(both, await cosignCheckpoint(checkpoint, people.auditor, TIME + 50))
  expect(verifyCosignature(later, people.auditor.publicKey)).toBe(TIME + 50)
  expect(later.signatures).toHaveLength(4)
  expect(mergeCosignatures(later, both).note).toBe(later.note)
  const other = await signCheckpoint({ ...tree, size: 301 }, log, TIME)
  await expect(() => mergeCosignatures(both, other)).toThrowWithCode('CHECKPOINT_INVALID')
})

test('a cosignature with another time, or moved to another tree, is wrong', async () => {
  const cosigned = await cosignCheckpoint(await signCheckpoint(tree, log, TIME), people.auditor, TIME)
  const line = cosigned.signatures.at(-1)!
  const moved = Uint8Array.from(line.signature)
  moved[7]! ^= 1
  const retimed = parseCheckpoint(
    formatNote({
      text: cosigned.text,
      signatures: [...cosigned.signatures.slice(0, -1), { ...line, signature: moved }],
    }),
  )
  await expect(() => verifyCosignature(retimed, people.auditor.publicKey)).toThrowWithCode(
    'CHECKPOINT_INVALID',
  )
  const other = await signCheckpoint({ ...tree, size: 301 }, log, TIME)
  const transplanted = parseCheckpoint(
    formatNote({ text: other.text, signatures: [...other.signatures, line] }),
  )
  await expect(() => verifyCosignature(transplanted, people.auditor.publicKey)).toThrowWithCode(
    'CHECKPOINT_INVALID',
  )
})

test('every changed byte is noticed', async () => {
  const { note } = await cosignCheckpoint(await signCheckpoint(tree, log, TIME), people.auditor, TIME)
  const bytes = Buffer.from(note)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = Buffer.from(bytes)
      changed[at]! ^= mask
      expect(() => {
        const checkpoint = parseCheckpoint(decoder.decode(changed))
        const times = [
          verifyCheckpoint(checkpoint, log.publicKey),
          verifyCosignature(checkpoint, people.auditor.publicKey),
        ]
        if (times.includes(null)) throw new Error('a cosignature is gone')
      }).toThrow()
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['a leading zero', (note: string) => note.replace('\n300\n', '\n0300\n')],
  ['a sign', (note: string) => note.replace('\n300\n', '\n+300\n')],
  ['a size past 2^53', (note: string) => note.replace('\n300\n', '\n9999999999999999\n')],
  ['an extension line', (note: string) => note.replace('=\n\n', '=\nmore\n\n')],
  ['no blank line', (note: string) => note.replace('\n\n', '\n')],
  ['no signature', (note: string) => note.slice(0, note.indexOf('—'))],
  ['a hyphen for the dash', (note: string) => note.replace('—', '-')],
  ['a carriage return', (note: string) => note.replaceAll('\n', '\r\n')],
  ['a line too many', (note: string) => `${note}\n`],
  ['no newline at the end', (note: string) => note.slice(0, -1)],
  ['too long', (note: string) => note + note.slice(note.indexOf('—')).repeat(400)],
  ['empty', () => ''],
])('refused: %s', async (_, change) => {
  const { note } = await signCheckpoint(tree, log, TIME)
  await expect(() => parseCheckpoint(change(note))).toThrowWithCode('CHECKPOINT_INVALID')
})

test('a key of type 0x04 verifies cosignatures as its twin of type 0x01 does, but no checkpoint', async () => {
  const cosigned = await cosignCheckpoint(await signCheckpoint(tree, log, TIME), people.auditor, TIME)
  const { publicKey } = people.auditor
  const raw = Buffer.from(publicKey.split('+').slice(2).join('+'), 'base64').subarray(1)
  expect(verifyCosignature(cosigned, verifierKey('auditor', raw, 0x04))).toBe(TIME)
  await expect(() => verifyCheckpoint(cosigned, verifierKey(ORIGIN, raw, 0x04))).toThrowWithCode(
    'CHECKPOINT_INVALID',
  )
})

import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KeyFile } from '@sluice/ledger/keys'
import { type Reveal, readReveals, recordReveal } from '@sluice/ledger/reveals'
import { afterAll, beforeAll, expect, test } from 'vitest'

let folder: string
let owner: KeyFile
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-reveals-'))
  owner = await KeyFile.generate(join(folder, 'owner.key'), { name: 'owner' })
})
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const now = () => new Date('2026-01-02T03:04:05.000Z')

const REVEAL: Reveal = {
  what: 'tokens',
  scope: 'credit',
  column: 'person',
  input: 'ab'.repeat(32),
  secret: '0123456789abcdef',
  reason: '案件十七',
}

test('every record is signed, holds the digest of the one before, and is in a file of mode 600', async () => {
  const first = await recordReveal(at('log'), REVEAL, owner, { now })
  const second = await recordReveal(at('log'), { ...REVEAL, what: 'cells' }, owner, { now })
  expect(statSync(at('log')).mode & 0o777).toBe(0o600)
  const { records, digest } = await readReveals(at('log'))
  expect(records.map(({ what }) => what)).toEqual(['tokens', 'cells'])
  expect(records[0]).toEqual({
    ...REVEAL,
    version: 1,
    by: owner.publicKey,
    time: '2026-01-02T03:04:05.000Z',
    previous: '0'.repeat(64),
  })
  expect(records[1]!.previous).toBe(first.digest)
  expect(digest).toBe(second.digest)
})

test('a changed, removed, exchanged or foreign line is found, and nothing is added to it', async () => {
  for (let i = 0; i < 3; i++) await recordReveal(at('whole'), { ...REVEAL, reason: `r${i}` }, owner, { now })
  const lines = readFileSync(at('whole'), 'utf8').trimEnd().split('\n')
  const [a, b, c] = lines as [string, string, string]
  const other = await KeyFile.generate(at('other.key'), { name: 'other' })
  await recordReveal(at('foreign'), REVEAL, other, { now })
  const damaged = [
    [a.replace('r0', 'r9'), b, c],
    [b, c],
    [a, c],
    [a, c, b],
    [a, b, b],
    [a.replace(owner.publicKey, other.publicKey), b, c],
    [a, readFileSync(at('foreign'), 'utf8').trim(), c],
    [a, ` ${b}`, c],
    ['{}', a],
    ['x'],
    [''],
  ]
  for (const text of damaged) {
    writeFileSync(at('damaged'), `${text.join('\n')}\n`)
    await expect(readReveals(at('damaged'))).toThrowWithCode('LEDGER_CORRUPT', 'reveal.chain')
    await expect(recordReveal(at('damaged'), REVEAL, owner, { now })).toThrowWithCode('LEDGER_CORRUPT')
    expect(readFileSync(at('damaged'), 'utf8')).toBe(`${text.join('\n')}\n`)
  }
  await expect(readReveals(at('none'))).toThrowWithCode('FILE_MISSING')
})

test('a last line that was cut short was never acknowledged, and goes with the next record', async () => {
  await recordReveal(at('torn'), REVEAL, owner, { now })
  appendFileSync(at('torn'), '{"by":"own')
  expect((await readReveals(at('torn'))).records).toHaveLength(1)
  await recordReveal(at('torn'), { ...REVEAL, reason: 'after' }, owner, { now })
  expect((await readReveals(at('torn'))).records.map(({ reason }) => reason)).toEqual(['案件十七', 'after'])
})

test('many at once leave one chain', async () => {
  await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      recordReveal(at('many'), { ...REVEAL, reason: `r${i}` }, owner, { now }),
    ),
  )
  const { records } = await readReveals(at('many'))
  expect(new Set(records.map(({ reason }) => reason)).size).toBe(8)
})

test('no reason, no record', async () => {
  for (const reason of ['', '   ', 'two\nlines', 'x'.repeat(1001), '\u001b[31m']) {
    await expect(recordReveal(at('reasons'), { ...REVEAL, reason }, owner, { now })).toThrowWithCode(
      'PARAMETER_INVALID',
      'reveal.reason',
    )
  }
  await expect(recordReveal(at('no/such/log'), REVEAL, owner, { now })).toThrowWithCode('FILE_MISSING')
})

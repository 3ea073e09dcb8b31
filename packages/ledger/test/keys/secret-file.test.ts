import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { KeyFile, SecretFile } from '@sluice/ledger/keys'
import { afterAll, beforeAll, expect, test } from 'vitest'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-secrets-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

test('a secret file holds 32 random bytes that only its owner can read, and is never overwritten', async () => {
  const made = await SecretFile.generate(at('a.secret'))
  expect(statSync(at('a.secret')).mode & 0o777).toBe(0o600)
  const opened = await SecretFile.open(at('a.secret'))
  expect(opened.id).toBe(made.id)
  expect(opened.secret).toEqual(made.secret)
  expect(opened.secret).toHaveLength(32)
  expect((await SecretFile.generate(at('b.secret'))).secret).not.toEqual(made.secret)
  await expect(SecretFile.generate(at('a.secret'))).toThrowWithCode('EXISTS')
  await expect(SecretFile.generate(at('no/such.secret'))).toThrowWithCode('FILE_MISSING')
})

test('one that is missing, that others can read, or that is another file is refused', async () => {
  await SecretFile.generate(at('open.secret'))
  await expect(SecretFile.open(at('none.secret'))).toThrowWithCode('FILE_MISSING')
  for (const mode of [0o640, 0o604, 0o666]) {
    chmodSync(at('open.secret'), mode)
    await expect(SecretFile.open(at('open.secret'))).toThrowWithCode('KEY_PERMISSIONS')
  }
  await KeyFile.generate(at('person.key'), { name: 'person' })
  await expect(SecretFile.open(at('person.key'))).toThrowWithCode('KEY_INVALID')
  await expect(KeyFile.open(at('open.secret'))).toThrowWithCode('KEY_PERMISSIONS')
  chmodSync(at('open.secret'), 0o600)
  await expect(KeyFile.open(at('open.secret'))).toThrowWithCode('KEY_INVALID')
})

test('any changed character is found: a damaged secret would make tokens that match no others', async () => {
  const { secret } = await SecretFile.generate(at('c.secret'))
  const text = readFileSync(at('c.secret'), 'utf8')
  for (let i = 0; i < text.length; i++) {
    const other = text[i] === 'A' ? 'B' : 'A'
    writeFileSync(at('damaged.secret'), text.slice(0, i) + other + text.slice(i + 1), { mode: 0o600 })
    await expect(SecretFile.open(at('damaged.secret'))).toThrowWithCode('KEY_INVALID')
  }
  const shown = await SecretFile.open(at('damaged.secret')).catch(inspect)
  expect(shown).not.toContain(Buffer.from(secret).toString('base64').slice(0, 20))
})

test('inspecting, serialising and spreading show the identifier only', async () => {
  const file = await SecretFile.generate(at('quiet.secret'))
  const base64 = Buffer.from(file.secret).toString('base64')
  for (const text of [
    inspect(file, { showHidden: true, depth: 9 }),
    JSON.stringify(file),
    inspect({ ...file }),
    String(file),
  ]) {
    expect(text).not.toContain(base64.slice(0, 12))
    expect(text).not.toContain(Buffer.from(file.secret).toString('hex').slice(0, 12))
  }
  expect(JSON.stringify(file)).toBe(`{"id":"${file.id}"}`)
  expect(file.id).toMatch(/^[0-9a-f]{16}$/)
})

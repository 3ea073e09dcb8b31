import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { KeyFile, parseVerifierKey, verifySignature } from '@sluice/ledger/keys'
import { afterAll, beforeAll, expect, test } from 'vitest'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const message = Buffer.from('message')

test('a key file signs as the key that it names, and only its owner can read it', async () => {
  const made = await KeyFile.generate(at('plain.key'), { name: '国土局' })
  expect(statSync(at('plain.key')).mode & 0o777).toBe(0o600)
  const opened = await KeyFile.open(at('plain.key'))
  expect({ ...opened }).toEqual({ ...made })
  expect(opened.name).toBe('国土局')
  const key = parseVerifierKey(opened.publicKey)
  const signature = await opened.sign(message)
  expect(verifySignature(key, message, signature)).toBe(true)
  expect(verifySignature(key, Buffer.from('messagf'), signature)).toBe(false)
})

test('many messages at once get the signatures that one at a time would', async () => {
  const key = await KeyFile.generate(at('many.key'), { name: 'many' })
  const messages = Array.from({ length: 1000 }, (_, i) => Buffer.from('m'.repeat(i % 97) + i))
  for (const count of [1, 127, 128, 129, 1000, 1]) {
    const together = await Promise.all(messages.slice(0, count).map(each => key.sign(each)))
    const verifier = parseVerifierKey(key.publicKey)
    expect(together.length).toBe(count)
    expect(together.every((signature, i) => verifySignature(verifier, messages[i]!, signature))).toBe(true)
    // Ed25519 is deterministic (RFC 8032, section 5.1.6)
    expect(Buffer.from(together[count - 1]!).equals(await key.sign(messages[count - 1]!))).toBe(true)
  }
})

test('an encrypted key file opens with its passphrase, and with nothing else', async () => {
  const made = await KeyFile.generate(at('locked.key'), { name: 'bank', passphrase: '密码 correct horse' })
  expect(readFileSync(at('locked.key'), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY')
  const opened = await KeyFile.open(at('locked.key'), { passphrase: '密码 correct horse' })
  expect(opened.publicKey).toBe(made.publicKey)
  expect(await opened.sign(message)).toEqual(await made.sign(message))
  await expect(KeyFile.open(at('locked.key'), { passphrase: 'wrong' })).toThrowWithCode('PASSPHRASE_WRONG')
  await expect(KeyFile.open(at('locked.key'))).toThrowWithCode('PASSPHRASE_MISSING')
  await expect(KeyFile.open(at('locked.key'), { passphrase: '' })).toThrowWithCode('PASSPHRASE_MISSING')
  await expect(KeyFile.generate(at('no.key'), { name: 'bank', passphrase: '' })).toThrowWithCode(
    'PASSPHRASE_MISSING',
  )
})

test('a key file is never overwritten, and its directory must exist', async () => {
  await KeyFile.generate(at('once.key'), { name: 'once' })
  const before = readFileSync(at('once.key'))
  await expect(KeyFile.generate(at('once.key'), { name: 'twice' })).toThrowWithCode('EXISTS')
  expect(readFileSync(at('once.key'))).toEqual(before)
  await expect(KeyFile.generate(at('no/such.key'), { name: 'x' })).toThrowWithCode('FILE_MISSING')
  await expect(KeyFile.open(at('none.key'))).toThrowWithCode('FILE_MISSING')
  await expect(KeyFile.generate(at('bad.key'), { name: 'two words' })).toThrowWithCode('KEY_INVALID')
  expect(readdirSync(folder)).not.toContain('bad.key')
})

test('a key file that others can read is refused, with the remedy', async () => {
  await KeyFile.generate(at('open.key'), { name: 'open' })
  for (const mode of [0o640, 0o604, 0o620, 0o602]) {
    chmodSync(at('open.key'), mode)
    await expect(KeyFile.open(at('open.key'))).rejects.toMatchObject({
      code: 'KEY_PERMISSIONS',
      remedy: `Run chmod 600 ${at('open.key')}.`,
    })
  }
  chmodSync(at('open.key'), 0o400)
  expect((await KeyFile.open(at('open.key'))).name).toBe('open')
})

test('a damaged key file is refused, and what it held is not in the message', async () => {
  await KeyFile.generate(at('a.key'), { name: 'a' })
  await KeyFile.generate(at('b.key'), { name: 'b' })
  const [a, b] = [readFileSync(at('a.key'), 'utf8'), readFileSync(at('b.key'), 'utf8')]
  const pem = (text: string) => text.slice(text.indexOf('-----BEGIN'))
  const damaged = [
    a.replace(pem(a), pem(b)),
    a.slice(0, -40),
    pem(a),
    `x${a}`,
    a.replace('Sluice-Key: 1', 'Sluice-Key: 2'),
    a.replace('\n-----BEGIN', '\nComment: x\n-----BEGIN'),
    '',
    'x'.repeat(5000),
  ]
  for (const text of damaged) {
    writeFileSync(at('damaged.key'), text, { mode: 0o600 })
    await expect(KeyFile.open(at('damaged.key'))).toThrowWithCode('KEY_INVALID')
    const error = await KeyFile.open(at('damaged.key')).catch(inspect)
    const secret = /PRIVATE KEY-----\n(.*)\n/.exec(a)?.[1]
    expect(secret).toBeDefined()
    expect(error).not.toContain(secret)
  }
})

test('inspecting, serialising and spreading show the public key only', async () => {
  const key = await KeyFile.generate(at('quiet.key'), { name: 'quiet' })
  const secret = /PRIVATE KEY-----\n(.*)\n/.exec(readFileSync(at('quiet.key'), 'utf8'))![1]!
  const raw = Buffer.from(secret, 'base64').subarray(-32)
  const shown = [
    inspect(key, { showHidden: true, depth: 9 }),
    JSON.stringify(key),
    inspect({ ...key }),
    String(key),
  ]
  for (const text of shown) {
    expect(text).not.toContain(secret)
    expect(text).not.toContain(raw.toString('hex'))
    expect(text).not.toContain(raw.toString('base64').slice(0, 40))
  }
  expect(shown[0]).toContain(key.publicKey)
})

import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { OpeningKey } from '@sluice/ledger/keys'
import { afterAll, beforeAll, expect, it } from 'vitest'

let folder: string
const at = (name: string) => join(folder, name)
const SECRET = randomBytes(49_000)
const passphrase = 'correct horse'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-opening-'))
})
afterAll(() => rm(folder, { recursive: true }))

it.each([undefined, passphrase])('comes back as it was written, passphrase %s', async given => {
  const path = at(`back-${given}`)
  await OpeningKey.write(path, SECRET, { passphrase: given })
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(Buffer.from((await OpeningKey.open(path, { passphrase: given })).secretKey)).toEqual(SECRET)
  await expect(OpeningKey.write(path, SECRET, { passphrase: given })).toThrowWithCode('EXISTS')
  await chmod(path, 0o640)
  await expect(OpeningKey.open(path, { passphrase: given })).toThrowWithCode('KEY_PERMISSIONS')
})

it('is not to be read without its passphrase', async () => {
  await OpeningKey.write(at('locked'), SECRET, { passphrase })
  const text = await readFile(at('locked'), 'utf8')
  expect(text).not.toContain(SECRET.toString('base64').slice(0, 16))
  await expect(OpeningKey.open(at('locked'))).toThrowWithCode('PASSPHRASE_MISSING')
  await expect(OpeningKey.open(at('locked'), { passphrase: '' })).toThrowWithCode('PASSPHRASE_MISSING')
  await expect(OpeningKey.open(at('locked'), { passphrase: 'other' })).toThrowWithCode('PASSPHRASE_WRONG')
  await expect(OpeningKey.write(at('empty'), SECRET, { passphrase: '' })).toThrowWithCode(
    'PASSPHRASE_MISSING',
  )
})

it.each([undefined, passphrase])('is refused where any part of it changed, passphrase %s', async given => {
  const path = at(`changed-${given}`)
  await OpeningKey.write(path, SECRET, { passphrase: given })
  const text = await readFile(path, 'utf8')
  const lines = text.split('\n').slice(0, -1)
  for (const [index, line] of lines.entries()) {
    const middle = Math.floor(line.length / 2)
    const other = line[middle] === 'a' ? 'b' : 'a'
    const changed = [...lines]
    changed[index] = `${line.slice(0, middle)}${other}${line.slice(middle + 1)}`
    await writeFile(path, `${changed.join('\n')}\n`)
    const refused = await OpeningKey.open(path, { passphrase: given }).catch(error => error as Error)
    expect(refused).toMatchObject({ code: expect.stringMatching(/^(KEY_INVALID|PASSPHRASE_WRONG)$/) })
    expect(inspect(refused)).not.toContain(SECRET.toString('base64').slice(0, 16))
  }
  for (const cut of [1, 100, text.length - 10]) {
    await writeFile(path, text.slice(0, -cut))
    const refused = await OpeningKey.open(path, { passphrase: given }).catch(error => error as Error)
    expect(refused).toMatchObject({ code: expect.stringMatching(/^(KEY_INVALID|PASSPHRASE_WRONG)$/) })
  }
})

it('opens one sum, again and again, and no other', async () => {
  await OpeningKey.write(at('once'), SECRET)
  const { claim } = await OpeningKey.open(at('once'))
  // of many at the same moment one wins
  const sums = Array.from({ length: 8 }, (_, index) => String(index).repeat(64))
  const claims = await Promise.allSettled(sums.map(sum => claim(sum)))
  const won = claims.flatMap(({ status }, index) => (status === 'fulfilled' ? [sums[index]!] : []))
  expect(won).toHaveLength(1)
  await (await OpeningKey.open(at('once'))).claim(won[0]!)
  await expect((await OpeningKey.open(at('once'))).claim('f'.repeat(64))).toThrowWithCode(
    'STATE_DENIED',
    'he.opened',
  )
  expect((await readdir(folder)).filter(name => name.endsWith('.tmp'))).toEqual([])
})

it('shows nothing of itself', async () => {
  await OpeningKey.write(at('quiet'), SECRET)
  const key = await OpeningKey.open(at('quiet'))
  expect(inspect(key)).toBe('OpeningKey(secret key not shown)')
  expect(JSON.stringify(key)).toBe('{}')
})

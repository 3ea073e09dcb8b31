import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeNamedDirectory, nodeFiles } from '@sluice/ledger/files'
import { expect, onTestFinished, test } from 'vitest'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-files-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('a directory is made with those above it, by several at once, and one that exists is fine', async () => {
  const root = folder()
  const path = join(root, 'a', 'b', 'c')
  await Promise.all(Array.from({ length: 8 }, () => nodeFiles.makeDirectory(path, 0o700)))
  await nodeFiles.makeDirectory(path)
  for (const made of ['a', 'a/b', 'a/b/c']) expect(statSync(join(root, made)).mode & 0o777).toBe(0o700)
})

test('where a file is in the way, or nobody may make any, it is said at once', async () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'below')])
    await expect(() => makeNamedDirectory(path)).toThrowWithCode('FILE_MISSING')
  // the system's own tree, or the root of one that has none
  await expect(() => makeNamedDirectory('/proc/nowhere/below')).toThrowWithCode('FILE_MISSING')
})

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const summary = fileURLToPath(new URL('../vitest-summary.mjs', import.meta.url))
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-summary-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** The last line and the exit code of a run over these test files. */
function run(files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
  const args = ['run', '--root', root, '--globals', '--reporter=default', `--reporter=${summary}`]
  const { stdout, status } = spawnSync(process.execPath, [vitest, ...args], { encoding: 'utf8' })
  return { last: stdout.trimEnd().split('\n').at(-1), status }
}

test('counts what passed', () => {
  expect(run({ 'a.test.js': `test('a', () => {}); test('b', () => {})` })).toEqual({
    last: '2 passed, 0 failed',
    status: 0,
  })
})

test('counts tests, suites, files and stray errors that failed, and what was skipped', () => {
  const files = {
    'a.test.js': `test('a', () => {}); test.skip('b', () => {}); test('c', () => { expect(1).toBe(2) })`,
    'b.test.js': `describe('d', () => { beforeAll(() => { throw new Error('e') }); test('f', () => {}) })`,
    'c.test.js': `import './missing.js'`,
    'd.test.js': `test('g', () => { void Promise.reject(new Error('h')) })`,
  }
  expect(run(files)).toEqual({ last: '2 passed, 4 failed, 2 skipped', status: 1 })
})

import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { copySetup, removeSetups, temporaryRoot } from './transcript.js'

const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'sluice.js')

/** Says at the end which databases' shared libraries the process has loaded. */
const WATCH = `data:text/javascript,${encodeURIComponent(`process.on('exit', () => {
  const loaded = process.report.getReport().sharedObjects.filter(path => /duckdb/.test(path))
  process.stderr.write('loaded ' + JSON.stringify(loaded))
})`)}`

let root = ''
beforeAll(async () => {
  root = await temporaryRoot()
  const remembered = await copySetup('approved', root)
  await run('--zone', 'zone', 'request', 'export', remembered.get('r') ?? '', '--out', 'request.json')
})
afterAll(async () => {
  await removeSetups()
  await rm(root, { recursive: true, force: true })
})

async function run(...words: string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ['--import', WATCH, program, ...words], { cwd: root })
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += String(chunk)
  })
  child.stdout.resume()
  return new Promise(resolve => child.once('close', code => resolve({ code, stderr })))
}

it.for([
  ['--help'],
  ['sign', 'request.json', '--key', 'caa.key', '--yes', '--out', 'caa.sig'],
  ['ledger', 'verify', 'zone', '--keys', 'zone/trust.json'],
  ['--zone', 'zone', 'status'],
])('sluice %s loads no database', async words => {
  const { code, stderr } = await run(...words)
  expect(code).toBe(0)
  expect(stderr).toContain('loaded []')
})

it('would notice a database that is loaded', async () => {
  const script = `import('@duckdb/node-bindings')`
  const from = join(dirname(program), '..', '..', 'sandbox')
  const child = spawn(process.execPath, ['--import', WATCH, '--input-type=module', '--eval', script], {
    cwd: from,
  })
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += String(chunk)
  })
  await new Promise(resolve => child.once('close', resolve))
  expect(stderr).toMatch(/loaded \[".*duckdb/)
})

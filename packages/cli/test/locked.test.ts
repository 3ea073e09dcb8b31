import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Zone } from '@sluice/sandbox'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { copySetup, removeSetups, temporaryRoot } from './transcript.js'

const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'sluice.js')
let root = ''

beforeAll(async () => {
  root = await temporaryRoot()
  await copySetup('zone', root)
})
afterAll(async () => {
  await removeSetups()
  await rm(root, { recursive: true, force: true })
})

async function retire(wait: string): Promise<{ code: number | null; stderr: string }> {
  const words = ['--zone', 'zone', '--wait', wait, 'dataset', 'retire', 'strikes', '--key', 'caa.key']
  const child = spawn(process.execPath, [program, ...words], { cwd: root })
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += String(chunk)
  })
  child.stdout.resume()
  return new Promise(resolve => child.once('close', code => resolve({ code, stderr })))
}

it('waits for another process and says so, then gives up with 7, and works when the other is done', async () => {
  const zone = await Zone.open(join(root, 'zone'))
  const held = await zone.ledger.exclusive(() => retire('300ms'))
  expect(held.code).toBe(7)
  expect(held.stderr).toContain('waiting for another process that is changing this zone')
  expect(held.stderr).toContain('error LOCKED')
  await zone.close()
  expect(await retire('5s')).toEqual({ code: 0, stderr: '' })
})

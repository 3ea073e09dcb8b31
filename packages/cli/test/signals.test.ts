import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { goOn, haltedAt } from './terminal.js'
import { copySetup, removeSetups, temporaryRoot } from './transcript.js'

const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'sluice.js')
let root = ''
let request = ''

beforeAll(async () => {
  root = await temporaryRoot()
  request = (await copySetup('approved', root)).get('r') ?? ''
})
afterAll(async () => {
  await removeSetups()
  await rm(root, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** Runs the request, and sends the signal as soon as the engine says that it has begun. */
function interrupted(name: 'SIGINT' | 'SIGTERM'): Promise<Ended> {
  return new Promise(resolve => {
    const words = ['run', request, '--key', join(root, 'operator.key'), '--progress', 'json']
    const child = spawn(process.execPath, [...haltedAt(/./), program, '--zone', join(root, 'zone'), ...words])
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      const first = stderr === ''
      stderr += chunk.toString()
      if (!first) return
      child.kill(name)
      goOn(child)
    })
    child.once('close', (code, signal) => resolve({ code, signal, stderr }))
  })
}

async function lastEntry(): Promise<{ kind: string; about: string }> {
  const child = spawn(process.execPath, [program, '--zone', join(root, 'zone'), '--json', 'ledger', 'show'])
  let stdout = ''
  for await (const chunk of child.stdout) stdout += String(chunk)
  return (JSON.parse(stdout) as { kind: string; about: string }[]).at(-1)!
}

it.for([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends a run with %i, leaves nothing behind and is in the ledger', async ([name, exitCode]) => {
  const { code, signal, stderr } = await interrupted(name)
  expect({ code, signal }).toEqual({ code: exitCode, signal: null })
  expect(stderr).toContain('error INTERRUPTED')
  expect(readdirSync(join(root, 'zone', 'staging')).filter(entry => entry !== 'lock')).toEqual([])
  expect(await lastEntry()).toMatchObject({ kind: 'refusal', about: expect.stringContaining('INTERRUPTED') })
})

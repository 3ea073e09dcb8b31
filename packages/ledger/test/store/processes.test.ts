import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Founding, Ledger, sign, trustOf } from '@sluice/ledger'
import { KeyFile } from '@sluice/ledger/keys'
import { verifyLedger } from '@sluice/ledger/verify'
import { expect, onTestFinished, test } from 'vitest'
import { founding, ORIGIN, people } from '../people.js'

const CHILD = fileURLToPath(new URL('./child.mjs', import.meta.url))

async function begin() {
  const keys = mkdtempSync(join(tmpdir(), 'sluice-processes-'))
  onTestFinished(() => rmSync(keys, { recursive: true, force: true }))
  const log = await KeyFile.generate(join(keys, 'log.key'), { name: ORIGIN })
  const operator = await KeyFile.generate(join(keys, 'operator.key'), { name: 'operator' })
  const principals = founding.principals.map(principal =>
    principal.name === 'operator' ? { ...principal, key: operator.publicKey } : principal,
  )
  const predicate: Founding = { ...founding, logKey: log.publicKey, principals }
  const { bureau, auditor, reviewer, bank } = people
  const directory = join(keys, 'ledger')
  await Ledger.create(directory, {
    logSigner: log,
    founding: await sign(predicate, operator, bureau, auditor, reviewer, bank),
  })
  return { keys, directory, log, trust: trustOf(predicate) }
}

function start(directory: string, keys: string, name: string, count: number) {
  const child = spawn(process.execPath, [CHILD, directory, keys, name, String(count)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { out: '', err: '' }
  child.stdout.on('data', chunk => {
    output.out += chunk
  })
  child.stderr.on('data', chunk => {
    output.err += chunk
  })
  return { child, output, ended: once(child, 'close') }
}

/** What was printed in full: a line that the kill cut off was never read by anybody. */
function acknowledged(out: string): [index: number, text: string][] {
  return out
    .split('\n')
    .slice(0, -1)
    .map(line => [Number(line.split(' ')[0]), line.slice(line.indexOf(' ') + 1)])
}

async function texts(ledger: Ledger): Promise<(string | null)[]> {
  const read: (string | null)[] = []
  for await (const { envelope } of ledger.entries()) {
    read.push(envelope.predicate.kind === 'refusal' ? envelope.predicate.rule : null)
  }
  return read
}

test('killed again and again: everything acknowledged is there, and nobody has to repair anything', async () => {
  const { keys, directory, log, trust } = await begin()
  const all: [number, string][] = []
  // after so many entries, at whatever moment of the next
  for (const entries of [1, 23, 4, 11, 2, 38, 7]) {
    const { child, output, ended } = start(directory, keys, `life of ${entries}`, 1_000_000)
    while (acknowledged(output.out).length < entries && child.exitCode === null) await setTimeout(1)
    child.kill('SIGKILL')
    const [code, signal] = await ended
    expect([code, signal, output.err]).toEqual([null, 'SIGKILL', ''])
    all.push(...acknowledged(output.out))
  }
  const ledger = await Ledger.open(directory, { logSigner: log })
  const read = await texts(ledger)
  for (const [index, text] of all) expect(read[index]).toBe(text)
  expect((await verifyLedger(directory, { trust })).size).toBe(read.length)
})

test('two processes at once: each waits for the other, and no entry is lost or written twice', async () => {
  const { keys, directory, log, trust } = await begin()
  const both = [start(directory, keys, 'left', 70), start(directory, keys, 'right', 70)]
  for (const { ended, output } of both) {
    const [code] = await ended
    expect([code, output.err.replaceAll('waiting\n', '')]).toEqual([0, ''])
  }
  const all = both.flatMap(({ output }) => acknowledged(output.out)).sort(([a], [b]) => a - b)
  expect(all.map(([index]) => index)).toEqual(Array.from({ length: 140 }, (_, i) => i + 1))
  const ledger = await Ledger.open(directory, { logSigner: log })
  expect((await texts(ledger)).slice(1)).toEqual(all.map(([, text]) => text))
  expect((await verifyLedger(directory, { trust })).entriesByKind.refusal).toBe(140)
})

test('a process waits while this one has the lock, and says so; it gets the lock when a holder is killed', async () => {
  const { keys, directory, log } = await begin()
  const ledger = await Ledger.open(directory, { logSigner: log })
  const waiting = await ledger.exclusive(async () => {
    const waiting = start(directory, keys, 'second', 7)
    while (!waiting.output.err.includes('waiting') && waiting.child.exitCode === null) await setTimeout(5)
    expect(waiting.output.out).toBe('')
    return waiting
  })
  expect(await waiting.ended).toEqual([0, null])
  expect(waiting.output.err).toBe('waiting\n')

  const endless = start(directory, keys, 'holder', 1_000_000)
  while (endless.output.out === '' && endless.child.exitCode === null) await setTimeout(5)
  endless.child.kill('SIGKILL')
  await endless.ended
  expect(await ledger.exclusive(async writer => writer.size(), { wait: 1000 })).toBeGreaterThan(7)
})

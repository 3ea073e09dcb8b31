import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { reservePort } from '@sluice/mpc'
import { expect, it } from 'vitest'

it('reserves ports that differ, at which somebody else can listen', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => reservePort()))
  expect(new Set(ports).size).toBe(20)
  for (const port of ports) {
    const server = createServer()
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(port, '127.0.0.1', resolve),
    )
    await new Promise(resolve => server.close(resolve))
  }
})

it('keeps them from other processes that begin their search at the same port', async () => {
  // both begin where their number says, and the first still lives when the second asks
  const program = `
    Object.defineProperty(process, 'pid', { value: 4 })
    const { reservePort } = await import('@sluice/mpc')
    const ports = []
    for (let i = 0; i < 5; i++) ports.push(await reservePort())
    console.log(ports.join(' '))
    process.stdin.resume()`
  const cwd = dirname(fileURLToPath(import.meta.url))
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd })
  const first = run()
  const one = await new Promise<string>(resolve => first.child.stdout!.once('data', resolve))
  const second = run()
  const two = await new Promise<string>(resolve => second.child.stdout!.once('data', resolve))
  for (const { child } of [first, second]) child.stdin!.end()
  await Promise.all([first, second])
  expect(new Set(`${one} ${two}`.trim().split(/\s+/)).size).toBe(10)
})

it('passes by a port at which somebody listens', async () => {
  const port = await reservePort()
  const taken = createServer()
  // who listens there does not matter
  await new Promise<void>(resolve => taken.once('error', resolve).listen(port + 2, '127.0.0.1', resolve))
  expect(await reservePort()).not.toBe(port + 2)
  taken.close()
})

it('says that this machine has no such address', async () => {
  await expect(reservePort('192.0.2.1')).toThrowWithCode('ADDRESS_UNAVAILABLE')
})

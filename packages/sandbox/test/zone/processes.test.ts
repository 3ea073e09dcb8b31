import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { KeyFile } from '@sluice/ledger/keys'
import { Zone } from '@sluice/sandbox'
import { beforeAll, describe, expect, it } from 'vitest'
import { BY_TOWN, type Keys, makeKeys, makeZone, temporary } from './fixture.js'

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})

const program = join(dirname(fileURLToPath(import.meta.url)), 'operator-process.mjs')

/** An operator in a process of its own, who runs a request again and again, printing a line for each release. */
function operator(directory: string, keyFile: string, request: string, step: string): ChildProcess {
  return spawn(process.execPath, [program, directory, keyFile, request, step], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function operatorKey(): Promise<{ path: string; key: KeyFile }> {
  const path = join(await temporary(), 'operator.key')
  return { path, key: await KeyFile.generate(path, { name: 'operator' }) }
}

function lines(child: ChildProcess): AsyncIterableIterator<string> {
  return createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
}

describe('two processes on one zone', () => {
  it('wait for each other, and say so; when the wait is over it is an error', async () => {
    const { path, key } = await operatorKey()
    const { directory, approved } = await makeZone({ ...keys, operator: key })
    const holder = operator(directory, path, await approved(), 'hold')
    const output = lines(holder)
    expect((await output.next()).value).toBe('holding')
    let told = 0
    // long enough for a busy machine to ask twice
    const zone = await Zone.open(directory, { engine: { warm: 0 }, wait: 3_000, onWait: () => told++ })
    await expect(zone.requests.submit(BY_TOWN, keys.consumer)).toThrowWithCode('LOCKED')
    expect(told).toBeGreaterThan(0)
    const patient = await Zone.open(directory, { engine: { warm: 0 }, wait: 20_000 })
    const waiting = patient.requests.submit(BY_TOWN, keys.consumer)
    holder.kill('SIGKILL')
    expect((await waiting).status).toBe('submitted')
    await Promise.all([zone.close(), patient.close()])
  })

  it('share one allowance: together they get no run more than was approved', async () => {
    const { path, key } = await operatorKey()
    const { zone, directory, approved } = await makeZone({ ...keys, operator: key })
    const id = await approved(BY_TOWN, { maxRuns: 3 })
    const released = await Promise.all(
      [1, 2].map(async () => {
        let count = 0
        for await (const line of lines(operator(directory, path, id, 'run')))
          if (line.startsWith('released')) count++
        return count
      }),
    )
    expect(released[0]! + released[1]!).toBe(3)
    await zone.refresh()
    expect(zone.requests.show(id)).toMatchObject({ runs: 3, status: 'exhausted' })
    expect(zone.releases.list()).toHaveLength(3)
  })
})

describe('an operator killed at any moment', () => {
  it('loses no release that was handed out, keeps every run counted, and leaves nothing staged', async () => {
    const { path, key } = await operatorKey()
    const { zone, directory, approved } = await makeZone({ ...keys, operator: key })
    const id = await approved({ ...BY_TOWN, maxRuns: 1000 }, { maxRuns: 1000 })
    const handedOut: string[] = []
    let killed: number | undefined
    for (const delay of [40, 150, 320, 700]) {
      const child = operator(directory, path, id, 'run')
      killed = child.pid
      const ended = new Promise(resolve => child.once('exit', resolve))
      const output = lines(child)
      // the first line says that it is ready; from then on any moment will do
      await output.next()
      setTimeout(() => child.kill('SIGKILL'), delay)
      for await (const line of output)
        if (line.startsWith('released ')) handedOut.push(line.slice('released '.length))
      await ended
    }
    const again = await Zone.open(directory, { engine: { warm: 0 } })
    const kept = again.releases.list()
    expect(kept.map(({ run }) => run)).toEqual(expect.arrayContaining(handedOut))
    for (const { run } of kept) expect((await again.releases.get(run)).table.numRows).toBe(2)
    expect(again.requests.show(id).runs).toBeGreaterThanOrEqual(kept.length)
    await again.warm()
    const staged = (await readdir(join(directory, 'staging'))).filter(name => name !== 'lock')
    expect(staged).toHaveLength(2)
    // killed in the middle of a write, which the moments above may have missed
    const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
    const half = `.sluice-${machine}-${killed}-0123456789abcdef`
    await writeFile(join(directory, 'results', half), 'half')
    await again.run(id, key, { parameters: { since: '2000' } })
    expect((await readdir(join(directory, 'results'))).filter(name => name.startsWith('.'))).toEqual([])
    await again.close()
    await zone.refresh()
  })
})

import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KeyFile } from '@sluice/ledger/keys'
import { reservePort } from '@sluice/mpc'
import { bucketBound, freshPsiJob, parsePsiJob } from '@sluice/mpc/psi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startsIn } from './recorded.js'

const NAMES = ['bureau', 'bank'] as const
type Name = (typeof NAMES)[number]
const BUCKETS = 4
const program = fileURLToPath(new URL('./bucket-party.mjs', import.meta.url))
const ids = {
  bureau: Array.from({ length: 512 }, (_, i) => `编号${i}`),
  bank: Array.from({ length: 512 }, (_, i) => `编号${i + 200}`),
}
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-killed-'))
  const parties = await Promise.all(
    NAMES.map(async name => {
      const { publicKey } = await KeyFile.generate(join(folder, `${name}.key`), { name })
      return { name, key: publicKey, host: '127.0.0.1', port: await reservePort() }
    }),
  )
  const job = parsePsiJob({
    ...freshPsiJob(),
    purpose: 'companies that both know',
    parties,
    protocol: 'rr22',
    key: [{ name: 'id', normalize: [] }],
    size: { floor: 1, ceiling: 4096, step: 512 },
    receivers: [{ name: 'bank', learns: 'which' }],
    payload: [],
    minimumIntersection: 0,
    quota: { runs: 1, lifetimeItems: 100_000 },
    seconds: 60,
  })
  await writeFile(join(folder, 'job.json'), JSON.stringify({ job, ids }))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A party in a process of its own, killed without warning where it has said a word. @returns what it said */
function party(name: Name, killedAt?: string): Promise<string[]> {
  const words = [program, folder, name, String(512 / BUCKETS), ...(killedAt === undefined ? [] : [killedAt])]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: string[] = []
  child.stdout.on('data', chunk => {
    said.push(...String(chunk).trim().split('\n'))
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve(said))
  })
}

const both = (killed?: Name, at?: string) =>
  Promise.all(NAMES.map(name => party(name, name === killed ? at : undefined)))

const rowsOf = (said: readonly string[]) =>
  said.filter(word => word.startsWith('row ')).map(word => Number(word.slice(4)))
const bucketsOf = (said: readonly string[]) => said.filter(word => /^\d+$/.test(word)).map(Number)

describe('a run in buckets that is killed', () => {
  it('goes on where it read, at either side', async () => {
    expect((await party('bank', 'row 192')).at(-1)).toBe('row 192')
    expect(rowsOf(await party('bank', 'row 448'))).toEqual([128, 192, 256, 320, 384, 448])
    expect(rowsOf(await party('bureau', 'row 320'))).toEqual([0, 64, 128, 192, 256, 320])
  })

  it('goes on at the same command, whichever side it was and wherever, and loses a bucket at most', async () => {
    const [afterBank] = await both('bank', '1')
    expect(afterBank!.at(-1)).toBe('PEER_LOST')
    expect(rowsOf(afterBank!)).toEqual([256, 320, 384, 448])
    const [, afterBureau] = await both('bureau', '2')
    expect(afterBureau!.at(-1)).toBe('PEER_LOST')
    // what was read to its end is not read again
    expect(rowsOf(afterBureau!)).toEqual([])
    expect(bucketsOf(afterBureau!)[0]).toBeGreaterThanOrEqual(1)
    const [bureau, bank] = await both('bank', 'computed')
    expect(bureau!.at(-1)).toBe('computed')
    expect(bucketsOf(bank!)[0]).toBeGreaterThanOrEqual(2)
    // its rows were not written, and nobody else is there any more
    expect(await party('bank')).toEqual(['computed'])
    expect([...(await readFile(join(folder, 'bank.matched')))]).toEqual(
      ids.bank.map((_, row) => (row < 312 ? 1 : 0)),
    )
  })

  it('has counted one run, and what was evaluated again', async () => {
    const begun = await startsIn(join(folder, 'bureau.ledger'))
    expect(begun.map(({ resumes }) => resumes)).toEqual([undefined, begun[0]!.session, begun[0]!.session])
    const bound = bucketBound(512, BUCKETS)
    const [first, ...later] = begun.map(({ counterparts }) => counterparts[0]!.items)
    expect(first).toBe(BUCKETS * bound)
    for (const again of later) expect([0, bound]).toContain(again)
  })

  it('leaves nothing: neither of what was kept, nor of what was read, nor a key', async () => {
    const left = await readdir(folder)
    expect(left.filter(name => !/^(job\.json|\w+\.(key|approval|matched|ledger))$/.test(name))).toEqual([])
    for (const name of NAMES) {
      const kept = (await readdir(join(folder, `${name}.ledger`))).filter(file => file.startsWith('kept'))
      expect(kept).toEqual([])
    }
  })
})

import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KeyFile } from '@sluice/ledger/keys'
import { reservePort } from '@sluice/mpc'
import { freshPsiJob, parsePsiJob } from '@sluice/mpc/psi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startsIn } from './recorded.js'

const NAMES = ['bureau', 'bank', 'operator'] as const
type Name = (typeof NAMES)[number]
const program = fileURLToPath(new URL('./bucket-party.mjs', import.meta.url))
const numbers = (first: number) => Array.from({ length: 256 }, (_, i) => first + i)
const ids = { bureau: numbers(0).map(String), bank: numbers(100).map(String) }
const TAX = 7
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-helper-killed-'))
  const parties = await Promise.all(
    NAMES.map(async name => {
      const { publicKey } = await KeyFile.generate(join(folder, `${name}.key`), { name })
      return { name, key: publicKey, host: '127.0.0.1', port: await reservePort() }
    }),
  )
  const job = parsePsiJob({
    ...freshPsiJob(),
    purpose: 'what they pay whom both know',
    parties,
    protocol: 'helper',
    helper: 'operator',
    key: [{ name: 'id', normalize: [] }],
    size: { floor: 1, ceiling: 256, step: 256 },
    receivers: [{ name: 'bank', learns: 'sum' }],
    sum: { owner: 'bureau', column: 'tax', scale: 0, bound: '1000' },
    payload: [],
    minimumIntersection: 156,
    quota: { runs: 1, lifetimeItems: 100_000 },
    seconds: 60,
  })
  const tax = ids.bureau.map(() => String(TAX))
  await writeFile(join(folder, 'job.json'), JSON.stringify({ job, ids, tax }))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** All parties in processes of their own; one of them kills itself without warning as soon as it says a word. */
async function all(killed?: Name, at?: string): Promise<Record<Name, string[]>> {
  const ended = await Promise.all(
    NAMES.map(name => {
      const words = [program, folder, name, '64', ...(name === killed ? [at!] : [])]
      const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
      let said = ''
      child.stdout.on('data', chunk => {
        said += chunk
      })
      return new Promise<string[]>((resolve, reject) => {
        child.once('error', reject)
        child.once('close', () => resolve(said.trim().split('\n')))
      })
    }),
  )
  return Object.fromEntries(NAMES.map((name, i) => [name, ended[i]!])) as Record<Name, string[]>
}

describe('a total with a helper that is killed', () => {
  it('goes on at the same command, helper or receiver, with the same total, counted once', async () => {
    for (const [name, at] of [
      ['operator', '1'],
      ['bank', '3'],
    ] as const) {
      const said = await all(name, at)
      for (const other of NAMES) {
        if (other !== name) expect(said[other].at(-1)).toMatch(/^PEER_(LOST|STOPPED)$/)
      }
    }
    const { bank, bureau, operator } = await all()
    expect(bank.at(-1)).toBe(`156 keys, ${156 * TAX}`)
    // some were finished by all before, and nothing is read again
    expect(Number(bank[0])).toBeGreaterThan(1)
    for (const said of [bureau, operator]) expect(said.at(-1)).toBe('computed')
    for (const name of NAMES) {
      const begun = await startsIn(join(folder, `${name}.ledger`))
      expect(begun.filter(({ resumes }) => resumes === undefined).length).toBe(1)
    }
    const left = await readdir(folder)
    expect(left.filter(name => !/^(job\.json|\w+\.(key|approval|matched|ledger))$/.test(name))).toEqual([])
  })
})

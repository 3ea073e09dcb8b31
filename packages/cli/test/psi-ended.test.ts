import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KeyFile } from '@sluice/ledger/keys'
import { reservePort } from '@sluice/mpc'
import { freshPsiJob } from '@sluice/mpc/psi'
import { placeTable, readTable } from '@sluice/sandbox/io'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { goOn, haltedAt } from './terminal.js'
import { runCommand, temporaryRoot } from './transcript.js'

const NAMES = ['bureau', 'bank']
/** a CSV file is read and let go; a Parquet file's engine waits for the rows that are to be written, and owns no file */
const INPUTS: Readonly<Record<string, string>> = { bureau: 'bureau.csv', bank: 'bank.parquet' }
/** some tenths of a second of work after the first part of it is done */
const KEYS = 2048
const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'sluice.js')
let root = ''

const sluice = (command: string) =>
  runCommand(`sluice ${command}`, [], { cwd: root, remembered: new Map() }, root)

beforeAll(async () => {
  root = await temporaryRoot()
  const parties = []
  for (const name of NAMES) {
    const { publicKey: key } = await KeyFile.generate(join(root, `${name}.key`), { name })
    parties.push({ name, key, host: '127.0.0.1', port: await reservePort() })
    const first = name === 'bank' ? KEYS / 2 : 0
    const codes = Array.from({ length: KEYS }, (_, i) => `A${first + i}`)
    await writeFile(join(root, `${name}.csv`), `code\n${codes.join('\n')}\n`)
  }
  await readTable(join(root, 'bank.csv'), { staging: join(root, 'staging') }, table =>
    table.keep(new Uint8Array(KEYS).fill(1), new Set(), made => placeTable(made, join(root, 'bank.parquet'))),
  )
  const job = {
    ...freshPsiJob(),
    purpose: 'companies that both know',
    parties,
    protocol: 'ecdh',
    key: [{ name: 'code', normalize: [] }],
    size: { floor: 1, ceiling: KEYS, step: 1 },
    receivers: [{ name: 'bank', learns: 'which' }],
    payload: [],
    minimumIntersection: 1,
    quota: { runs: 5, lifetimeItems: 1_000_000 },
    seconds: 120,
  }
  await writeFile(join(root, 'job.json'), JSON.stringify(job))
  for (const name of NAMES) {
    const approved = await sluice(
      `psi approve job.json --as ${name} --input ${INPUTS[name]} --key code --yes`,
    )
    expect(approved.exitCode).toBe(0)
  }
})
afterAll(() => rm(root, { recursive: true, force: true }))

const UNDER_WAY = /"fraction":0\.[1-9]/

/** A party in a process of its own, which halts when it has computed a part: the signal is sent then, or something else done. */
function party(
  name: string,
  signal?: NodeJS.Signals,
  then: (pid: number) => void = () => undefined,
  input = INPUTS[name]!,
) {
  const out = name === 'bank' ? ['--out', 'shared.parquet'] : []
  const words = ['--as', name, '--input', input, '--key', 'code', ...out]
  const child = spawn(
    process.execPath,
    [...haltedAt(UNDER_WAY), program, 'psi', 'run', 'job.json', ...words, '--progress', 'json', '--json'],
    { cwd: root, env: { ...process.env, LANG: 'C' } },
  )
  let [stdout, stderr] = ['', '']
  let isUnderWay = false
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    if (isUnderWay || !UNDER_WAY.test(stderr)) return
    isUnderWay = true
    if (signal !== undefined) child.kill(signal)
    then(child.pid!)
    goOn(child)
  })
  return new Promise<{ code: number | null; stdout: string }>(resolve =>
    child.once('close', code => resolve({ code, stdout })),
  )
}

const statusesOf = async (name: string) => {
  const entries = JSON.parse((await sluice(`ledger show ${name}.ledger --from 1 --json`)).stdout)
  return entries.map(({ kind, about }: { kind: string; about: string }) =>
    kind === 'psi-break' ? about.split(' · ')[2] : kind,
  )
}
const before = new Set<string>()

it.each<[NodeJS.Signals, number | null, string[]]>([
  ['SIGKILL', null, ['psi-start']],
  ['SIGINT', 130, ['psi-start', 'psi-start', 'INTERRUPTED']],
])(
  '%s while the bank computes: the bureau ends and names it, and nothing is written',
  async (signal, exit, record) => {
    if (before.size === 0) for (const name of await readdir(root)) before.add(name)
    const [bureau, bank] = await Promise.all([party('bureau'), party('bank', signal)])
    expect(bank!.code).toBe(exit)
    const { error } = JSON.parse(bureau!.stdout)
    expect(error.code).toMatch(/^PEER_(LOST|STOPPED)$/)
    expect(error.message).toContain('"bank"')
    expect(bureau!.code).toBe(7)
    const added = (await readdir(root)).filter(name => !before.has(name))
    expect(added.sort()).toEqual(['bank.ledger', 'bureau.ledger'])
    expect(await statusesOf('bank')).toEqual(record)
    expect((await statusesOf('bureau')).at(-1)).toBe(error.code)
  },
)

it('the same command goes through the next time, and the ledger, which verifies, shows what broke off', async () => {
  const [bureau, bank] = await Promise.all([party('bureau'), party('bank')])
  expect([bureau!.code, bank!.code]).toEqual([0, 0])
  const [said, other] = [bank!, bureau!].map(({ stdout }) => JSON.parse(stdout))
  expect(said).toMatchObject({ count: KEYS / 2, rows: KEYS / 2 })
  expect(said.job).toMatch(/^[0-9a-f]{64}$/)
  expect(other.job).toBe(said.job)
  const added = (await readdir(root)).filter(name => !before.has(name))
  expect(added.sort()).toEqual(['bank.ledger', 'bureau.ledger', 'shared.parquet'])
  expect(await statusesOf('bank')).toEqual(['psi-start', 'psi-start', 'INTERRUPTED', 'psi-start', 'psi-end'])
  for (const name of ['bank', 'bureau'])
    expect(await sluice(`ledger verify ${name}.ledger`)).toMatchObject({ exitCode: 0, stderr: '' })
})

it.skipIf(process.platform !== 'linux')(
  'an engine that dies while it waits is replaced: the run has counted, and its rows are written',
  async () => {
    await rm(join(root, 'shared.parquet'))
    let killed = 0
    const killEngine = (pid: number) => {
      for (const engine of childrenOf(pid)) {
        process.kill(-engine, 'SIGKILL')
        killed++
      }
    }
    const [, bank] = await Promise.all([party('bureau'), party('bank', undefined, killEngine)])
    expect(killed).toBe(1)
    expect(JSON.parse(bank!.stdout)).toMatchObject({ count: KEYS / 2, rows: KEYS / 2 })
    const rows = await readTable(join(root, 'shared.parquet'), { staging: root }, async table => table.rows)
    expect(rows).toBe(KEYS / 2)
  },
)

function childrenOf(parent: number): number[] {
  const processes = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return processes.map(Number).filter(pid => {
    try {
      // the fourth field, after a name in parentheses: proc(5)
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ')
      return Number(fields[1]) === parent
    } catch {
      // it has ended meanwhile
      return false
    }
  })
}

it('an input that is exchanged meanwhile for one of as many rows is refused, and nothing is written of it', async () => {
  await rm(join(root, 'shared.parquet'))
  const codes = Array.from({ length: KEYS }, (_, i) => `B${i}`)
  await writeFile(join(root, 'new.csv'), `code\n${codes.join('\n')}\n`)
  const exchange = () => renameSync(join(root, 'new.csv'), join(root, 'bank.csv'))
  const [, bank] = await Promise.all([party('bureau'), party('bank', undefined, exchange, 'bank.csv')])
  expect(bank!.code).toBe(5)
  expect(JSON.parse(bank!.stdout).error.code).toBe('FINGERPRINT_MISMATCH')
  expect(await readdir(root)).not.toContain('shared.parquet')
})

import { spawn } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Outcome, runCommand, temporaryRoot } from './transcript.js'

const NAMES = ['bureau', 'bank', 'operator']
const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'sluice.js')
let root = ''

const sluice = (command: string): Promise<Outcome> =>
  runCommand(`sluice ${command}`, [], { cwd: root, remembered: new Map() }, root)

/** Sixty companies, in the bureau's file in one order and in the bank's in another. */
const companies = Array.from({ length: 60 }, (_, i) => ({
  id: `C${100 + i}`,
  band: i % 4 === 0 ? 'high' : 'low',
  industry: i < 5 ? '采矿' : i % 2 === 0 ? '农业' : '制造',
  debt: i % 7 === 0 ? '' : `${i * 13}.${10 + i}`,
}))

async function draft(minimum = 10): Promise<string> {
  const parties = await Promise.all(
    NAMES.map(async name => {
      const key = (await readFile(join(root, `${name}.key.pub`), 'utf8')).trim()
      return `  - {name: ${name}, key: "${key}", host: 127.0.0.1, port: ${await freePort()}}`
    }),
  )
  return [
    'purpose: loans in arrears by industry and tax band',
    'parties:',
    ...parties,
    'rows: 60',
    'columns:',
    '  - {name: band, owner: bureau, nullable: false, type: {kind: category, categories: [low, high]}}',
    '  - {name: industry, owner: bank, nullable: false, type: {kind: category, categories: [农业, 制造, 采矿]}}',
    '  - {name: debt, owner: bank, nullable: true, type: {kind: number, scale: 2, bound: "100000"}}',
    'where: [{column: debt, is: ">", than: {value: "0"}}]',
    'groupBy: [band, industry]',
    'totals: [debt]',
    `minimumEntities: ${minimum}`,
    'receivers: [bureau, bank]',
    'seconds: 60',
    '',
  ].join('\n')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A party in a process of its own, in its own terminal. */
function party(name: string, ...more: string[]) {
  const input =
    name === 'operator'
      ? []
      : ['--input', join(root, `${name}.csv`), '--entity', name === 'bank' ? 'firm' : 'id']
  const words = ['joint', 'run', join(root, 'job.json'), '--key', join(root, `${name}.key`)]
  const approval = ['--approval', join(root, `${name}.approval`)]
  const child = spawn(process.execPath, [program, ...words, ...approval, ...input, ...more], {
    env: { ...process.env, NO_COLOR: '1', LANG: 'C' },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => {
    stdout += String(chunk)
  })
  child.stderr.on('data', chunk => {
    stderr += String(chunk)
  })
  const ended = new Promise<Ended>(resolve => {
    child.once('close', code => resolve({ code, stdout, stderr }))
  })
  return { child, ended, said: () => stderr }
}

beforeAll(async () => {
  root = await temporaryRoot()
  for (const name of NAMES) await sluice(`key new ${name}.key --name ${name} --no-passphrase`)
  const lines = companies.map(({ id, band }) => `${id},${band}`)
  await writeFile(join(root, 'bureau.csv'), `id,band\n${lines.join('\n')}\n`)
  const theirs = companies.map(({ id, industry, debt }) => `${industry},${id},${debt}`).reverse()
  await writeFile(join(root, 'bank.csv'), `industry,firm,debt\n${theirs.join('\n')}\n`)
  await writeFile(join(root, 'draft.yaml'), await draft())
})

afterAll(() => rm(root, { recursive: true, force: true }))

describe('a job on the command line', () => {
  it('is made from a draft, shown, and signed by its parties alone', async () => {
    const made = await sluice('joint init draft.yaml --out job.json')
    expect(made.exitCode).toBe(0)
    expect(made.stdout).toContain('loans in arrears by industry and tax band')
    expect(made.stdout).toContain('any two of the three')
    expect((await sluice('joint init draft.yaml --out job.json')).stderr).toContain('EXISTS')
    const shown = JSON.parse((await sluice('joint show job.json --json')).stdout)
    expect(shown).toMatchObject({
      version: 'sluice-joint/1',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    for (const name of NAMES) {
      const approved = await sluice(`joint approve job.json --key ${name}.key --out ${name}.approval`)
      expect(approved.stdout).toContain(shown.digest)
    }
    await sluice('key new stranger.key --name bank --no-passphrase')
    const stranger = await sluice('joint approve job.json --key stranger.key --out x.approval')
    expect(stranger).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('KEY_UNKNOWN') })
    const chinese = await sluice('joint show job.json --lang zh')
    expect(chinese.stdout).toContain('任意两方')
  })

  it('runs in three processes, whoever starts first, and opens what an ordinary loop finds', async () => {
    const running = [party('operator'), party('bank', '--json'), party('bureau')]
    const [operator, bank, bureau] = await Promise.all(running.map(({ ended }) => ended))
    expect([operator, bank, bureau].map(ended => ended!.stderr)).toEqual(['', '', ''])
    const { cells, traffic } = JSON.parse(bank!.stdout)
    const expected = ['low', 'high'].flatMap(band =>
      ['农业', '制造', '采矿'].map(industry => {
        const inside = companies.filter(c => c.band === band && c.industry === industry && Number(c.debt) > 0)
        if (inside.length < 10) return { group: [band, industry], suppressed: true }
        const cents = inside.reduce((sum, { debt }) => sum + BigInt(debt.replace('.', '')), 0n)
        const sum = `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`
        const totals = [{ count: inside.length, sum }]
        return { group: [band, industry], suppressed: false, rows: inside.length, totals }
      }),
    )
    expect(cells).toEqual(expected)
    expect(traffic.rounds).toBeGreaterThan(10)
    expect(bureau!.stdout).toContain('‹minimum-entities›')
    expect(bureau!.stdout).toContain(expected.find(({ suppressed }) => !suppressed)!.totals![0]!.sum)
    expect(operator!.stdout).toContain('opened to other parties')
    expect(operator!.code).toBe(0)
  })

  it('that was changed is not run under the approval of another', async () => {
    const job = JSON.parse(await readFile(join(root, 'job.json'), 'utf8'))
    await writeFile(join(root, 'changed.json'), JSON.stringify({ ...job, minimumEntities: 1 }))
    const command =
      'joint run changed.json --key bank.key --approval bank.approval --input bank.csv --entity firm'
    expect(await sluice(command)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('NOT_APPROVED'),
    })
  })

  it('says who is missing, and ends at a signal', async () => {
    const alone = await party('bureau', '--wait', '1s').ended
    expect(alone.code).toBe(7)
    expect(alone.stderr).toContain('"bank", "operator"')
    const waiting = party('bureau', '--progress', 'json')
    while (!waiting.said().includes('listening')) await new Promise(resolve => setTimeout(resolve, 20))
    waiting.child.kill('SIGINT')
    expect((await waiting.ended).code).toBe(130)
  })

  it('survives nobody’s death: a party that is killed is named', async () => {
    const bureau = party('bureau', '--progress', 'json', '--wait', '3s')
    const bank = party('bank', '--wait', '3s')
    while (!bureau.said().includes('connected with bank'))
      await new Promise(resolve => setTimeout(resolve, 20))
    bank.child.kill('SIGKILL')
    const operator = party('operator', '--wait', '3s')
    const [one, other] = await Promise.all([bureau.ended, operator.ended])
    for (const { code, stderr, stdout } of [one, other]) {
      expect(code).toBe(7)
      expect(stderr).toContain('"bank"')
      expect(stdout).toBe('')
    }
  })

  it('asks for what a party with columns has to give', async () => {
    const command = 'joint run job.json --key bank.key --approval bank.approval'
    expect(await sluice(command)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('"industry"'),
    })
    const wrong = `${command} --input bureau.csv --entity id`
    expect(await sluice(wrong)).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('"industry"') })
  })
})

import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { reservePort } from '@sluice/mpc'
import { Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { terminal } from './terminal.js'
import { type Outcome, runCommand, temporaryRoot } from './transcript.js'

const NAMES = ['bureau', 'bank', 'operator']
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

/** What each owner says of its table, and the draft that one of them writes. */
const DESCRIPTIONS = {
  bureau: `name: taxpayers
owner: bureau
entity: id
columns:
  - {name: band, nullable: false, type: {kind: category, categories: [low, high]}}
`,
  bank: `name: loans
owner: bank
entity: firm
columns:
  - {name: industry, nullable: false, type: {kind: category, categories: [农业, 制造, 采矿]}}
  - {name: debt, nullable: true, type: {kind: number, scale: 2, bound: "100000", orderStatistics: true}}
`,
}

async function draft(): Promise<string> {
  const parties = await Promise.all(
    NAMES.map(async name => {
      const key = (await readFile(join(root, `${name}.key.pub`), 'utf8')).trim()
      return `  - {name: ${name}, role: computing, key: "${key}", host: 127.0.0.1, port: ${await reservePort()}}`
    }),
  )
  return `purpose: loans in arrears by industry and tax band
parties:
${parties.join('\n')}
inputs:
  - {file: taxpayers.json}
  - {file: loans.json}
operations:
  - name: arrears
    receivers: [bureau, bank]
    sql: |
      SELECT band, industry, count(*) AS firms, sum(debt) AS debt
      FROM loans JOIN taxpayers ON firm = id
      WHERE debt > 0
      GROUP BY band, industry
  - name: middle
    receivers: [bureau]
    statistic: {kind: quantiles, fractions: ["0.5"]}
    sql: SELECT band, debt FROM loans JOIN taxpayers ON firm = id
minimumEntities: 10
limits: {seconds: 60}
`
}

/** The Han characters of the bank's table in GBK. */
const GBK: Readonly<Record<string, string>> = {
  农: 'c5a9',
  业: 'd2b5',
  制: 'd6c6',
  造: 'd4ec',
  采: 'b2c9',
  矿: 'bff3',
}

function inGbk(text: string): Buffer {
  return Buffer.concat([...text].map(one => (one in GBK ? Buffer.from(GBK[one]!, 'hex') : Buffer.from(one))))
}

/** A party in a process of its own, in its own terminal. */
function party(name: string, ...more: string[]) {
  const input = name === 'operator' || more.includes('--input') ? [] : ['--input', `${name}.csv`]
  const words = ['joint', 'run', 'job.json', '--as', name]
  return terminal(root, [...words, ...input, ...more])
}

beforeAll(async () => {
  root = await temporaryRoot()
  for (const name of NAMES) await sluice(`key new ${name}.key --name ${name} --no-passphrase`)
  const lines = companies.map(({ id, band }) => `${id},${band}`)
  await writeFile(join(root, 'bureau.csv'), `id,band\n${lines.join('\n')}\n`)
  const theirs = companies.map(({ id, industry, debt }) => `${industry},${id},${debt}`).reverse()
  await writeFile(join(root, 'bank.csv'), `industry,firm,debt\n${theirs.join('\n')}\n`)
  await writeFile(join(root, 'gbk.csv'), inGbk(`industry,firm,debt\n${theirs.join('\n')}\n`))
  await writeFile(join(root, 'taxpayers.yaml'), DESCRIPTIONS.bureau)
  await writeFile(join(root, 'loans.yaml'), DESCRIPTIONS.bank)
  await writeFile(join(root, 'draft.yaml'), await draft())
})

afterAll(() => rm(root, { recursive: true, force: true }))

describe('a job on the command line', () => {
  it('is made from a draft, shown, and signed by its parties alone', async () => {
    for (const [name, input] of [
      ['bureau', 'taxpayers'],
      ['bank', 'loans'],
    ]) {
      const described = await sluice(
        `joint input ${input}.yaml --as ${name} --input ${name}.csv --out ${input}.json`,
      )
      expect(described.stdout).toMatch(/rows +60\n/)
      expect(described.stdout).toMatch(/fingerprint +[0-9a-f]{64}\n/)
    }
    const made = await sluice('joint init draft.yaml --out job.json')
    expect(made.exitCode).toBe(0)
    expect(made.stdout).toContain('loans in arrears by industry and tax band')
    expect(made.stdout).toContain('any two of bureau, bank, operator')
    expect(made.stdout).toContain('single values may be opened')
    expect((await sluice('joint init draft.yaml --out job.json')).stderr).toContain('EXISTS')
    const shown = JSON.parse((await sluice('joint show job.json --json')).stdout)
    expect(shown).toMatchObject({
      version: 'sluice-joint/2',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    for (const name of NAMES) {
      const approved = await sluice(`joint approve job.json --as ${name}`)
      expect(approved.stdout).toContain(shown.digest)
      expect(approved.stdout).toContain('aggregate by')
    }
    await sluice('key new stranger.key --name bank --no-passphrase')
    const stranger = await sluice('joint approve job.json --key-file stranger.key --out x.approval')
    expect(stranger).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('KEY_UNKNOWN') })
    const chinese = await sluice('joint show job.json --lang zh')
    expect(chinese.stdout).toContain('任意两方')
    expect(chinese.stdout).toMatch(/数字，±\d+，小数 \d 位/)
  })

  it('runs in three processes, whoever starts first, and opens what an ordinary loop finds', async () => {
    const bankOf = party('bank', '--json', '--input', 'gbk.csv', '--encoding', 'gbk')
    const running = [party('operator'), bankOf, party('bureau')]
    const [operator, bank, bureau] = await Promise.all(running.map(({ ended }) => ended))
    expect([operator, bank, bureau].map(ended => ended!.stderr)).toEqual(['', '', ''])
    const { tables, traffic } = JSON.parse(bank!.stdout)
    const expected = ['low', 'high'].flatMap(band =>
      ['农业', '制造', '采矿'].map(industry => {
        const inside = companies.filter(c => c.band === band && c.industry === industry && Number(c.debt) > 0)
        if (inside.length < 10) return [band, industry, null, null]
        const cents = inside.reduce((sum, { debt }) => sum + BigInt(debt.replace('.', '')), 0n)
        const sum = `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`
        return [band, industry, String(inside.length), sum]
      }),
    )
    expect(tables).toHaveLength(1)
    expect(tables[0].rows).toEqual(expected)
    expect(traffic.rounds).toBeGreaterThan(10)
    expect(bureau!.stdout).toContain('‹minimum-entities›')
    expect(bureau!.stdout).toContain(expected.find(row => row[3] !== null)![3]!)
    const medians = ['low', 'high'].map(band => {
      const debts = companies.filter(c => c.band === band && c.debt !== '').map(({ debt }) => debt)
      return [band, '0.5', debts.sort((a, b) => Number(a) - Number(b))[Math.ceil(debts.length / 2) - 1]!]
    })
    const middle = bureau!.stdout.slice(bureau!.stdout.indexOf('middle'))
    for (const row of medians) expect(middle).toMatch(new RegExp(row.join(' +')))
    expect(operator!.stdout).toContain('opened to other parties')
    expect(operator!.code).toBe(0)
  })

  it('that was changed is not run under the approval of another', async () => {
    const job = JSON.parse(await readFile(join(root, 'job.json'), 'utf8'))
    await writeFile(join(root, 'changed.json'), JSON.stringify({ ...job, minimumEntities: 1 }))
    const command = 'joint run changed.json --as bank --approval job.json.bank.approval --input bank.csv'
    expect(await sluice(command)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('NOT_APPROVED'),
    })
  })

  it('says who is missing, and ends at a signal', async () => {
    const alone = await party('bureau', '--wait', '1s').ended
    expect(alone.code).toBe(7)
    expect(alone.stderr).toContain('"bank", "operator"')
    const waiting = party('bureau', '--progress', 'json', '--lang', 'zh')
    while (!waiting.said().includes('监听')) await new Promise(resolve => setTimeout(resolve, 20))
    const events = waiting
      .said()
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line).progress.event)
    expect(events).toContainEqual({ kind: 'reading', input: 'taxpayers', rows: 60, of: 60 })
    waiting.child.kill('SIGINT')
    expect((await waiting.ended).code).toBe(130)
  })

  it('survives nobody’s death: a party that is killed is named', async () => {
    const bureau = party('bureau', '--progress', 'json', '--wait', '12s')
    const bank = party('bank', '--wait', '12s')
    while (!bureau.said().includes('connected with bank') && bureau.child.exitCode === null)
      await new Promise(resolve => setTimeout(resolve, 20))
    bank.child.kill('SIGKILL')
    const operator = party('operator', '--wait', '12s')
    const [one, other] = await Promise.all([bureau.ended, operator.ended])
    for (const { code, stderr, stdout } of [one, other]) {
      expect(code).toBe(7)
      expect(stderr).toContain('"bank"')
      expect(stdout).toBe('')
    }
  })

  it('asks for what a party with columns has to give', async () => {
    const command = 'joint run job.json --as bank'
    expect(await sluice(command)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('"loans"'),
    })
    const wrong = await sluice(`${command} --input bureau.csv`)
    expect(wrong).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('"firm"') })
    const changed = (await readFile(join(root, 'bank.csv'), 'utf8')).replace('13.11', '13.12')
    await writeFile(join(root, 'other.csv'), changed)
    const other = await sluice(`${command} --input other.csv`)
    expect(other).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('FINGERPRINT_MISMATCH') })
    const stranger = await sluice('joint run job.json --as bank --key-file bureau.key --input bank.csv')
    expect(stranger).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('KEY_UNKNOWN') })
  })

  it('takes Parquet and Arrow with their types for the same table as its text', async () => {
    const { readTable, writeTable } = await import('@sluice/sandbox/io')
    await writeFile(
      join(root, 'days.yaml'),
      'name: days\nowner: bank\nentity: firm\n' +
        'columns: [{name: days, nullable: true, type: {kind: number, scale: 0, bound: "400"}}]\n',
    )
    await writeFile(join(root, 'days.csv'), 'firm,days\nC2,91\nC1,7\nC3,\n')
    const described = async (file: string): Promise<unknown> => {
      const { stdout, stderr } = await sluice(
        `joint input days.yaml --as bank --input ${file} --out ${file}.json --json`,
      )
      expect(stderr).toBe('')
      return JSON.parse(stdout).fingerprint
    }
    const fingerprint = await described('days.csv')
    for (const format of ['parquet', 'arrow'] as const) {
      const types = await writeTable(join(root, `days.${format}`), (staging, begin) =>
        readTable(join(root, 'days.csv'), { staging }, async table => {
          const writer = await begin({ format, columns: table.columns })
          for await (const batch of table.batches()) await writer.write(batch)
          await writer.finish()
          return table.columns.map(({ type }) => type.kind)
        }),
      )
      expect(types).toEqual(['text', 'integer'])
      expect(await described(`days.${format}`)).toBe(fingerprint)
    }
  })

  it('takes text in GBK where that is said, and says how where it is not', async () => {
    const described = await sluice(
      'joint input loans.yaml --as bank --input gbk.csv --encoding gbk --out gbk.json',
    )
    expect(described.stderr).toBe('')
    expect(await readFile(join(root, 'gbk.json'), 'utf8')).toBe(
      await readFile(join(root, 'loans.json'), 'utf8'),
    )
    for (const [file, more] of [
      ['gbk.csv', ''],
      ['bank.csv', '--encoding gbk'],
    ]) {
      const refused = await sluice(`joint run job.json --as bank --input ${file} ${more}`)
      expect(refused).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('FILE_FORMAT') })
    }
  })

  it('is shown by a demonstration: three processes, one result, a ledger each that verifies', async () => {
    const shown = await sluice('joint demo demo --json')
    expect(shown).toMatchObject({ exitCode: 0, stderr: '' })
    const { parties } = JSON.parse(shown.stdout)
    expect(Object.keys(parties)).toEqual(NAMES)
    expect(parties.bureau.tables[0].rows).toHaveLength(12)
    expect(parties.bank.tables).toEqual(parties.bureau.tables)
    expect(parties.operator.tables).toEqual([])
    expect(new Set(NAMES.map(name => parties[name].session)).size).toBe(1)
    for (const name of NAMES) {
      const own = `demo/${name}.ledger`
      const verified = await sluice(`ledger verify ${own}/ledger --keys ${own}/trust.json --json`)
      expect(JSON.parse(verified.stdout)).toMatchObject({ size: 3 })
    }
    expect(await sluice('joint demo demo')).toMatchObject({
      exitCode: 6,
      stderr: expect.stringContaining('EXISTS'),
    })
    const dealt = await sluice('joint demo dealt --sharing dealer --json')
    expect(dealt.exitCode).toBe(0)
    expect(JSON.parse(dealt.stdout).parties.bank.tables).toEqual(parties.bank.tables)
  })

  it('is joined by the program in the documentation', async () => {
    const page = await readFile(new URL('../../../docs/mpc.md', import.meta.url), 'utf8')
    const [, snippet] = /```ts\n(import \{ readFile \}[^`]+)```/.exec(page) ?? []
    const named = snippet!.replace('arrears.json', 'job.json').replace('loans.parquet', 'loans.arrow')
    // where it finds the packages, and works in the party's directory
    const script = join(dirname(fileURLToPath(import.meta.url)), `.documented-${process.pid}.mjs`)
    await writeFile(script, named)
    const sorted = [...companies].sort((a, b) => (a.id < b.id ? -1 : 1))
    const column = (of: (company: (typeof companies)[number]) => string | null) =>
      vectorFromArray(sorted.map(of), new Utf8())
    const table = new Table({
      firm: column(({ id }) => id),
      industry: column(({ industry }) => industry),
      debt: column(({ debt }) => debt || null),
    })
    await writeFile(join(root, 'loans.arrow'), tableToIPC(table, 'file'))
    try {
      const bank = promisify(execFile)(process.execPath, [script], { cwd: root })
      const others = [party('bureau', '--json'), party('operator')].map(({ ended }) => ended)
      const [{ stdout }, bureau] = await Promise.all([bank, ...others])
      expect(stdout).toContain("operation: 'arrears'")
      expect(bureau).toMatchObject({ code: 0 })
    } finally {
      await rm(script)
    }
  })
})

import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyFile } from '@sluice/ledger/keys'
import { beginIntersection, PartyLedger } from '@sluice/ledger/party'
import { reservePort } from '@sluice/mpc'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fullFor, terminal } from './terminal.js'
import { type Outcome, runCommand, temporaryRoot } from './transcript.js'

const NAMES = ['bureau', 'bank', 'operator']
const keys = new Map<string, string>()
let root = ''

const sluice = (command: string): Promise<Outcome> =>
  runCommand(`sluice ${command}`, [], { cwd: root, remembered: new Map() }, root)

/** A job of two, or of three with a helper, made and signed. */
async function prepared(job: string, body: string, names = NAMES.slice(0, 2), ceiling = 200): Promise<void> {
  const parties = await Promise.all(
    names.map(async name => {
      return `  - {name: ${name}, key: "${keys.get(name)}", host: 127.0.0.1, port: ${await reservePort()}}`
    }),
  )
  const common = `purpose: companies that both know
parties:
${parties.join('\n')}
key: [{name: code, normalize: [width, trim, case]}]
size: {floor: 1, ceiling: ${ceiling}, step: 10}
quota: {runs: 2, lifetimeItems: 1000}
seconds: 60
`
  await writeFile(join(root, `${job}.yaml`), common + body)
  expect((await sluice(`psi init ${job}.yaml --out ${job}.json`)).stderr).toBe('')
  for (const name of names) {
    const input = name === 'operator' ? '' : ` --input ${name}.csv --key ${KEY[name]}`
    const approved = await sluice(`psi approve ${job}.json --as ${name}${input} --yes`)
    expect(approved.exitCode).toBe(0)
  }
}

const KEY: Readonly<Record<string, string>> = { bureau: 'code', bank: 'firm' }

/** A party in a process of its own. */
function party(job: string, name: string, ...more: string[]) {
  const input = name === 'operator' ? [] : ['--input', `${name}.csv`, '--key', KEY[name]!]
  const words = ['psi', 'run', `${job}.json`, '--as', name, ...input, ...more]
  return terminal(root, [...words])
}

/** The bureau’s rows that are shared, in its file’s order. */
function sharedOf(decimals: string): string[][] {
  const row = (i: number) => [`A0${i * 3}`, `${i * 3}.${decimals}`, i % 2 ? '农业' : '制造']
  return Array.from({ length: 20 }, (_, i) => row(i))
}

/** The rows of a file, each value as text. */
async function rowsOf(name: string): Promise<string[][]> {
  const { cellText, readTable } = await import('@sluice/sandbox/io')
  return readTable(join(root, name), { staging: root }, async table => {
    const rows: string[][] = []
    for await (const batch of table.batches()) {
      const { fields } = batch.schema
      for (const row of batch) rows.push(fields.map(({ name, type }) => cellText(row[name], type)))
    }
    return rows
  })
}

async function asParquet(from: string, to: string): Promise<void> {
  const { placeTable, readTable } = await import('@sluice/sandbox/io')
  await readTable(join(root, from), { staging: root }, table =>
    table.keep(new Uint8Array(table.rows).fill(1), new Set(['code', 'tax']), made =>
      placeTable(made, join(root, to)),
    ),
  )
}

beforeAll(async () => {
  root = await temporaryRoot()
  for (const name of NAMES) {
    const { publicKey } = await KeyFile.generate(join(root, `${name}.key`), { name })
    keys.set(name, publicKey)
  }
  const bureau = Array.from({ length: 60 }, (_, i) => `A0${i},${i}.50,${i % 2 ? '农业' : '制造'}`)
  await writeFile(join(root, 'bureau.csv'), `code,tax,industry\n${bureau.join('\n')}\n`)
  // every third company, in small letters, one of them twice, and rows without a code
  const bank = Array.from({ length: 20 }, (_, i) => `${i * 10},a0${i * 3}`)
  await writeFile(join(root, 'bank.csv'), `loan,firm\n7,\n${bank.join('\n')}\n8,Ａ03\n9,B1\n`)
})

afterAll(() => rm(root, { recursive: true, force: true }))

const WHICH = `protocol: ecdh
receivers: [{name: bank, learns: which}, {name: bureau, learns: which}]
payload: [{from: bureau, to: bank, columns: [tax, industry]}]
minimumIntersection: 5
`

describe('an intersection on the command line', () => {
  it('is signed by its parties with their inputs, and says what the minimum is worth', async () => {
    await prepared('which', WHICH)
    const shown = await sluice('psi show which.json')
    expect(shown.stdout).toContain('a promise of the receiver')
    expect(shown.stdout).toContain('companies that both know')
    expect(shown.stdout).toMatch(/code +width, trim, case\n/)
    expect(shown.stdout).toMatch(/seconds +60\n/)
    expect((await sluice('psi show which.json --lang zh')).stdout).toContain('仅为接收方的承诺')
    const plain = (await readFile(join(root, 'which.yaml'), 'utf8')).replace('[width, trim, case]', '[]')
    await writeFile(join(root, 'plain.yaml'), plain)
    await sluice('psi init plain.yaml --out plain.json')
    expect((await sluice('psi show plain.json')).stdout).toMatch(/code {2}as it stands\n/)
    const unread = await sluice('psi approve which.json --as bank --input bank.csv --key firm --force')
    expect(unread).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('there is no terminal') })
    const approval = JSON.parse(await readFile(join(root, 'which.bank.approval'), 'utf8'))
    expect(approval.input).toMatchObject({ size: 30, commitment: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })

  it('gives the rows that are shared, with the columns that are handed over', async () => {
    const bureau = party('which', 'bureau', '--out', 'shared-bureau.parquet')
    const bank = party('which', 'bank', '--out', 'shared.csv', '--join', 'left', '--json')
    const [one, two] = await Promise.all([bureau.ended, bank.ended])
    expect([one.stderr, two.stderr]).toEqual(['', ''])
    expect(one.stdout).toMatch(/shared keys +20/)
    expect(JSON.parse(two.stdout)).toMatchObject({
      count: 20,
      rows: 23,
      columns: ['loan', 'firm', 'tax', 'industry', 'shared'],
    })
    const lines = (await readFile(join(root, 'shared.csv'), 'utf8')).trimEnd().split('\n').slice(1)
    expect(lines).toContain('30,a09,9.50,农业,true')
    expect(lines).toContain('8,Ａ03,3.50,农业,true')
    expect(lines).toContain('9,B1,,,false')
    // as they stand in the file, in its order
    expect(await rowsOf('shared-bureau.parquet')).toEqual(sharedOf('5'))
    expect(two.stdout).toContain('bank.ledger')
    const { stdout } = await sluice('ledger show bank.ledger')
    expect(stdout).toMatch(/1 .* psi-start +bank +[0-9a-f]{10} · [0-9a-f]{8} · bureau 60\n/)
    expect(stdout).toMatch(/2 .* psi-end +bank +[0-9a-f]{10} · [0-9a-f]{8}\n/)
    for (const name of ['bank', 'bureau']) {
      const verified = await sluice(`ledger verify ${name}.ledger --json`)
      const counts = { 'party-founding': 1, 'psi-start': 1, 'psi-end': 1 }
      expect(JSON.parse(verified.stdout)).toMatchObject({ size: 3, entriesByKind: counts })
    }
  })

  it('is in the ledger of each party, which others witness: what is cut off behind them is found out', async () => {
    await cp(join(root, 'bank.ledger'), join(root, 'older.ledger'), { recursive: true })
    const own = await sluice('ledger cosign bank.ledger --key bank.key')
    expect(own).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('ledger.witness') })
    const cosigned = await sluice('ledger cosign bank.ledger --key bureau.key --out seen.txt')
    expect(cosigned).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/witnessed by +bureau/) })
    const witnessed = await sluice('ledger verify bank.ledger --since seen.txt')
    expect(witnessed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/witnessed by +bureau/) })
    expect((await sluice('ledger receipt 1 bank.ledger --out receipt.json')).exitCode).toBe(0)
    const receipt = await sluice('ledger verify receipt.json --keys bank.ledger/trust.json')
    expect(receipt.stdout).toMatch(/kind +psi-start/)
    expect((await sluice('ledger checkpoint bank.ledger --out now.txt')).exitCode).toBe(0)
    expect((await sluice('ledger verify older.ledger --since now.txt')).exitCode).toBe(0)
    // another history, of the same log: the run is not in it
    await rm(join(root, 'older.ledger'), { recursive: true })
    const anew = join(root, 'older.ledger')
    await cp(join(root, 'bank.ledger', 'log.key'), join(anew, 'log.key'))
    const again = async () => PartyLedger.open(anew, await KeyFile.open(join(root, 'bank.key')))
    await expect(again()).toThrowWithCode('LEDGER_ROLLED_BACK')
    // who forges the mark of a ledger that was never begun is found out by others
    await writeFile(join(anew, 'beginning'), '')
    await again()
    expect(await sluice('ledger verify older.ledger --since seen.txt')).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('LEDGER_ROLLED_BACK'),
    })
  })

  it('ends for both with what was wrong: another input, a quota used up', async () => {
    await writeFile(join(root, 'bureau.bak'), await readFile(join(root, 'bureau.csv')))
    await writeFile(join(root, 'bureau.csv'), 'code,tax,industry\nA00,1,x\n')
    const changed = await sluice('psi run which.json --as bureau --input bureau.csv --key code --out x.csv')
    expect(changed).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('FINGERPRINT_MISMATCH') })
    await writeFile(join(root, 'bureau.csv'), await readFile(join(root, 'bureau.bak')))
    const again = () =>
      Promise.all([
        party('which', 'bureau', '--out', 'again.csv', '--force').ended,
        party('which', 'bank', '--out', 'again2.csv', '--join', 'anti', '--force').ended,
      ])
    expect((await again()).map(({ code }) => code)).toEqual([0, 0])
    const anti = (await readFile(join(root, 'again2.csv'), 'utf8')).trimEnd().split('\n')
    expect(anti).toEqual(['loan,firm', '7,', '9,B1'])
    const third = await again()
    expect(third.map(({ code }) => code).sort()).toEqual(expect.arrayContaining([4]))
    expect(third.some(({ stderr }) => stderr.includes('APPROVAL_EXHAUSTED'))).toBe(true)
  })

  it('works from disk where sets may be large, and leaves nothing there', async () => {
    await prepared('large', WHICH.replace('ecdh', 'rr22'), ['bureau', 'bank'], 2_000_000)
    await asParquet('bureau.csv', 'bureau.parquet')
    const before = (await readdir(root)).sort()
    const run = (name: string, ...more: string[]) => party('large', name, '--progress', 'json', ...more).ended
    const [bureau, bank] = await Promise.all([
      run('bureau', '--input', 'bureau.parquet', '--out', 'large-bureau.parquet', '--scratch', '.'),
      run('bank', '--out', 'large.csv', '--join', 'left'),
    ])
    expect([bureau.code, bank.code]).toEqual([0, 0])
    const lines = (await readFile(join(root, 'large.csv'), 'utf8')).trimEnd().split('\n').slice(1)
    expect(lines).toContain('30,a09,9.50,农业,true')
    expect(lines).toContain('8,Ａ03,3.50,农业,true')
    expect(lines).toContain('9,B1,,,false')
    expect(bank.stderr).toMatch(/"stage":"intersect","fraction":1,"bucket":1,"buckets":1,"itemsPerSecond":\d/)
    const after = (await readdir(root)).filter(name => !before.includes(name))
    expect(after.filter(name => !/^(bureau|bank).ledger$/.test(name)).sort()).toEqual([
      'large-bureau.parquet',
      'large.csv',
    ])
    expect(await rowsOf('large-bureau.parquet')).toEqual(sharedOf('50'))
  })

  it('goes on after Ctrl-C, and says so', async () => {
    const alone = party('large', 'bank', '--out', 'again.csv', '--progress', 'json', '--force')
    await new Promise<void>(resolve => {
      alone.child.stderr.on('data', chunk => {
        if (String(chunk).includes('"kind":"calling"')) resolve()
      })
    })
    alone.child.kill('SIGINT')
    const { code, stderr } = await alone.ended
    expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringContaining('INTERRUPTED') })
    expect(stderr).toContain('finished buckets are kept')
    // what was read stays for the same command, under a key elsewhere; `psi-ended` and `killed` go on with such
    const kept = (await readdir(root)).filter(name => name.startsWith('.sluice-'))
    expect(kept).toEqual([expect.stringMatching(/^\.sluice-psi-/)])
    expect((await stat(join(root, kept[0]!))).mode & 0o777).toBe(0o700)
    await rm(join(root, kept[0]!), { recursive: true })
  })

  it('keeps what was read where the disk is full, and says to go on', async () => {
    const words = ['--as', 'bank', '--input', 'bank.csv', '--key', 'firm', '--out', 'full.csv']
    const ledger = join(root, 'bank.ledger')
    const keys = (await readdir(ledger)).filter(name => name.startsWith('kept'))
    for (const key of keys) await rm(join(ledger, key))
    // of the two keys, the one after the reading's
    const full = fullFor(/bank\.ledger.kept\.[^/\\]*\.[0-9a-f]{16}$/)
    const { code, stderr } = await terminal(root, ['psi', 'run', 'large.json', ...words], full).ended
    expect({ code, stderr }).toMatchObject({ code: 6, stderr: expect.stringContaining('DISK_FULL') })
    expect(stderr.replace(/\s+/g, ' ')).toContain('Free some space and run the same command again.')
    const kept = (await readdir(root)).filter(name => name.startsWith('.sluice-'))
    expect(kept).toEqual([expect.stringMatching(/^\.sluice-psi-/)])
    expect(await readdir(join(root, kept[0]!))).toContain('kept')
    await rm(join(root, kept[0]!), { recursive: true })
  })

  it('says that it goes on wherever Ctrl-C came, also while the input is read', async () => {
    const rows = Array.from({ length: 300_000 }, (_, i) => `${i},a0${i}`)
    await writeFile(join(root, 'long.csv'), `loan,firm\n${rows.join('\n')}\n`)
    const reading = party(
      'large',
      'bank',
      '--input',
      'long.csv',
      '--out',
      'long-out.csv',
      '--progress',
      'json',
    )
    reading.child.stderr.once('data', () => reading.child.kill('SIGINT'))
    const { code, stderr } = await reading.ended
    expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringContaining('INTERRUPTED') })
    expect(stderr).toContain('finished buckets are kept')
    await rm(join(root, 'long.csv'))
    expect((await readdir(root)).filter(name => /^\.sluice-|^long/.test(name))).toEqual([])
  })

  it('totals with a helper, whose minimum is enforced', async () => {
    const body = (minimum: number) => `protocol: helper
helper: operator
receivers: [{name: bank, learns: sum}]
sum: {owner: bureau, column: tax, scale: 2, bound: "100000"}
payload: []
minimumIntersection: ${minimum}
`
    await prepared('total', body(20), NAMES)
    const [, bank, helper] = await Promise.all(NAMES.map(name => party('total', name).ended))
    expect(bank!.stderr).toBe('')
    expect(bank!.stdout).toMatch(/shared keys +20/)
    // 0.50 + 3.50 + … + 57.50
    expect(bank!.stdout).toContain('580.00')
    expect(helper!.stdout).toContain('how many keys each group of owners shares, and says nothing of them')
    await prepared('few', body(21), NAMES)
    const [bureau, below] = await Promise.all(NAMES.map(name => party('few', name).ended))
    expect(below).toMatchObject({ code: 3, stderr: expect.stringContaining('psi.minimumIntersection') })
    expect(below!.stdout).toBe('')
    expect(bureau).toMatchObject({ code: 0, stdout: expect.not.stringContaining('shared keys') })
  })

  it('totals between two, where the one without values holds the other to the minimum', async () => {
    const body = (minimum: number, receiver: string) => `protocol: ecdh
receivers: [{name: ${receiver}, learns: sum}]
sum: {owner: bureau, column: tax, scale: 2, bound: "100000"}
payload: []
minimumIntersection: ${minimum}
`
    await prepared('two', body(20, 'bureau'))
    const shown = await sluice('psi show two.json')
    expect(shown.stdout).toMatch(/bank +how many keys are shared, of which its program says nothing/)
    expect(shown.stdout).toContain('tax of bureau, decimals: 2; for one key at most ± 100000\n')
    expect(shown.stdout).toContain('enforced')
    const [bureau, bank] = await Promise.all(NAMES.slice(0, 2).map(name => party('two', name).ended))
    expect([bureau!.stderr, bank!.stderr]).toEqual(['', ''])
    expect(bureau!.stdout).toMatch(/shared keys +20\n/)
    expect(bureau!.stdout).toContain('580.00')
    expect(bank!.stdout).toContain('is not said')
    expect(bank!.stdout).not.toMatch(/shared keys +\d/)
    await prepared('fewer', body(21, 'bureau'))
    const [below, adder] = await Promise.all(NAMES.slice(0, 2).map(name => party('fewer', name).ended))
    expect(below).toMatchObject({ code: 3, stderr: expect.stringContaining('psi.minimumIntersection') })
    expect(adder!.code).toBe(0)
    await writeFile(
      join(root, 'promised.yaml'),
      (await readFile(join(root, 'two.yaml'), 'utf8')).replace('name: bureau, learns', 'name: bank, learns'),
    )
    await sluice('psi init promised.yaml --out promised.json')
    expect((await sluice('psi show promised.json')).stdout).toContain('a promise of the receiver')
    const dry = await sluice('psi run two.json --as bank --input bank.csv --key firm --dry-run --json')
    const fits = JSON.parse(dry.stdout).estimates.filter((each: { fits: boolean }) => each.fits)
    expect(fits.map(({ protocol }: { protocol: string }) => protocol)).toEqual(['ecdh'])
  })

  it('estimates what each protocol costs here, and chooses', async () => {
    const dry = await sluice('psi run which.json --as bank --input bank.csv --key firm --dry-run --json')
    const { estimates } = JSON.parse(dry.stdout)
    expect(estimates.find((each: { chosen: boolean }) => each.chosen)).toMatchObject({
      protocol: 'ecdh',
      fits: true,
    })
    for (const each of estimates) expect(Math.min(each.seconds, each.bytes, each.memory)).toBeGreaterThan(0)
    const told = await sluice('psi run which.json --as bank --input bank.csv --key firm --dry-run')
    expect(told.stdout).toMatch(/oprf .*it has no prepared set\n/)
    expect(told.stdout).toMatch(/helper .*it has no helper\n/)
  })

  it.each([
    ['psi run which.json --as nobody --input bank.csv --key firm --out y.csv', 6, 'NAME_UNKNOWN'],
    ['psi run which.json --as bank --input bank.csv --out y.csv', 2, 'USAGE'],
    ['psi run which.json --as bank --input bank.csv --key firm', 2, 'USAGE'],
    ['psi run which.json --as bank --input bank.csv --key loans --out y.csv', 6, 'NAME_UNKNOWN'],
    [
      'psi run which.json --as bank --key-file bureau.key --input bank.csv --key firm --out y.csv',
      5,
      'KEY_UNKNOWN',
    ],
    ['psi run total.json --as operator --input bank.csv --key firm', 2, 'USAGE'],
    ['psi run which.json --as bank --input bank.csv --key firm --out bank.csv --wait 1s', 6, 'EXISTS'],
    ['psi run which.json --as bank --input bank.csv --key firm --out bank.csv --force', 6, 'EXISTS'],
    ['psi run two.json --as bank --input bank.csv --key firm --out -', 2, 'USAGE'],
    ['psi run two.json --as bank --input bank.csv --key firm --sum loan', 2, 'USAGE'],
    ['psi show which.yaml', 6, 'is a draft, and no job'],
    ['psi approve which.json --as nobody --input bank.csv --key firm --yes', 6, 'NAME_UNKNOWN'],
    ['psi approve which.json --as bank --input none.csv --key firm --yes', 6, 'EXISTS'],
    ['psi run which.json --as bank --input bank.csv --key firm --out no/y.csv --wait 1s', 6, 'FILE_MISSING'],
    [
      'psi run large.json --as bank --input bank.csv --key firm --out z.csv --scratch no/folder',
      6,
      'FILE_MISSING',
    ],
    // a job that is worked in memory, and one in buckets
    [
      'psi run which.json --as bank --input bank.csv --key firm --prepared a.prepared --out z.csv',
      2,
      'has no prepared set',
    ],
    [
      'psi run large.json --as bank --input bank.csv --key firm --prepared a.prepared --out z.csv',
      2,
      'has no prepared set',
    ],
    [
      'psi run large.json --as bank --input bank.csv --key firm --oprf-key a.oprf --dry-run',
      2,
      'has no prepared set',
    ],
  ])('refuses %s', async (command, exitCode, code) => {
    expect(await sluice(command)).toMatchObject({ exitCode, stderr: expect.stringContaining(code) })
  })

  it('tells a run that goes on from one that began', async () => {
    const signer = await KeyFile.open(join(root, 'bureau.key'))
    const counterparts = [{ name: 'bank', key: keys.get('bank')!, items: 70 }]
    const begun = {
      jobDigest: 'ab'.repeat(32),
      session: 'cd'.repeat(32),
      parties: ['bank', 'bureau'],
      items: 60,
      counterparts,
    }
    const ledger = await PartyLedger.open(join(root, 'going-on.ledger'), signer)
    const quota = { runs: 1, lifetimeItems: 200 }
    await beginIntersection(ledger, begun, quota)
    await beginIntersection(ledger, { ...begun, session: 'ef'.repeat(32), resumes: begun.session }, quota)
    const { stdout } = await sluice('ledger show going-on.ledger')
    expect(stdout).toContain('ababababab · cdcdcdcd · bank 70\n')
    expect(stdout).toContain('ababababab · efefefef · resumes cdcdcdcd · bank 70\n')
  })

  it('has a demonstration', async () => {
    const { stdout, stderr, exitCode } = await sluice('psi demo')
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
    expect(stdout).toContain('91310115ma1k4x5y6z,2000000')
    expect(stdout).not.toContain('91120118MA7R8T9U1W')
  })

  it('demonstrates in the language that is asked for, whatever key the caller works with', async () => {
    const { stdout, stderr, exitCode } = await runCommand(
      `process SLUICE_KEY_FILE=${join(root, 'operator.key')} sluice psi demo --lang zh`,
      [],
      { cwd: root, remembered: new Map() },
      root,
    )
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
    expect(stdout).toContain('签名已写入')
  })

  it('says of a job in Chinese what is signed, and of a missing approval that it is not there', async () => {
    const { stdout } = await sluice('psi show which.json --lang zh')
    expect(stdout).toMatch(/^键 .*\n/m)
    expect(stdout).toMatch(/^结果下限 /m)
    const { stderr, exitCode } = await sluice(
      'psi run which.json --as bank --input bank.csv --key firm --out y.csv --approval no --lang zh',
    )
    expect(stderr).toContain('no 处没有“bank”对此任务的审批')
    expect(stderr).toContain('`sluice psi approve which.json --as bank`')
    expect(exitCode).toBe(4)
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { KeyFile } from '@sluice/ledger/keys'
import { reservePort } from '@sluice/mpc'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { goOn, haltedAt } from './terminal.js'
import { type Outcome, runCommand, temporaryRoot } from './transcript.js'

const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'sluice.js')
const keys = new Map<string, string>()
let root = ''

const sluice = (command: string): Promise<Outcome> =>
  runCommand(`sluice ${command}`, [], { cwd: root, remembered: new Map() }, root)

const PREPARE = 'psi prepare companies.csv --as bureau --key code --normalize width,trim,case'

async function draft(name: string, more = 'quota: {runs: 2, lifetimeItems: 25}'): Promise<void> {
  const parties = await Promise.all(
    ['bureau', 'bank'].map(
      async party =>
        `  - {name: ${party}, key: "${keys.get(party)}", host: 127.0.0.1, port: ${await reservePort()}}`,
    ),
  )
  await writeFile(
    join(root, name),
    `purpose: which borrowers are registered
parties:
${parties.join('\n')}
protocol: oprf
prepared: {owner: bureau}
size: {floor: 2, ceiling: 50, step: 10}
receivers: [{name: bank, learns: which}]
payload: []
minimumIntersection: 0
seconds: 60
${more}
`,
  )
}

const ASK = '--as bank --input bank.csv --key firm --prepared companies.prepared'

/** Both sides at once. */
const both = (...more: string[]) =>
  Promise.all([
    sluice('psi run shared.json --as bureau'),
    sluice(`psi run shared.json ${ASK} ${more.join(' ')}`),
  ])

const sourceNames = async () =>
  (await readdir(root, { recursive: true })).filter(name => name.endsWith('/source'))

/** Says so when a file gets the name of the engine's input, which it may have for a moment only. */
const TELLING = `data:text/javascript,${encodeURIComponent(`
  import { promises } from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  for (const call of ['link', 'copyFile']) {
    const real = promises[call]
    promises[call] = async (from, to, ...more) => {
      await real(from, to, ...more)
      if (to.endsWith('/source')) process.stderr.write('the input has a name\\n')
    }
  }
  syncBuiltinESMExports()
`)}`

/** Whoever asks, in a process of its own that has read its input and waits for the owner. */
async function resting(job: string) {
  const words = ['psi', 'run', job, ...ASK.split(' '), '--out', 'never.csv', '--progress', 'json']
  const child = spawn(process.execPath, ['--import', TELLING, program, ...words], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', LANG: 'C' },
  })
  const ended = once(child, 'close')
  let said = ''
  child.stderr.on('data', chunk => {
    said += String(chunk)
  })
  while (!said.includes('calling bureau') && child.exitCode === null) await setTimeout(10)
  expect(said).toContain('the input has a name')
  while ((await sourceNames()).length > 0 && child.exitCode === null) await setTimeout(10)
  return { child, ended }
}

beforeAll(async () => {
  root = await temporaryRoot()
  for (const name of ['bureau', 'bank']) {
    const { publicKey } = await KeyFile.generate(join(root, `${name}.key`), { name })
    keys.set(name, publicKey)
  }
  const codes = Array.from({ length: 40 }, (_, i) => `91${i},${i}`)
  await writeFile(join(root, 'companies.csv'), `code,tax\n${codes.join('\n')}\n`)
  await writeFile(join(root, 'bank.csv'), 'firm,loan\n 917,1\n９１３９,2\n9140,3\n,4\n917,5\n')
})

afterAll(() => rm(root, { recursive: true, force: true }))

describe('a prepared set on the command line', () => {
  it('is made, with its key beside its owner’s, and shown', async () => {
    expect((await sluice('psi prepare companies.csv --as bureau --key code --dry-run')).stdout).toMatch(
      /rows +40/,
    )
    const made = await sluice(`${PREPARE} --step 100 --out companies.prepared --json`)
    expect(made).toMatchObject({ stderr: '', exitCode: 0 })
    expect(JSON.parse(made.stdout)).toMatchObject({ items: 40, count: 100, epoch: 1, keyMade: true })
    expect((await stat(join(root, 'bureau.key.oprf'))).mode & 0o777).toBe(0o600)
    const shown = await sluice('psi show companies.prepared')
    expect(shown.stdout).toContain(JSON.parse(made.stdout).digest)
    expect(shown.stdout).toMatch(/code +width, trim, case/)
    expect((await sluice('psi show companies.prepared --lang zh')).stdout).toContain('密钥序号')
    const ledger = await sluice('ledger show bureau.ledger')
    expect(ledger.stdout).toMatch(/psi-set +bureau +[0-9a-f]{10} · epoch 1 · 100\n/)
  })

  it('is what a job names, which each side signs with what it has', async () => {
    await draft('shared.yaml')
    const bare = await sluice('psi init shared.yaml --out shared.json')
    expect(bare).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('JOB_INVALID') })
    const job = await sluice('psi init shared.yaml --prepared companies.prepared --out shared.json')
    expect(job.stdout).toContain('of bureau, 100 items, key 1')
    expect((await sluice('psi approve shared.json --as bureau --yes')).exitCode).toBe(0)
    const unnamed = await sluice('psi approve shared.json --as bank --input bank.csv --key firm --yes')
    expect(unnamed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--prepared FILE') })
    expect((await sluice(`psi approve shared.json ${ASK} --yes`)).exitCode).toBe(0)
    const { stdout } = await sluice(`psi run shared.json ${ASK} --dry-run --json`)
    const chosen = JSON.parse(stdout).estimates.filter((each: { chosen: boolean }) => each.chosen)
    expect(chosen).toMatchObject([{ protocol: 'oprf', bytes: 640 }])
  })

  it('tells the other side which of its rows are in it, and those that are not', async () => {
    const [bureau, bank] = await both('--out', 'matched.csv')
    expect([bureau.stderr, bank.stderr]).toEqual(['', ''])
    expect(await readFile(join(root, 'matched.csv'), 'utf8')).toBe('firm,loan\n 917,1\n９１３９,2\n917,5\n')
    expect(bank.stdout).toMatch(/shared keys +2/)
    expect(bureau.stdout).not.toMatch(/shared keys/)
    const [, again] = await both('--out', 'anti.csv', '--join', 'anti')
    expect(again.stderr).toBe('')
    expect(await readFile(join(root, 'anti.csv'), 'utf8')).toBe('firm,loan\n9140,3\n,4\n')
    expect((await sluice('ledger show bureau.ledger')).stdout).toMatch(/psi-start .* bank 10\n/)
    const third = await both('--out', 'third.csv')
    expect(third.map(({ exitCode }) => exitCode)).toContain(4)
    expect(third.some(({ stderr }) => stderr.includes('APPROVAL_EXHAUSTED'))).toBe(true)
  })

  it('leaves no name of the input behind when whoever asks is killed while it waits', async () => {
    const { child, ended } = await resting('shared.json')
    child.kill('SIGKILL')
    await ended
    expect(await sourceNames()).toEqual([])
    // the empty folder goes with the next one that is made there
    await sluice('psi prepare companies.csv --as bureau --key code --dry-run')
    expect((await readdir(root)).filter(name => name.startsWith('.sluice-'))).toEqual([])
  })

  it('refuses an input that is changed while whoever asks waits, and writes nothing of it', async () => {
    await draft('changed.yaml', 'quota: {runs: 2, lifetimeItems: 100}')
    await sluice('psi init changed.yaml --prepared companies.prepared --out changed.json')
    await sluice('psi approve changed.json --as bureau --yes')
    await sluice(`psi approve changed.json ${ASK} --yes`)
    const before = await readFile(join(root, 'bank.csv'))
    const { child, ended } = await resting('changed.json')
    let said = ''
    child.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString()
    })
    await writeFile(join(root, 'bank.csv'), 'firm,loan\n913,1\n')
    const [bureau, [exitCode]] = await Promise.all([sluice('psi run changed.json --as bureau'), ended])
    await writeFile(join(root, 'bank.csv'), before)
    expect(bureau.exitCode).toBe(0)
    expect(said).toContain('FINGERPRINT_MISMATCH')
    expect(exitCode).toBe(5)
    expect(await readdir(root)).not.toContain('never.csv')
  })

  it('keeps its key where the ledger that would record a rotation cannot be used', async () => {
    const before = await readFile(join(root, 'bureau.key.oprf'))
    const refused = await sluice('psi rotate bureau.key.oprf --as bureau --ledger companies.csv')
    expect(refused).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('FILE_MISSING') })
    expect(await readFile(join(root, 'bureau.key.oprf'))).toEqual(before)
  })

  it('is void once its key is rotated, which the ledger says; prepared again it is another file', async () => {
    const rotated = await sluice('psi rotate bureau.key.oprf --as bureau --expires 30d --json')
    expect(JSON.parse(rotated.stdout)).toMatchObject({ epoch: 2, voided: 1 })
    const ledger = await sluice('ledger show bureau.ledger')
    expect(ledger.stdout).toMatch(/psi-rotation +bureau +[0-9a-f]{10} · epoch 2 · void 1\n/)
    expect(await sluice('ledger verify bureau.ledger')).toMatchObject({ exitCode: 0, stderr: '' })
    const old = await sluice('psi run shared.json --as bureau')
    expect(old).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('JOB_MISMATCH') })
    const again = await sluice(`${PREPARE} --out again.prepared --json`)
    expect(JSON.parse(again.stdout)).toMatchObject({ epoch: 2, keyMade: false })
    const wrong = await sluice(`psi run shared.json ${ASK.replace('companies.', 'again.')} --out x.csv`)
    expect(wrong).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('another prepared set') })
  })

  it.each([
    [`${PREPARE}`, 2, 'where the prepared set goes'],
    [`${PREPARE} --out companies.prepared`, 6, 'EXISTS'],
    [`${PREPARE} --out companies.csv --force`, 6, 'EXISTS'],
    [`${PREPARE} --out x.prepared --expires 30d`, 2, 'psi.rotation'],
    [`${PREPARE} --normalize lower --out x.prepared`, 2, 'USAGE'],
    [`${PREPARE} --normalize trim --normalize trim --out x.prepared`, 2, 'USAGE'],
    ['psi prepare companies.csv --as bureau --key codes --out x.prepared', 6, 'NAME_UNKNOWN'],
    ['psi prepare none.csv --as bureau --key code --out x.prepared', 6, 'FILE_MISSING'],
    [`${PREPARE} --oprf-key bureau.key --out x.prepared`, 6, 'KEY_INVALID'],
    ['psi rotate companies.csv --as bureau', 6, 'KEY_'],
    ['psi init shared.yaml --prepared companies.csv --out y.json', 6, 'FILE_FORMAT'],
    ['psi run shared.json --as bureau --input companies.csv --key code', 2, 'answers with its key alone'],
  ])('refuses %s', async (command, exitCode, said) => {
    expect(await sluice(command)).toMatchObject({ exitCode, stderr: expect.stringContaining(said) })
    expect(await readdir(root)).not.toContain('x.prepared')
  })

  it('is prepared on after Ctrl-C, and says so', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i % 600}`)
    await writeFile(join(root, 'many.csv'), `code\n${rows.join('\n')}\n`)
    const words =
      'psi prepare many.csv --as bureau --key code --out many.prepared --threads 1 --progress json'
    const half = /"evaluate","fraction":0\.5/
    const child = spawn(process.execPath, [...haltedAt(half), program, ...words.split(' ')], {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', LANG: 'C' },
    })
    const ended = once(child, 'close')
    let said = ''
    for await (const chunk of child.stderr) {
      said += String(chunk)
      if (child.killed || !half.test(said)) continue
      child.kill('SIGINT')
      goOn(child)
    }
    expect((await ended)[0]).toBe(130)
    expect(said).toContain('it goes on where it was')
    expect(await readdir(root)).not.toContain('many.prepared')
    const again = await sluice(`${words} --json`)
    expect(again.exitCode).toBe(0)
    expect(again.stderr).not.toContain('"evaluate","fraction":0}')
    expect(JSON.parse(again.stdout)).toMatchObject({ items: 600 })
    expect((await readdir(root)).filter(name => name.endsWith('.work'))).toEqual([])
  })
})

import { spawn } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { copySetup, removeSetups, runCommand, temporaryRoot } from './transcript.js'

const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'sluice.js')

/** Ends the process, as SIGKILL does, before or after one call of the file system on such a path. */
const killedAt = (call: 'rename' | 'link', when: 'before' | 'after', end: string) =>
  `data:text/javascript,${encodeURIComponent(`
    import { promises } from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const real = promises.${call}
    promises.${call} = async (from, to) => {
      const there = to.endsWith(${JSON.stringify(end)})
      if (there && ${when === 'before'}) process.kill(process.pid, 'SIGKILL')
      await real(from, to)
      if (there) process.kill(process.pid, 'SIGKILL')
    }
    syncBuiltinESMExports()
  `)}`

let root = ''
const at = (name: string) => join(root, name)

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

async function sluice(words: string, preload?: string): Promise<Ended> {
  const before = preload === undefined ? [] : ['--import', preload]
  const child = spawn(process.execPath, [...before, program, ...words.split(' ')], { cwd: root })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => {
    stdout += String(chunk)
  })
  child.stderr.on('data', chunk => {
    stderr += String(chunk)
  })
  return new Promise(resolve =>
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  )
}

/** What a command prints with --json; in this process, which starts faster. */
async function done<T>(words: string): Promise<T> {
  const state = { cwd: root, remembered: new Map<string, string>() }
  const { exitCode, stdout, stderr } = await runCommand(`sluice --json ${words}`, [], state, root)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout) as T
}

const NAMES = ['east', 'west', 'north', 'adder', 'recount'] as const
const FILES = 'east.he west.he north.he'
const PARTS = '--aggregation round/aggregation.json'
let request = ''

beforeAll(async () => {
  root = await temporaryRoot()
  await copySetup('zone', root)
  const keys = await Promise.all(
    NAMES.map(name => done<{ publicKey: string }>(`key new ${name}.key --name ${name} --no-passphrase`)),
  )
  const [east, west, north, adder, auditor] = keys.map(({ publicKey }) => publicKey)
  await writeFile(at('grants.csv'), 'programme,amount\nhousing,1\nhousing,2\n')
  await writeFile(
    at('grants.yaml'),
    `version: 1
owner: caa
grade: 1
entity: row
disclosure: {minimumEntities: 3, step: {rows: 1}}
purposes: [statistics]
consumers: [insurer]
columns:
  programme: {role: attribute, uses: [group, filter], values: public}
  amount: {role: measure, uses: [aggregate]}
`,
  )
  await writeFile(at('q.sql'), 'SELECT programme, sum(amount) AS total FROM grants GROUP BY programme\n')
  const job = { file: 'q.sql', purpose: 'statistics', consumer: 'insurer', rowsPerGroup: 1000 }
  const groups = { programme: ['housing'] }
  const columns = { amount: { min: 0, max: 1000 } }
  const parties = { contributors: [east, west, north], minimumContributors: 3, adder, auditor }
  await writeFile(at('job.yaml'), JSON.stringify({ ...job, groups, columns, ...parties }))
  await done('--zone zone dataset add grants --from grants.csv --policy grants.yaml --key caa.key')
  await done('--zone zone he keygen job.yaml --key operator.key --no-passphrase --out round')
  const submitted = await done<{ id: string }>(
    '--zone zone request submit q.sql --purpose statistics --max-runs 2 --aggregation round/aggregation.json --key insurer.key',
  )
  request = submitted.id
  await done(`--zone zone approve ${request} --key caa.key --max-runs 2`)
  for (const name of ['east', 'west', 'north']) {
    await done(
      `he encrypt grants.csv ${PARTS} --public-key round/public.key --key ${name}.key --out ${name}.he`,
    )
  }
})
afterAll(async () => {
  await removeSetups()
  await rm(root, { recursive: true, force: true })
})

const written = async (name: string) =>
  (await readdir(root)).filter(found => found.startsWith(name) || found.startsWith('.sluice-'))

it.for([
  ['sum.he', 'rename', `he add ${FILES} ${PARTS} --key adder.key --out sum.he`],
  ['audit.he', 'link', `he audit sum.he ${FILES} ${PARTS} --key recount.key --out audit.he`],
  ['audit.he', 'rename', `he audit sum.he ${FILES} ${PARTS} --key recount.key --force --out audit.he`],
] as const)('%s of a command that is killed is there whole or not at all', async ([name, call, words]) => {
  const before = await written(name)
  expect(await sluice(words, killedAt(call, 'before', name))).toMatchObject({ signal: 'SIGKILL' })
  expect(await written(name)).toEqual([expect.stringMatching(/^\.sluice-[0-9a-f-]+$/), ...before])
  await done(words)
  expect(await written(name)).toEqual([name])
})

it('an opening that is killed when its key has said for which sum takes one run, and can be done again', async () => {
  const words = `--zone zone he open sum.he --request ${request} ${PARTS} --secret-key round/secret.key --audit audit.he --key operator.key`
  const claimed = killedAt('link', 'after', 'secret.key.opened')
  expect(await sluice(words, claimed)).toMatchObject({ signal: 'SIGKILL', stdout: '' })
  expect(await readFile(at('round/secret.key.opened'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
  expect(await sluice(`${words} --format csv`)).toMatchObject({
    code: 0,
    stdout: 'programme,total\nhousing,9\n',
  })
  expect(await sluice(words)).toMatchObject({ code: 4, stderr: expect.stringContaining('EXHAUSTED') })
  expect(await sluice('--zone zone ledger verify')).toMatchObject({ code: 0 })
})

import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ledger } from '@sluice/ledger'
import { KeyFile } from '@sluice/ledger/keys'
import { approveJob, type JointJob, jobDigest, parseJob, reservePort, runJoint } from '@sluice/mpc'
import { Int32, Table, Utf8, vectorFromArray } from 'apache-arrow'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { terminal } from './terminal.js'
import { runCommand, temporaryRoot } from './transcript.js'

const NAMES = ['clinic', 'hospital', 'court', 'notary']
const ROWS = 3000
let root = ''

const sluice = (command: string) =>
  runCommand(`sluice ${command}`, [], { cwd: root, remembered: new Map() }, root)
const region = (row: number) => `R${String(row).padStart(5, '0')}`

/** The same draft for both: three parties that compute, of whom two give inputs, and a notary who gives nothing. */
async function draft(sharing: string): Promise<string> {
  const parties = await Promise.all(
    NAMES.map(async name => {
      const key = (await readFile(join(root, `${name}.key.pub`), 'utf8')).trim()
      const beside = sharing.includes('dealer') ? 'dealer' : 'provider'
      const role = name === 'notary' ? beside : `computing, host: 127.0.0.1, port: ${await reservePort()}`
      return `  - {name: ${name}, key: "${key}", role: ${role}}`
    }),
  )
  return `purpose: visits and beds
sharing: ${sharing}
parties:
${parties.join('\n')}
inputs: [{file: visits.json}, {file: beds.json}]
operations:
  - name: totals
    receivers: [clinic, hospital]
    sql: SELECT count(*) AS regions, sum(visits + beds) AS both FROM visits JOIN beds ON visits.region = beds.region
minimumEntities: 10
limits: {seconds: 60, memory: 1048576}
`
}

beforeAll(async () => {
  root = await temporaryRoot()
  for (const name of NAMES) await sluice(`key new ${name}.key --name ${name} --no-passphrase`)
  for (const [name, owner] of [
    ['visits', 'clinic'],
    ['beds', 'hospital'],
  ]) {
    const columns = `[{name: ${name}, nullable: false, type: {kind: number, scale: 0, bound: "1000"}}]`
    await writeFile(
      join(root, `${name}.yaml`),
      `name: ${name}\nowner: ${owner}\nentity: region\ncolumns: ${columns}\n`,
    )
    const rows = Array.from({ length: ROWS }, (_, row) => `${region(row)},${amount(name!, row)}`)
    await writeFile(join(root, `${name}.csv`), `region,${name}\n${rows.join('\n')}\n`)
    await sluice(`joint input ${name}.yaml --as ${owner} --input ${name}.csv --out ${name}.json`)
  }
})

afterAll(() => rm(root, { recursive: true, force: true }))

const amount = (name: string, row: number) => (name === 'visits' ? row % 700 : (row * 7) % 90)

async function jobOf(name: string, sharing: string): Promise<JointJob> {
  await writeFile(join(root, `${name}.yaml`), await draft(sharing))
  expect((await sluice(`joint init ${name}.yaml --out ${name}.json`)).stderr).toBe('')
  for (const party of ['clinic', 'court']) await sluice(`joint approve ${name}.json --as ${party}`)
  return parseJob(JSON.parse(await readFile(join(root, `${name}.json`), 'utf8')))
}

/** A party in a process of its own. */
function party(job: string, name: string, ...more: string[]) {
  return terminal(root, ['joint', 'run', `${job}.json`, '--as', name, ...more])
}

/** The hospital, in this process: between its first rows and the others it waits. */
async function hospital(job: JointJob, goOn: Promise<void>) {
  const table = new Table({
    region: vectorFromArray(
      Array.from({ length: ROWS }, (_, row) => region(row)),
      new Utf8(),
    ),
    beds: vectorFromArray(
      Array.from({ length: ROWS }, (_, row) => amount('beds', row)),
      new Int32(),
    ),
  })
  let readings = 0
  const beds = async function* () {
    yield table.slice(0, ROWS / 2)
    if (++readings === 2) await goOn
    yield table.slice(ROWS / 2)
  }
  const signer = await KeyFile.open(join(root, 'hospital.key'))
  const approval = await approveJob(jobDigest(job), signer)
  return runJoint(job, { signer, approval, inputs: { beds }, wait: 30 })
}

/** Runs a job whose third party is killed once it has taken part in the first rows. */
async function withKilled(name: string, sharing: string) {
  const job = await jobOf(name, sharing)
  const clinic = party(name, 'clinic', '--input', 'visits.csv', '--json')
  const court = party(name, 'court', '--progress', 'json')
  let release: () => void = () => undefined
  const theirs = hospital(
    job,
    new Promise(resolve => {
      release = resolve
    }),
  )
  const notary = await KeyFile.open(join(root, 'notary.key'))
  const settled = Promise.allSettled([theirs, runJoint(job, { signer: notary, wait: 30 })])
  while (!court.said().includes('totals: ') && court.child.exitCode === null)
    await new Promise(resolve => setTimeout(resolve, 20))
  court.child.kill('SIGKILL')
  await court.ended
  release()
  const [mine, beside] = await settled
  return { clinic: await clinic.ended, hospital: mine, notary: beside }
}

it('by Shamir’s sharing is finished by the others where a party is killed, and they say who', async () => {
  const ended = await withKilled('shamir', '{kind: shamir, threshold: 2}')
  const both = Array.from({ length: ROWS }, (_, row) => amount('visits', row) + amount('beds', row))
  const rows = [[String(ROWS), String(both.reduce((sum, value) => sum + value, 0))]]
  expect(ended.hospital).toMatchObject({
    status: 'fulfilled',
    value: { left: ['court'], tables: [{ rows }] },
  })
  expect(ended.clinic).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(ended.clinic.stdout)).toMatchObject({ left: ['court'], tables: [{ rows }] })
  const { predicate } = await lastOf('clinic')
  expect(predicate).toMatchObject({ kind: 'joint-end', left: ['court'] })
  expect((await lastOf('court')).predicate).toMatchObject({ kind: 'joint-start' })
})

it('with a dealer ends for everybody where a party is killed, and names it', async () => {
  const ended = await withKilled('dealer', '{kind: dealer}')
  expect(ended.clinic.code).toBe(7)
  expect(ended.clinic.stdout).toMatch(/"PEER_(LOST|STOPPED)"/)
  expect(ended.clinic.stdout).toContain('court')
  for (const other of [ended.hospital, ended.notary])
    expect(other).toMatchObject({
      status: 'rejected',
      reason: { code: expect.stringMatching(/^PEER_(LOST|STOPPED)$/) },
    })
  // who tells it first is another's affair
  const about = expect.stringMatching(/^(court|hospital|notary)$/)
  expect((await lastOf('clinic')).predicate).toMatchObject({ kind: 'joint-break', about })
})

async function lastOf(name: string) {
  const { logKey } = JSON.parse(await readFile(join(root, `${name}.ledger`, 'trust.json'), 'utf8'))
  const ledger = await Ledger.open(join(root, `${name}.ledger`, 'ledger'), { logKey })
  return ledger.entry((await ledger.size()) - 1)
}

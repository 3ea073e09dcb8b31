import { spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SluiceError } from '@sluice/core'
import { makeNamedDirectory } from '@sluice/ledger/files'
import { KeyFile } from '@sluice/ledger/keys'
import type { JointJob } from '@sluice/mpc'
import type { Context } from '../context.js'
import { writeFile } from '../output/file.js'
import { approvalBytes, approvalFile, readDraft } from './files.js'

export type JointSharing = NonNullable<JointJob['sharing']>['kind']

/** What one party's process said. */
export interface PartyEnd {
  readonly name: string
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Demonstration {
  readonly directory: string
  readonly ends: readonly PartyEnd[]
}

const PARTIES = ['bureau', 'bank', 'operator'] as const
const COMPANIES = 600
const INDUSTRIES = ['农业', '制造', '零售', '采矿']
const BANDS = ['A', 'B', 'C']

/** Three parties of a joint job as local processes, each with a key and a directory of its own: made-up companies. */
export async function runDemo(
  context: Context,
  sharing: JointSharing,
  folder: string | undefined,
): Promise<Demonstration> {
  const directory =
    folder === undefined ? await mkdtemp(join(tmpdir(), 'sluice-joint-')) : context.path(folder)
  await makeNamedDirectory(directory)
  const at = (name: string) => join(directory, name)
  const write = (name: string, text: string) => writeFile(at(name), new TextEncoder().encode(text), false)
  const keys = await Promise.all(PARTIES.map(async name => KeyFile.generate(at(`${name}.key`), { name })))
  await write('taxpayers.csv', taxpayers())
  await write('loans.csv', loans())
  const [{ approveJob, jobDigest, reservePort }, { described }] = await Promise.all([
    import('@sluice/mpc'),
    import('./tables.js'),
  ])
  for (const form of FORMS) {
    const owner = keys.find(({ name }) => name === form.owner)!
    const input = await described(context, form, at(`${form.name}.csv`), owner)
    await write(`${form.name}.json`, `${JSON.stringify(input, null, 2)}\n`)
  }
  const ports = await Promise.all(PARTIES.map(() => reservePort()))
  await write('draft.yaml', draft(keys, ports, sharing))
  const job = await readDraft(context, at('draft.yaml'))
  await write('job.json', `${JSON.stringify(job, null, 2)}\n`)
  const digest = jobDigest(job)
  for (const key of keys) {
    const bytes = approvalBytes(digest, key.name, await approveJob(digest, key))
    await writeFile(approvalFile(at('job.json'), key.name), bytes, false)
  }
  const ends = await Promise.all(PARTIES.map(name => party(context, directory, name)))
  return { directory, ends }
}

const INPUTS: Readonly<Record<string, string>> = { bureau: 'taxpayers.csv', bank: 'loans.csv' }

function party(context: Context, directory: string, name: string): Promise<PartyEnd> {
  const program = fileURLToPath(new URL('../bin/sluice.js', import.meta.url))
  const input = INPUTS[name] === undefined ? [] : ['--input', INPUTS[name]!]
  const words = ['joint', 'run', 'job.json', '--as', name, ...input, '--lang', context.ui.language]
  const child = spawn(process.execPath, [program, ...words, ...(context.json ? ['--json'] : [])], {
    cwd: directory,
    env: { ...process.env, SLUICE_KEY_FILE: join(directory, `${name}.key`) },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: context.signal,
    killSignal: 'SIGINT',
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', cause => {
      if (context.signal.aborted) return
      reject(new SluiceError('INTERNAL', 'a party’s process could not be started', { cause }))
    })
    child.once('close', exitCode => resolve({ name, exitCode, stdout, stderr }))
  })
}

const FORMS = [
  {
    name: 'taxpayers',
    owner: 'bureau',
    entity: 'company',
    columns: [{ name: 'band', nullable: false, type: { kind: 'category' as const, categories: BANDS } }],
  },
  {
    name: 'loans',
    owner: 'bank',
    entity: 'company',
    columns: [
      { name: 'industry', nullable: false, type: { kind: 'category' as const, categories: INDUSTRIES } },
      { name: 'debt', nullable: true, type: { kind: 'number' as const, scale: 2, bound: '10000000' } },
      { name: 'days', nullable: false, type: { kind: 'number' as const, scale: 0, bound: '3650' } },
    ],
  },
]

function draft(keys: readonly KeyFile[], ports: readonly number[], sharing: JointSharing): string {
  const parties = keys.map(({ name, publicKey }, i) =>
    sharing === 'dealer' && name === 'operator'
      ? `  - {name: ${name}, role: dealer, key: "${publicKey}"}\n`
      : `  - {name: ${name}, role: computing, key: "${publicKey}", host: 127.0.0.1, port: ${ports[i]}}\n`,
  )
  return `purpose: loans in arrears by industry and tax band
sharing: {kind: ${sharing}${sharing === 'shamir' ? ', threshold: 2' : ''}}
parties:
${parties.join('')}inputs:
  - {file: taxpayers.json}
  - {file: loans.json}
operations:
  - name: arrears
    receivers: [bureau, bank]
    sql: |
      SELECT industry, band, count(*) AS companies, sum(debt) AS debt
      FROM loans JOIN taxpayers ON loans.company = taxpayers.company
      WHERE days > 90
      GROUP BY industry, band
minimumEntities: 10
limits: {seconds: 300}
`
}

/** Made-up companies by small recurrences: the same in every demonstration. */
function taxpayers(): string {
  const rows = Array.from({ length: COMPANIES }, (_, i) => `${company(i)},${BANDS[((i * 7) % 11) % 3]}\n`)
  return `company,band\n${rows.join('')}`
}

function loans(): string {
  const rows = Array.from({ length: COMPANIES }, (_, i) => {
    const industry = i % 40 === 0 ? '采矿' : INDUSTRIES[(i * 5) % 3]
    const debt = i % 13 === 0 ? '' : `${(i * 7919) % 900_000}.${String((i * 31) % 100).padStart(2, '0')}`
    return `${company(i)},${industry},${debt},${(i * 37) % 200}\n`
  })
  return `company,industry,debt,days\n${rows.reverse().join('')}`
}

function company(index: number): string {
  return `company-${String(index + 1).padStart(4, '0')}`
}

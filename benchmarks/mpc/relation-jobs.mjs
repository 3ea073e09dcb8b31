import { fork } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { KeyFile } from '@sluice/ledger/keys'
import { freshJob, parseJob, reservePort, schemaOf } from '@sluice/mpc'
import { Gate } from '@sluice/sandbox/sql'
import { groupJob, joinJob } from './theory.mjs'

const PROGRAM = fileURLToPath(new URL('./relation-party.mjs', import.meta.url))
const INDUSTRIES = ['mining', 'making', 'farming', 'moving', 'lending']
const LOANS_OF_EACH = 20
/** Numbers of companies, in two's complement. */
const KEY_BITS = 21
const RECEIVERS = ['bureau', 'bank']

const number = (name, bound) => ({ name, nullable: false, type: { kind: 'number', scale: 0, bound } })
const company = name => number(name, String(2 ** (KEY_BITS - 1) - 1))

/** What the bureau has of each company once, and the bank of each loan. */
const FORMS = [
  {
    name: 'taxpayers',
    owner: 'bureau',
    entity: 'company',
    columns: [
      company('company'),
      { name: 'industry', nullable: false, type: { kind: 'category', categories: INDUSTRIES } },
    ],
  },
  { name: 'loans', owner: 'bank', entity: 'loan', columns: [company('firm'), number('debt', '1000000')] },
]

/** Joint jobs whose rows are sorted by secret keys, from files that are read to a file with what is opened. */
const JOBS = [
  {
    name: 'sum of debts by a secret key',
    sql: 'SELECT firm, count(*) AS n, sum(debt) AS total FROM loans GROUP BY firm',
    owners: ['bank'],
    groups: rows => rows / LOANS_OF_EACH,
    theory: rows =>
      groupJob(rows, { bits: KEY_BITS, groups: rows / LOANS_OF_EACH, receivers: RECEIVERS.length }),
  },
  {
    name: 'join by a secret key, sum of debts by industry',
    sql: 'SELECT industry, count(*) AS n, sum(debt) AS total FROM loans JOIN taxpayers ON firm = company GROUP BY industry',
    owners: ['bureau', 'bank'],
    groups: () => INDUSTRIES.length,
    theory: rows =>
      joinJob(rows, rows / LOANS_OF_EACH, {
        bits: KEY_BITS,
        categories: INDUSTRIES.length,
        receivers: RECEIVERS.length,
      }),
  },
]

/**
 * @param {string} folder where keys and files may be written
 * @param {string[]} names the three computing parties, the bureau and the bank among them
 * @param {number} rows of the bank, a multiple of twenty; the bureau has a twentieth of them
 * @returns {Promise<{ name: string, count: number, seconds: number, memory: number, bytes: number, rounds: number, theory: { rounds: number, bytes: number } }[]>}
 *   the slowest party's seconds from its files to the file that it wrote, and the most that a party had in memory
 */
export async function measureRelationJobs(folder, names, rows) {
  const keys = await Promise.all(
    names.map(name => KeyFile.generate(join(folder, `relations-${rows}-${name}.key`), { name })),
  )
  const files = await writeFiles(folder, rows)
  const measured = []
  for (const asked of JOBS) {
    const children = names.map(() => fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
    const tell = (place, message) =>
      ask(children[place], { key: join(folder, `relations-${rows}-${names[place]}.key`), files, ...message })
    try {
      const inputs = await Promise.all(
        FORMS.filter(({ owner }) => asked.owners.includes(owner)).map(async form => ({
          ...form,
          ...(await tell(names.indexOf(form.owner), { describe: form })),
        })),
      )
      const job = await jobOf(keys, inputs, asked.sql)
      const out = place => join(folder, `result-${names[place]}.json`)
      const reports = await Promise.all(names.map((_, place) => tell(place, { job, out: out(place) })))
      if (reports[0].groups !== asked.groups(rows)) throw new Error(`${asked.name} opened other groups`)
      measured.push({
        name: asked.name,
        count: rows,
        seconds: Math.max(...reports.map(({ seconds }) => seconds)),
        memory: Math.max(...reports.map(({ memory }) => memory)),
        bytes: reports.reduce((sum, { traffic }) => sum + traffic.bytesSent, 0),
        rounds: Math.max(...reports.map(({ traffic }) => traffic.rounds)),
        theory: asked.theory(rows),
      })
    } finally {
      for (const child of children) child.kill()
    }
  }
  return measured
}

function ask(child, message) {
  return new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', code => reject(new Error(`a party ended with ${code}`)))
    child.send(message)
  })
}

/** Twenty loans a company, far from each other in the order of their entities. */
async function writeFiles(folder, rows) {
  const companies = rows / LOANS_OF_EACH
  const written = async (name, head, count, line) => {
    const file = join(folder, `${name}-${rows}.csv`)
    const stream = createWriteStream(file)
    stream.write(`${head}\n`)
    for (let row = 0; row < count; row++)
      if (!stream.write(`${line(row)}\n`)) await new Promise(resolve => stream.once('drain', resolve))
    stream.end()
    await finished(stream)
    return file
  }
  const industry = row => INDUSTRIES[row % INDUSTRIES.length]
  const loan = row => `${String(row).padStart(10, '0')},${row % companies},${(row * 7919) % 1_000_000}`
  return {
    taxpayers: await written('taxpayers', 'company,industry', companies, row => `${row},${industry(row)}`),
    loans: await written('loans', 'loan,firm,debt', rows, loan),
  }
}

async function jobOf(keys, inputs, sql) {
  const parties = await Promise.all(
    keys.map(async ({ name, publicKey }) => ({
      name,
      role: 'computing',
      key: publicKey,
      host: '127.0.0.1',
      port: await reservePort(),
    })),
  )
  const gate = await Gate.start()
  try {
    const catalogue = inputs.map(({ name, entity, columns }) => ({
      name,
      columns: schemaOf({ entity, columns }),
    }))
    const { plan } = await gate.compile({ sql, catalogue, signal: new AbortController().signal })
    return parseJob({
      ...freshJob(),
      purpose: 'benchmark',
      parties,
      inputs,
      operations: [{ name: 'asked', plan, receivers: RECEIVERS }],
      minimumEntities: 10,
      limits: { seconds: 86_400, bytes: 2 ** 42, memory: 2 ** 34 },
    })
  } finally {
    await gate.close()
  }
}

import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KeyFile } from '@sluice/ledger/keys'
import { examine, fingerprintKey, freshJob, parseJob, reservePort } from '@sluice/mpc'
import { FORMS, rowsOf } from './table.mjs'

const ELEMENT = 8
const INDUSTRIES = FORMS.industries.columns[0].type.categories.length
const MINIMUM = 10
/** counts and sums, of two measures in every cell */
const CELLS = 2 * INDUSTRIES
const FEW = 10_000

/** Products of shares for every row: the debt with each industry. */
export const PRODUCTS = INDUSTRIES

/**
 * Joint jobs over the field of order 2^61 − 1, from files that are read to the opened table: a bank's debts in total by
 * a bureau's industries, any two of three parties by Shamir's sharing, or two and a dealer.
 */
const SHARINGS = [
  {
    name: 'Shamir, any 2 of 3',
    sharing: { kind: 'shamir', threshold: 2 },
    third: 'computing',
    copies: 5,
    theory: (rows, chunks) => ({
      // prepared: the cells' lowering, triples for the test, masks; then lowering, the test's products, two openings
      rounds: 1 + 3 + 1 + 1 + chunks + 1 + (Math.ceil(Math.log2(MINIMUM)) + 1) + 2,
      bytes:
        2 * 32 * 2 +
        ELEMENT *
          (2 * (INDUSTRIES + 1) * rows +
            (12 * (2 * CELLS + 3 * MINIMUM * CELLS + CELLS)) / 2 +
            4 * MINIMUM * CELLS +
            6 * 2 * CELLS +
            6 * 2 * MINIMUM * CELLS +
            6 * CELLS +
            4 * 2 * CELLS),
    }),
  },
  {
    name: 'two parties and a dealer',
    sharing: { kind: 'dealer' },
    third: 'dealer',
    copies: 4,
    theory: (rows, chunks) => ({
      rounds: 1 + 1 + chunks + 1 + (Math.ceil(Math.log2(MINIMUM)) + 1) + 2,
      bytes:
        4 * 32 +
        2 * 32 +
        ELEMENT *
          (2 * (INDUSTRIES + 1) * rows +
            INDUSTRIES * chunks +
            MINIMUM * CELLS +
            2 * 2 * MINIMUM * CELLS +
            2 * CELLS +
            2 * 2 * CELLS),
    }),
  },
]

/**
 * @param {string} folder where keys may be written
 * @param {number[]} counts of rows
 * @returns {Promise<{ name: string, count: number, seconds: number, rounds: number, bytes: number, memory: number, memoryOfFew: number, theory: { rounds: number, bytes: number } }[]>}
 *   the slowest party's time from the meeting on, the bytes that all sent, the largest party's memory
 */
export async function measureFieldJobs(folder, counts) {
  const keys = await Promise.all(
    ['bureau', 'bank', 'third'].map(name => KeyFile.generate(join(folder, `jobs-${name}.key`), { name })),
  )
  const measured = []
  for (const rows of [FEW, ...counts.filter(count => count !== FEW)]) {
    const inputs = []
    for (const [form, owner] of [
      [FORMS.industries, keys[0]],
      [FORMS.debts, keys[1]],
    ]) {
      const found = await examine(() => rowsOf(form.name, rows), form, await fingerprintKey(owner))
      inputs.push({ ...form, rows, fingerprint: found.fingerprint })
    }
    for (const { name, sharing, third, copies, theory } of SHARINGS) {
      const job = await jobOf(keys, inputs, sharing, third)
      const reports = await Promise.all(keys.map(key => party(folder, key.name, job, rows)))
      const memory = Math.max(...reports.map(report => report.memory))
      const few = measured.find(other => other.name === name)
      measured.push({
        name,
        count: rows,
        seconds: Math.max(...reports.map(report => report.seconds)),
        rounds: Math.max(...reports.map(report => report.rounds)),
        bytes: reports.reduce((total, report) => total + report.bytes, 0),
        memory,
        memoryOfFew: few?.memory ?? memory,
        theory: theory(rows, Math.ceil(rows / chunkOf(copies))),
      })
    }
  }
  return measured
}

/** Rows of a chunk: 2^22 elements, of the shared columns, what is totalled of them, and some more. */
function chunkOf(copies) {
  const columns = copies * (INDUSTRIES + 1 + 1 + 2 * 2) + 16
  return Math.floor(2 ** 22 / columns / 64) * 64
}

async function jobOf(keys, inputs, sharing, third) {
  const address = async () => ({ host: '127.0.0.1', port: await reservePort() })
  const parties = await Promise.all(
    keys.map(async ({ name, publicKey: key }) => {
      const role = name === 'third' ? third : 'computing'
      return { name, role, key, ...(role === 'computing' && (await address())) }
    }),
  )
  return parseJob({
    ...freshJob(),
    purpose: 'debts by industry',
    sharing,
    parties,
    inputs,
    operations: [{ name: 'debts', plan: FORMS.plan, receivers: ['bureau', 'bank'] }],
    minimumEntities: MINIMUM,
    limits: { seconds: 3600, bytes: 2 ** 40, memory: 2 ** 31 },
  })
}

function party(folder, name, job, rows) {
  const path = fileURLToPath(new URL('./job-party.mjs', import.meta.url))
  return new Promise((resolve, reject) => {
    const child = fork(path, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    let report
    child.once('message', message => {
      report = message
    })
    child.once('error', reject)
    child.once('exit', code =>
      report ? resolve(report) : reject(new Error(`the party ${name} ended with ${code}`)),
    )
    child.send({ job, key: join(folder, `jobs-${name}.key`), rows })
  })
}

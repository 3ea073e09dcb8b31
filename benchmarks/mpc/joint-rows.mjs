import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KeyFile } from '@sluice/ledger/keys'
import { freshJob, parseJob, reservePort, schemaOf } from '@sluice/mpc'
import { Gate } from '@sluice/sandbox/sql'
import { FORMS, totalOf } from './generated-rows.mjs'

const PROGRAM = fileURLToPath(new URL('./joint-party.mjs', import.meta.url))
const SQL = 'SELECT count(*) AS n, sum(debt + tax) AS total FROM loans JOIN taxpayers ON firm = id'

/**
 * A linear operation as a joint job, from rows that are made batch by batch: what two owners have of each company is added
 * on shares. Three processes over mutual TLS; each owner reads its rows three times, to describe, check and share them.
 *
 * @param {string} folder where keys may be written
 * @param {string[]} names the computing parties: the first two own rows
 * @param {number} rows of each owner
 * @returns {Promise<{ seconds: number, memory: number[], processor: number[], bytes: number, rounds: number }>} of the run,
 *   without the description: the slowest party's seconds, and by party the most bytes that it had in memory, and seconds of
 *   a processor, with those that made the rows
 */
export async function jointRows(folder, names, rows) {
  const files = names.map(name => join(folder, `${name}-${rows}.key`))
  const keys = await Promise.all(files.map((file, i) => KeyFile.generate(file, { name: names[i] })))
  const children = names.map(() => fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
  try {
    const ask = (child, message) =>
      new Promise((resolve, reject) => {
        child.once('message', resolve)
        child.once('exit', code => reject(new Error(`a party ended with ${code}`)))
        child.send(message)
      })
    const forms = FORMS.map((form, i) => ({ ...form, owner: names[i] }))
    const inputs = await Promise.all(
      forms.map(async (form, i) => ({
        ...form,
        ...(await ask(children[i], { describe: form, key: files[i], rows })),
      })),
    )
    const parties = await Promise.all(
      keys.map(async ({ name, publicKey }) => ({
        name,
        role: 'computing',
        key: publicKey,
        host: '127.0.0.1',
        port: await reservePort(),
      })),
    )
    const job = parseJob({
      ...freshJob(),
      purpose: 'benchmark',
      parties,
      inputs,
      operations: [{ name: 'all', plan: await planOf(inputs), receivers: [names[0]] }],
      minimumEntities: 10,
      limits: { seconds: 86_400, bytes: 2 ** 42, memory: 2 ** 31 },
    })
    const reports = await Promise.all(children.map((child, i) => ask(child, { job, key: files[i], rows })))
    const [opened] = reports[0].tables
    if (opened.rows[0].join() !== [String(rows), totalOf(rows)].join())
      throw new Error(`the total of ${rows} rows is wrong`)
    return {
      seconds: Math.max(...reports.map(({ seconds }) => seconds)),
      memory: reports.map(({ memory }) => memory),
      processor: reports.map(({ processor }) => processor),
      bytes: reports.reduce((sum, { traffic }) => sum + traffic.bytesSent, 0),
      rounds: Math.max(...reports.map(({ traffic }) => traffic.rounds)),
    }
  } finally {
    for (const child of children) child.kill()
  }
}

async function planOf(inputs) {
  const gate = await Gate.start()
  try {
    const catalogue = inputs.map(({ name, entity, columns }) => ({
      name,
      columns: schemaOf({ entity, columns }),
    }))
    const { plan } = await gate.compile({ sql: SQL, catalogue, signal: new AbortController().signal })
    return plan
  } finally {
    await gate.close()
  }
}

// Secret sharing among processes on this machine, three and with a dealer four, over mutual TLS 1.3: rates, and bytes
// and rounds beside what the protocols need by theory. JIFF does the same operations in the same run, where it has them,
// three clients and its server in one process without TLS, with the server as a dealer of triples, which costs it least.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureFieldJobs, PRODUCTS } from './mpc/field-jobs.mjs'
import { fieldMeasurements } from './mpc/field-measurements.mjs'
import { jointRows } from './mpc/joint-rows.mjs'
import { growth, measurements } from './mpc/measurements.mjs'
import { runProcesses } from './mpc/processes.mjs'
import { measureRelationJobs } from './mpc/relation-jobs.mjs'

const NAMES = ['bureau', 'bank', 'operator']
const ROUNDS = 5
/** Rows of the joint jobs whose growth is measured. */
const GROWTH = [10_000, 100_000, 1_000_000, 10_000_000]
/** Those of jobs that sort by secret keys; with `--growth`, ten times as many. */
const RELATIONS = [10_000, 100_000]

/**
 * @typedef {{ bench: string, case: string, metric: string, value: number, unit: string, peer: string, peerValue: number, ratio: number }} Case
 * @returns {Promise<Case[]>}
 */
export async function bench({ rows, growing = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  try {
    if (rows !== undefined) return await linearGrowth(folder, rows)
    if (growing) {
      const jiff = await jiffRates()
      const found = []
      for (const [place, measurement] of growth.entries()) {
        const keys = mkdtempSync(join(folder, 'growth-'))
        const [result] = await runProcesses(keys, NAMES, 'party.mjs', 1, place)
        found.push(...cases(measurement, result, jiff), memoryCase(measurement, result))
      }
      const large = RELATIONS.map(rows => 10 * rows)
      return [...found, ...(await grownRelations(folder, large))]
    }
    const results = [
      ...(await runProcesses(folder, NAMES, 'party.mjs', ROUNDS)),
      ...(await runProcesses(folder, [...NAMES, 'dealer'], 'field-party.mjs', ROUNDS)),
    ]
    const jobs = await measureFieldJobs(folder, GROWTH)
    const relations = await grownRelations(folder, RELATIONS)
    const jiff = await jiffRates({ divisions: true })
    const measured = [...measurements, ...fieldMeasurements]
    return [
      ...measured.flatMap((measurement, index) => cases(measurement, results[index], jiff)),
      ...jobs.flatMap(job => jobCases(job, jiff)),
      ...relations,
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A joint job over so many rows, once: its memory beside that of a hundredth of them, in the same run. */
async function linearGrowth(folder, rows) {
  const few = Math.max(10, Math.floor(rows / 100))
  const small = await jointRows(folder, NAMES, few)
  const large = await jointRows(folder, NAMES, rows)
  const { sadd } = await jiffRates()
  const row = (metric, value, unit, peer, peerValue) => ({
    bench: 'mpc',
    case: `joint job, total of two owners' ${rows} rows`,
    metric,
    value: Number(value.toPrecision(4)),
    unit,
    peer,
    peerValue: Number(peerValue.toPrecision(4)),
    ratio: Number((value / peerValue).toPrecision(3)),
  })
  return [
    row('rate', rows / large.seconds, 'rows/s', 'jiff-mpc, sadd', sadd),
    row('time', large.seconds, 's', `${few} rows`, small.seconds),
    ...NAMES.flatMap((name, i) => [
      row(`memory of the ${name}`, large.memory[i], 'bytes', `${few} rows`, small.memory[i]),
      row(`processor time of the ${name}`, large.processor[i], 's', `${few} rows`, small.processor[i]),
    ]),
    // each owner sends its column once as a share
    row('sent by all', large.bytes, 'bytes', 'theory', 2 * 8 * rows),
    row('rounds', large.rounds, 'rounds', `${few} rows`, small.rounds),
  ]
}

function cases({ name, count, unit, theory, peer }, { seconds, rounds, bytes }, jiff) {
  const rate = count / median(seconds)
  const row = rowOf(name)
  const speed = peer
    ? row(
        'median rate',
        Math.round(rate),
        `${unit}/s`,
        `jiff-mpc, ${peer}`,
        Number(jiff[peer].toPrecision(3)),
      )
    : row(
        'median time',
        Number(median(seconds).toPrecision(3)),
        's',
        'its slowest run',
        Number(Math.max(...seconds).toPrecision(3)),
      )
  return [
    speed,
    row('sent by all', bytes, 'bytes', 'theory', theory.bytes),
    row('rounds', rounds, 'rounds', 'theory', theory.rounds),
  ]
}

/** What a party needs of memory, beside the columns alone: two of each, of eight bytes a row, as shares. */
function memoryCase({ name, count }, { memory }) {
  return rowOf(name)('memory of the largest party', memory, 'bytes', 'two shared columns', 4 * 8 * count)
}

/** A joint job, from rows that are read to the opened table: once, for it takes as long as its rows. */
function jobCases({ name, count, seconds, rounds, bytes, memory, memoryOfFew, theory }, jiff) {
  const row = rowOf(`${name}: a joint job of ${count} rows, debts by ${PRODUCTS} industries`)
  const products = Number((jiff.smult / PRODUCTS).toPrecision(3))
  return [
    row('rate', Math.round(count / seconds), 'rows/s', `jiff-mpc, ${PRODUCTS} smult a row`, products),
    row('sent by all', bytes, 'bytes', 'theory', theory.bytes),
    row('rounds', rounds, 'rounds', 'theory', theory.rounds),
    row('memory of the largest party', memory, 'bytes', 'with 10000 rows', memoryOfFew),
  ]
}

/** Joint jobs that sort by secret keys, from files to the file with what was opened: each beside the same of fewer rows. */
async function grownRelations(folder, counts) {
  const measured = []
  for (const rows of counts) measured.push(await measureRelationJobs(folder, NAMES, rows))
  const [first] = measured
  return measured.flatMap(jobs =>
    jobs.flatMap(({ name, count, seconds, rounds, bytes, memory, theory }, place) => {
      const row = rowOf(`joint job, files of ${count} rows: ${name}`)
      const few = first[place]
      return [
        row(
          'time',
          Number(seconds.toPrecision(3)),
          's',
          `${few.count} rows`,
          Number(few.seconds.toPrecision(3)),
        ),
        row('sent by all', bytes, 'bytes', 'theory', theory.bytes),
        row('rounds', rounds, 'rounds', 'theory', theory.rounds),
        row('memory of the largest party', memory, 'bytes', `${few.count} rows`, few.memory),
      ]
    }),
  )
}

function rowOf(name) {
  return (metric, value, of, against, peerValue) => ({
    bench: 'mpc',
    case: name,
    metric,
    value,
    unit: of,
    peer: against,
    peerValue,
    ratio: Number((value / peerValue).toPrecision(3)),
  })
}

async function jiffRates({ divisions = false } = {}) {
  const { JIFFServer, JIFFClient } = createRequire(import.meta.url)('jiff-mpc')
  const http = createHttp()
  const server = new JIFFServer(http, { logs: false })
  await new Promise(resolve => http.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${http.address().port}`
  // the client greets on stdout, which belongs to the report
  const { log } = console
  console.log = () => undefined
  let clients = []
  try {
    const connect = () =>
      new Promise((resolve, reject) => {
        const onError = (label, error) => reject(new Error(`${label}: ${error}`))
        new JIFFClient(address, 'bench', {
          party_count: 3,
          crypto_provider: true,
          onConnect: resolve,
          onError,
        })
      })
    clients = await Promise.all([connect(), connect(), connect()])
    const all = (count, operation) =>
      rate(count, () =>
        Promise.all(
          clients.map(async client => {
            const shares = client.share(client.id)
            const results = Array.from({ length: count }, () => operation(shares))
            await Promise.all(results.map(result => client.open(result)))
          }),
        ),
      )
    return {
      sadd: await all(500, shares => shares[1].sadd(shares[2]).sadd(shares[3])),
      smult: await all(50, shares => shares[1].smult(shares[2])),
      slt: await all(2, shares => shares[1].slt(shares[2])),
      seq: await all(2, shares => shares[1].seq(shares[2])),
      // one takes as long as hundreds of all others
      ...(divisions && { sdiv: await all(1, shares => shares[3].sdiv(shares[2])) }),
    }
  } finally {
    console.log = log
    // else its clients connect again for ever, and the run does not end
    for (const client of clients) client.socket.disconnect()
    server.closeAllSockets?.()
    http.close()
    http.closeAllConnections()
  }
}

async function rate(count, action) {
  const start = performance.now()
  await action()
  return count / ((performance.now() - start) / 1000)
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

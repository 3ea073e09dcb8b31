// A total over the shared keys, input file to printed total, by `sluice psi run` in a process for each party: with a helper,
// and between two by encryption that adds up. The floor is DuckDB's own join of the same files, without privacy.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { reservePort } from '@sluice/mpc'
import { freshPsiJob, parsePsiJob } from '@sluice/mpc/psi'
import { keyAt, median, row } from './cases.mjs'
import { watchMemory } from './memory.mjs'
import { sluice } from './program.mjs'

export const WITH_HELPER = {
  name: 'total with a helper',
  count: 2 ** 20,
  helper: 'operator',
  receiver: 'bank',
  rounds: 5,
}
const CASES = [
  WITH_HELPER,
  { name: 'total between two, to who has no values', count: 10_000, receiver: 'bank', rounds: 3 },
  { name: 'total between two, to their owner', count: 10_000, receiver: 'bureau', rounds: 3 },
  { name: 'total between two, to who has no values', count: 100_000, receiver: 'bank', rounds: 1 },
]
const PLAIN = 'join of the files by DuckDB'

/**
 * @param {string} root where files may be written
 * @param of what is measured; a helper's beyond 2^20 rows goes in buckets
 */
export async function totalCases(root, of = CASES) {
  const folder = join(root, 'totals')
  await mkdir(folder)
  const cases = []
  for (const each of of) {
    const names = ['bureau', 'bank', ...(each.helper === undefined ? [] : [each.helper])]
    const plain = await inputsAndFloor(folder, each.count)
    await signedJob(folder, names, each)
    const runs = []
    for (let round = 0; round < each.rounds; round++) runs.push(await run(folder, names, each, plain))
    const times = runs.map(({ seconds }) => seconds)
    const name = `files, ${each.name}, ${each.count} × ${each.count}`
    const bits = (runs[0].sent * 8) / each.count
    cases.push(
      row(name, 'median time', median(times), 's', PLAIN, plain.seconds),
      row(name, 'fastest', Math.min(...times), 's', PLAIN, plain.seconds),
      row(name, 'sent by all', bits, 'bits an item', 'hashes and values in the clear', 192),
      row(name, 'rounds', runs[0].rounds, 'rounds', PLAIN, 1),
      ...names.map((party, i) => {
        const peak = median(runs.map(({ peaks }) => peaks[i])) / 2 ** 20
        const who = each.helper === party ? party : `${party} and its engine`
        return row(name, `peak memory, ${who}`, peak, 'MiB', 'its rows', (each.count * 24) / 2 ** 20)
      }),
    )
  }
  return cases
}

/** Two files that share half, in no order; the total over the shared ones, and the time that it takes in the clear. */
async function inputsAndFloor(folder, count) {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  try {
    for (const [party, name] of ['bureau', 'bank'].entries()) {
      const first = (party * count) / 2
      await connection.run(
        `COPY (SELECT printf('%018d', 110101190000000000 + i * 7919 % 1000000007) AS id,
          ((i * 37 % 200001 - 100000) / 100)::DECIMAL(18, 2) AS amount
          FROM range(${first}, ${first + count}) t(i) ORDER BY hash(i))
         TO '${join(folder, name)}.parquet'`,
      )
    }
    const [bureau, bank] = ['bureau', 'bank'].map(name => join(folder, `${name}.parquet`))
    const start = performance.now()
    const reader = await connection.runAndReadAll(
      `SELECT sum(amount)::VARCHAR FROM '${bureau}' WHERE id IN (SELECT id FROM '${bank}')`,
    )
    return { total: reader.getRows()[0][0], seconds: (performance.now() - start) / 1000 }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

async function signedJob(folder, names, { helper, receiver, count }) {
  const parties = []
  for (const name of names) {
    const key = await keyAt(join(folder, `${name}.key`), name)
    parties.push({ name, key: key.publicKey, host: '127.0.0.1', port: await reservePort() })
  }
  const job = parsePsiJob({
    ...freshPsiJob(),
    purpose: 'a benchmark',
    parties,
    ...(helper === undefined ? { protocol: 'ecdh' } : { protocol: 'helper', helper }),
    key: [{ name: 'id', normalize: ['width', 'trim', 'case', 'identity'] }],
    size: { floor: 1, ceiling: Math.max(count, 2 ** 20), step: 1 },
    receivers: [{ name: receiver, learns: 'sum' }],
    sum: { owner: 'bureau', column: 'amount', scale: 2, bound: '1000' },
    payload: [],
    minimumIntersection: 100,
    quota: { runs: 100, lifetimeItems: 2 ** 40 },
    seconds: 3600,
  })
  await writeFile(join(folder, 'total.json'), JSON.stringify(job))
  for (const name of names) {
    const words = ['psi', 'approve', 'total.json', '--as', name, ...inputOf(name), '--yes', '--force']
    await sluice(folder, words).ended
  }
}

function inputOf(name) {
  return name === 'operator' ? [] : ['--input', `${name}.parquet`, '--key', 'id']
}

async function run(folder, names, { receiver, count }, plain) {
  const start = performance.now()
  const started = names.map(name =>
    sluice(folder, ['psi', 'run', 'total.json', '--as', name, ...inputOf(name), '--wait', '10m']),
  )
  const memories = started.map(({ pid }) => watchMemory(pid))
  const parties = await Promise.all(started.map(({ ended }) => ended))
  const seconds = (performance.now() - start) / 1000
  const told = parties[names.indexOf(receiver)]
  if (told.count !== count / 2 || told.sum !== plain.total) throw new Error('the total is wrong')
  return {
    seconds,
    peaks: memories.map(stop => stop()),
    sent: parties.reduce((total, { traffic }) => total + traffic.bytesSent, 0),
    rounds: Math.max(...parties.map(({ traffic }) => traffic.rounds)),
  }
}

// Input file to output file, by `sluice psi run` in two processes: what a user waits for, the start of the programs
// included. The floor is DuckDB's own join of the same files, without privacy, in one process that has them all.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { KeyFile } from '@sluice/ledger/keys'
import { reservePort } from '@sluice/mpc'
import { freshPsiJob, parsePsiJob } from '@sluice/mpc/psi'
import { median, row } from './cases.mjs'
import { watchMemory } from './memory.mjs'
import { sluice } from './program.mjs'

const NAMES = ['bureau', 'bank']
const PROTOCOLS = ['rr22', 'kkrt']
const ROUNDS = 5
const PLAIN = 'join of the files by DuckDB'

/**
 * @param {string} folder where files may be written
 * @param {number} [count] rows of each file; beyond 2^20, they are intersected bucket by bucket
 */
export async function fileCases(folder, count = 2 ** 20, protocols = PROTOCOLS, rounds = ROUNDS) {
  const keys = []
  for (const name of NAMES) keys.push(await KeyFile.generate(join(folder, `${name}.key`), { name }))
  const plain = await inputsAndFloor(folder, count, rounds)
  const cases = []
  for (const protocol of protocols) {
    const job = await signedJob(folder, protocol, keys, count)
    const runs = []
    for (let round = 0; round < rounds; round++) runs.push(await run(folder, job, count))
    cases.push(...rows(`files, ${protocol} ${count} × ${count}`, count, runs, plain))
  }
  return cases
}

function rows(name, count, runs, plain) {
  const times = runs.map(({ seconds }) => seconds)
  const [{ parties }] = runs
  const sent = parties.reduce((total, { traffic }) => total + traffic.bytesSent, 0)
  const rounds = Math.max(...parties.map(({ traffic }) => traffic.rounds))
  const peaks = NAMES.map((_, party) => median(runs.map(({ peaks: [...all] }) => all[party])) / 2 ** 20)
  const files = (count * 60) / 2 ** 20
  return [
    row(name, 'median time', median(times), 's', PLAIN, plain),
    row(name, 'fastest', Math.min(...times), 's', PLAIN, plain),
    row(name, 'sent by both', (sent * 8) / count, 'bits an item', 'hashes in the clear', 128),
    row(name, 'rounds', rounds, 'rounds', PLAIN, 1),
    ...peaks.map((peak, party) => {
      return row(name, `peak memory, ${NAMES[party]} and its engine`, peak, 'MiB', 'its rows', files)
    }),
  ]
}

/** Two files of identity numbers that share half, in no order, and the median time to join them in the clear. */
async function inputsAndFloor(folder, count, rounds) {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  try {
    for (const [party, name] of NAMES.entries()) {
      const first = (party * count) / 2
      await connection.run(
        `COPY (SELECT printf('%018d', 110101190000000000 + i * 7919 % 1000000007) AS id, i * 37 % 100000 AS amount,
          'name ' || i AS name FROM range(${first}, ${first + count}) t(i) ORDER BY hash(i))
         TO '${join(folder, name)}.parquet'`,
      )
    }
    const [other, own, out] = [...NAMES, 'plain'].map(name => join(folder, `${name}.parquet`))
    const times = []
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      await connection.run(`COPY (FROM '${own}' WHERE id IN (SELECT id FROM '${other}')) TO '${out}'`)
      times.push((performance.now() - start) / 1000)
    }
    await requireShared(connection, out, count)
    return median(times)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

async function requireShared(connection, file, count) {
  const reader = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM '${file}'`)
  if (reader.getRows()[0][0] !== count / 2) throw new Error('the join without privacy is wrong')
}

/** A job over sets of so many, which both have signed with their files; its path. */
async function signedJob(folder, protocol, keys, count) {
  const parties = await Promise.all(
    keys.map(async ({ name, publicKey: key }) => ({
      name,
      key,
      host: '127.0.0.1',
      port: await reservePort(),
    })),
  )
  const job = parsePsiJob({
    ...freshPsiJob(),
    purpose: 'a benchmark',
    parties,
    protocol,
    key: [{ name: 'id', normalize: ['width', 'trim', 'case', 'identity'] }],
    size: { floor: 1, ceiling: count, step: 1 },
    receivers: [{ name: 'bank', learns: 'which' }],
    payload: [],
    minimumIntersection: 100,
    quota: { runs: 100, lifetimeItems: 2 ** 40 },
    seconds: 3600,
  })
  const file = `${protocol}.json`
  await writeFile(join(folder, file), JSON.stringify(job))
  for (const name of NAMES) {
    await sluice(folder, ['psi', 'approve', file, '--as', name, ...inputOf(name), '--yes', '--force']).ended
  }
  return file
}

function inputOf(name) {
  return ['--input', `${name}.parquet`, '--key', 'id']
}

async function run(folder, job, count) {
  const start = performance.now()
  const started = NAMES.map(name => {
    const out = name === 'bank' ? ['--out', 'matched.parquet', '--force'] : []
    return sluice(folder, ['psi', 'run', job, '--as', name, ...inputOf(name), ...out])
  })
  const memories = started.map(({ pid }) => watchMemory(pid))
  const parties = await Promise.all(started.map(({ ended }) => ended))
  const seconds = (performance.now() - start) / 1000
  if (parties[1].rows !== count / 2) throw new Error('the intersection is wrong')
  return { seconds, parties, peaks: memories.map(stop => stop()) }
}

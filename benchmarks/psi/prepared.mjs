// A small set against a large one that was prepared once, by the command line: what the side that asks waits for, the
// start of its program included, while the owner's program waits for it; and of that what is online, from the moment it
// says that it is connected until its result is written and said. The prepared set has ten million values, of
// which SLUICE_BENCH_PREPARED (20,000 unless it says more) were evaluated on companies, and the others pad, as they do in
// every set that is padded: to whoever looks them up they are alike. All of them evaluated takes 23 minutes of a core.
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { KeyFile } from '@sluice/ledger/keys'
import { reservePort } from '@sluice/mpc'
import { median, row } from './cases.mjs'

const VALUES = 10_000_000
const EVALUATED = Number(process.env.SLUICE_BENCH_PREPARED ?? 20_000)
const ASKED = 1000
const ROUNDS = 5
const PLAIN = 'join of the files by DuckDB'
const program = fileURLToPath(new URL('../../packages/cli/bin/sluice.js', import.meta.url))

/** @param {string} folder where files may be written */
export async function preparedCases(folder) {
  const plain = await inputsAndFloor(folder)
  const keys = []
  for (const name of ['owner', 'asker'])
    keys.push(await KeyFile.generate(join(folder, `${name}.key`), { name }))
  const start = performance.now()
  await sluice(
    folder,
    `psi prepare companies.parquet --as owner --key code --step ${VALUES} --out companies.prepared`,
  ).ended
  const preparing = (performance.now() - start) / 1000
  await signedJob(folder, keys)
  const runs = []
  for (let round = 0; round < ROUNDS; round++) runs.push(await run(folder))
  const name = `prepared, ${ASKED} × ${VALUES}, ${EVALUATED} evaluated`
  const times = runs.map(({ seconds }) => seconds)
  const [{ traffic }] = runs
  const bits = ((traffic.bytesSent + traffic.bytesReceived) * 8) / ASKED
  const file = (await readFile(join(folder, 'companies.prepared'))).length / 2 ** 20
  const input = (await readFile(join(folder, 'companies.parquet'))).length / 2 ** 20
  return [
    row(name, 'median time', median(times), 's', PLAIN, plain),
    row(name, 'fastest', Math.min(...times), 's', PLAIN, plain),
    row(name, 'online, median', median(runs.map(({ online }) => online)), 's', PLAIN, plain),
    row(name, 'sent by both', bits, 'bits an item asked', 'hashes in the clear', 128),
    row(name, 'rounds', traffic.rounds, 'rounds', PLAIN, 1),
    row(name, 'prepared once', preparing, 's', PLAIN, plain),
    row(name, 'file', file, 'MiB', 'the companies’ file', input),
  ]
}

/** The register, of which as many as are evaluated count, and borrowers of whom half are in it. */
async function inputsAndFloor(folder) {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  try {
    const code = "'9144' || lpad(CAST(i * 7919 % 100000000000 AS VARCHAR), 14, '0')"
    const copy = (rows, as, name) =>
      connection.run(`COPY (SELECT ${code} AS ${as} FROM ${rows} t(i)) TO '${join(folder, name)}.parquet'`)
    await copy(`range(${EVALUATED})`, 'code', 'companies')
    await copy(`range(${VALUES})`, 'code', 'register')
    const half = ASKED / 2
    await copy(`range(${EVALUATED - half}, ${EVALUATED + half})`, 'firm', 'borrowers')
    const [own, all, out] = ['borrowers', 'register', 'plain'].map(name => join(folder, `${name}.parquet`))
    const times = []
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now()
      await connection.run(`COPY (FROM '${own}' WHERE firm IN (SELECT code FROM '${all}')) TO '${out}'`)
      times.push((performance.now() - start) / 1000)
    }
    return median(times)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

async function signedJob(folder, keys) {
  const parties = await Promise.all(
    keys.map(async ({ name, publicKey: key }) => ({
      name,
      key,
      host: '127.0.0.1',
      port: await reservePort(),
    })),
  )
  const draft = {
    purpose: 'a benchmark',
    parties,
    protocol: 'oprf',
    prepared: { owner: 'owner' },
    size: { floor: 1, ceiling: 100_000, step: ASKED },
    receivers: [{ name: 'asker', learns: 'which' }],
    payload: [],
    minimumIntersection: 0,
    quota: { runs: 100, lifetimeItems: 1_000_000 },
    seconds: 600,
  }
  await writeFile(join(folder, 'asked.yaml'), JSON.stringify(draft))
  await sluice(folder, 'psi init asked.yaml --prepared companies.prepared --out asked.json').ended
  await sluice(folder, 'psi approve asked.json --as owner --yes').ended
  await sluice(folder, `psi approve asked.json ${ASKER} --yes`).ended
}

const ASKER = '--as asker --input borrowers.parquet --key firm --prepared companies.prepared'

async function run(folder) {
  const owner = sluice(folder, 'psi run asked.json --as owner')
  await owner.listens
  const start = performance.now()
  const command = sluice(folder, `psi run asked.json ${ASKER} --out matched.parquet --force`)
  const asker = await command.ended
  const seconds = (performance.now() - start) / 1000
  const online = (command.at.said - command.at.connected) / 1000
  await owner.ended
  if (asker.count !== ASKED / 2) throw new Error('the intersection is wrong')
  return { seconds, online, traffic: asker.traffic }
}

/** A command in a process of its own, and what it printed as JSON. */
function sluice(folder, command) {
  const child = spawn(process.execPath, [program, ...command.split(' '), '--json', '--progress', 'json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [said, shown] = ['', '']
  /** milliseconds: when it was connected, and when it said its result */
  const at = {}
  child.stdout.on('data', chunk => {
    said += String(chunk)
    at.said = performance.now()
  })
  const listens = new Promise(resolve => {
    child.stderr.on('data', chunk => {
      shown += String(chunk)
      if (shown.includes('listening')) resolve()
      if (shown.includes('connected')) at.connected ??= performance.now()
    })
    child.once('close', resolve)
  })
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0) resolve(JSON.parse(said))
      else reject(new Error(`sluice ${command} ended with ${code}: ${said}${shown.slice(-500)}`))
    })
  })
  return { listens, ended, at }
}

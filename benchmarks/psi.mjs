// Private set intersection between two processes on this machine, over mutual TLS 1.3: from hashed items to the matched
// ones, the set-up of the session included, beside a join of the same items without privacy.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { canonicalDigest } from '@sluice/core'
import { KeyFile } from '@sluice/ledger/keys'
import { HashIndex } from '@sluice/mpc/psi'
import { itemsOf } from './psi/items.mjs'

const NAMES = ['bureau', 'bank']
const SIZES = [2 ** 16, 2 ** 18, 2 ** 20]
const PROTOCOLS = ['rr22', 'kkrt16']
const ROUNDS = 5

/**
 * @typedef {{ bench: string, case: string, metric: string, value: number, unit: string, peer: string, peerValue: number, ratio: number }} Case
 * @returns {Promise<Case[]>}
 */
export async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  try {
    const cases = []
    for (const count of SIZES) {
      const plain = median(Array.from({ length: ROUNDS }, () => plainJoin(count)))
      for (const protocol of PROTOCOLS) {
        const runs = []
        for (let round = 0; round < ROUNDS; round++) runs.push(await twoProcesses(folder, protocol, count))
        cases.push(...rows(`${protocol} ${count} × ${count}`, count, runs, plain))
      }
    }
    return cases
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function rows(name, count, runs, plain) {
  const most = read => runs.map(parties => Math.max(...parties.map(read)))
  const row = (metric, value, unit, peer, peerValue) => ({
    bench: 'psi',
    case: name,
    metric,
    value: Number(value.toPrecision(4)),
    unit,
    peer,
    peerValue: Number(peerValue.toPrecision(3)),
    ratio: Number((value / peerValue).toPrecision(3)),
  })
  const seconds = most(party => party.seconds)
  const sent = runs[0].reduce((total, party) => total + party.bytes, 0)
  const memory = median(most(party => party.peak)) / 2 ** 20
  return [
    row('median time', median(seconds), 's', 'hash join without privacy', plain),
    row('fastest', Math.min(...seconds), 's', 'hash join without privacy', plain),
    row('sent by both', (sent * 8) / count, 'bits an item', 'hashes in the clear', 128),
    row('rounds', Math.max(...runs[0].map(party => party.rounds)), 'rounds', 'hash join without privacy', 1),
    row('peak memory of a party', memory, 'MiB', 'its items', (count * 16) / 2 ** 20),
  ]
}

/** Seconds to find the same matches when one side sees both sets. */
function plainJoin(count) {
  const [own, other] = [0, 1].map(party => itemsOf(party, count))
  const start = performance.now()
  const places = new HashIndex(other).places(own)
  const seconds = (performance.now() - start) / 1000
  if (places.reduce((sum, place) => sum + (place < 0 ? 0 : 1), 0) !== count / 2) {
    throw new Error('the join without privacy is wrong')
  }
  return seconds
}

async function twoProcesses(folder, protocol, count) {
  const keys = await Promise.all(
    NAMES.map(async name => {
      const path = join(folder, `${name}.key`)
      return KeyFile.open(path).catch(() => KeyFile.generate(path, { name }))
    }),
  )
  const participants = await Promise.all(
    keys.map(async ({ name, publicKey }) => ({
      name,
      key: publicKey,
      address: { host: '127.0.0.1', port: await freePort() },
    })),
  )
  const job = canonicalDigest({ bench: 'psi', protocol, count })
  const program = fileURLToPath(new URL('./psi/party.mjs', import.meta.url))
  return Promise.all(
    NAMES.map(
      (name, self) =>
        new Promise((resolve, reject) => {
          const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
          let report
          child.once('message', message => {
            report = message
          })
          child.once('error', reject)
          child.once('exit', code =>
            report ? resolve(report) : reject(new Error(`the party ${name} ended with ${code}`)),
          )
          child.send({ participants, self, job, key: join(folder, `${name}.key`), protocol, count })
        }),
    ),
  )
}

async function freePort() {
  const server = createServer()
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

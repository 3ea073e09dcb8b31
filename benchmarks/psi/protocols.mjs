// The protocols alone: from hashed items to the matched ones, the set-up of the session included, beside a join of the
// same items without privacy, and beside what `--dry-run` would have estimated.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { canonicalDigest } from '@sluice/core'
import { reservePort } from '@sluice/mpc'
import { estimatePsi, HashIndex } from '@sluice/mpc/psi'
import { keyAt, median, row } from './cases.mjs'
import { itemsOf } from './items.mjs'

const NAMES = ['bureau', 'bank']
const SIZES = [2 ** 16, 2 ** 18, 2 ** 20]
const PROTOCOLS = { rr22: 'rr22', kkrt16: 'kkrt' }
const ROUNDS = 5
/** An estimate is to be within this factor of what is measured. */
const FACTOR = 3

/** @param {string} folder where keys may be written */
export async function protocolCases(folder) {
  const cases = []
  for (const count of SIZES) {
    const plain = median(Array.from({ length: ROUNDS }, () => plainJoin(count)))
    for (const [protocol, named] of Object.entries(PROTOCOLS)) {
      const runs = []
      for (let round = 0; round < ROUNDS; round++) runs.push(await twoProcesses(folder, protocol, count))
      cases.push(...rows(`${protocol} ${count} × ${count}`, count, runs, plain))
      cases.push(await estimated(`${protocol} ${count} × ${count}`, named, count, runs))
    }
  }
  return cases
}

function rows(name, count, runs, plain) {
  const most = read => runs.map(parties => Math.max(...parties.map(read)))
  const seconds = most(party => party.seconds)
  const sent = runs[0].reduce((total, party) => total + party.bytes, 0)
  const memory = median(most(party => party.peak)) / 2 ** 20
  const rounds = Math.max(...runs[0].map(party => party.rounds))
  return [
    row(name, 'median time', median(seconds), 's', 'hash join without privacy', plain),
    row(name, 'fastest', Math.min(...seconds), 's', 'hash join without privacy', plain),
    row(name, 'sent by both', (sent * 8) / count, 'bits an item', 'hashes in the clear', 128),
    row(name, 'rounds', rounds, 'rounds', 'hash join without privacy', 1),
    row(name, 'peak memory of a party', memory, 'MiB', 'its items', (count * 16) / 2 ** 20),
  ]
}

/** What the estimate says of this machine, beside the measured time. */
async function estimated(name, protocol, count, runs) {
  const job = {
    parties: NAMES.map(party => ({ name: party })),
    receivers: [{ name: NAMES[0], learns: 'which' }],
    size: { floor: 1, ceiling: 2 ** 24, step: 1 },
  }
  const { seconds } = (await estimatePsi(job, count)).find(estimate => estimate.protocol === protocol)
  const measured = median(runs.map(parties => Math.max(...parties.map(party => party.seconds))))
  const case_ = row(name, 'estimate', seconds, 's', 'median time', measured)
  if (Math.max(case_.ratio, 1 / case_.ratio) > FACTOR) {
    process.stderr.write(`the estimate of ${name} is ${case_.ratio} times what was measured\n`)
  }
  return case_
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

/**
 * One run of a protocol, each party a process.
 *
 * @returns {Promise<{ seconds: number, rounds: number, bytes: number, peak: number }[]>} by party
 */
export async function twoProcesses(folder, protocol, count) {
  const keys = await Promise.all(NAMES.map(name => keyAt(join(folder, `${name}.key`), name)))
  const participants = await Promise.all(
    keys.map(async ({ name, publicKey }) => ({
      name,
      key: publicKey,
      address: { host: '127.0.0.1', port: await reservePort() },
    })),
  )
  const job = canonicalDigest({ bench: 'psi', protocol, count })
  const program = fileURLToPath(new URL('./party.mjs', import.meta.url))
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

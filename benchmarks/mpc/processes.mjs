import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { canonicalDigest } from '@sluice/core'
import { KeyFile } from '@sluice/ledger/keys'
import { reservePort } from '@sluice/mpc'

/**
 * Runs a program as each party, in processes of their own that meet over mutual TLS.
 *
 * @param {string} folder where keys may be written
 * @param {string[]} names the parties, in order
 * @param {string} program beside this file; it answers with a report for each measurement
 * @param {number} rounds how often each measurement is taken
 * @param {number} [grown] the one of what grows that is measured instead
 * @returns {Promise<{ seconds: number[], rounds: number, bytes: number, memory: number }[]>} by measurement: the times of the
 *   slowest party, the rounds of the longest, the bytes that all sent, and the most that a party had in memory until then
 */
export async function runProcesses(folder, names, program, rounds, grown) {
  const keys = await Promise.all(
    names.map(name => KeyFile.generate(join(folder, `${program}-${name}.key`), { name })),
  )
  const participants = await Promise.all(
    keys.map(async ({ name, publicKey }) => ({
      name,
      key: publicKey,
      address: { host: '127.0.0.1', port: await reservePort() },
    })),
  )
  const job = canonicalDigest({ bench: program, names })
  const path = fileURLToPath(new URL(`./${program}`, import.meta.url))
  const reports = await Promise.all(
    names.map(
      (name, self) =>
        new Promise((resolve, reject) => {
          const child = fork(path, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
          let report
          child.once('message', message => {
            report = message
          })
          child.once('error', reject)
          child.once('exit', code =>
            report ? resolve(report) : reject(new Error(`the party ${name} ended with ${code}`)),
          )
          child.send({ participants, self, job, key: join(folder, `${program}-${name}.key`), rounds, grown })
        }),
    ),
  )
  return reports[0].map((_, index) => {
    const parties = reports.map(report => report[index])
    return {
      seconds: parties[0].seconds.map((_, round) => Math.max(...parties.map(party => party.seconds[round]))),
      rounds: Math.max(...parties.map(party => party.rounds)),
      bytes: parties.reduce((total, party) => total + party.bytes, 0),
      memory: Math.max(...parties.map(party => party.memory)),
    }
  })
}

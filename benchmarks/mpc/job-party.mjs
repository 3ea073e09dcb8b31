// One of the participants of a joint job that is measured: told by its parent who it is, it answers with what it took.
import { KeyFile } from '@sluice/ledger/keys'
import { runJoint } from '@sluice/mpc'
import { rowsOf } from './table.mjs'

const { job, key, rows } = await new Promise(resolve => process.once('message', resolve))
const signer = await KeyFile.open(key)
const own = job.inputs.filter(({ owner }) => owner === signer.name)
const inputs = Object.fromEntries(own.map(({ name }) => [name, () => rowsOf(name, rows)]))
let start
const { traffic } = await runJoint(job, {
  signer,
  inputs,
  wait: 600,
  onEvent: ({ kind }) => {
    if (kind === 'connected') start = performance.now()
  },
})
const report = {
  seconds: (performance.now() - start) / 1000,
  rounds: traffic.rounds,
  bytes: traffic.bytesSent,
  memory: process.resourceUsage().maxRSS * 1024,
}
await new Promise(resolve => process.send(report, resolve))
process.disconnect()

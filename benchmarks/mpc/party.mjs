// One of the three parties of the benchmark: told by its parent who it is, it answers with what it measured.

import { KeyFile } from '@sluice/ledger/keys'
import { approveJob, meet, Session } from '@sluice/mpc'
import { establish } from '@sluice/mpc/replicated'
import { columns, growth, measurements } from './measurements.mjs'

const { participants, self, job, key, rounds, grown } = await new Promise(resolve =>
  process.once('message', resolve),
)
const signer = await KeyFile.open(key)
const streams = await meet({ participants, self, signer })
const approval = await approveJob(job, signer)
const session = await Session.open({ job: { digest: job, participants }, self, approval, streams })
const party = await session.run(establish(self, session.id))

const report = []
for (const { count, protocol, times = rounds } of grown === undefined ? measurements : [growth[grown]]) {
  const [x, y] = await session.run(columns(party, count))
  const seconds = []
  let before
  for (let round = 0; round < times; round++) {
    await session.run(barrier())
    before = session.traffic
    const start = performance.now()
    await session.run(protocol(party, x, y))
    seconds.push((performance.now() - start) / 1000)
  }
  report.push({
    seconds,
    rounds: session.traffic.rounds - before.rounds,
    bytes: session.traffic.bytesSent - before.bytesSent,
    memory: process.resourceUsage().maxRSS * 1024,
  })
}
await session.end()
await new Promise(resolve => process.send(report, resolve))
process.disconnect()

/** All parties begin together. */
function* barrier() {
  const others = [0, 1, 2].filter(index => index !== self)
  const send = others.map(to => ({ to, bytes: new Uint8Array(1) }))
  yield { send, receive: others.map(from => ({ from, bytes: 1 })) }
}

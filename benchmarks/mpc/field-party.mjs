// One of the participants of the benchmark in the field: told by its parent who it is, it answers with what it measured.

import { KeyFile } from '@sluice/ledger/keys'
import { approveJob, meet, Session } from '@sluice/mpc'
import { fieldMeasurements, start } from './field-measurements.mjs'

const { participants, self, job, key, rounds } = await new Promise(resolve =>
  process.once('message', resolve),
)
const signer = await KeyFile.open(key)
const streams = await meet({ participants, self, signer })
const approval = await approveJob(job, signer)
const session = await Session.open({ job: { digest: job, participants }, self, approval, streams })
const given = await session.run(start(self, session.id))

const report = []
for (const { protocol } of fieldMeasurements) {
  const seconds = []
  let before
  for (let round = 0; round < rounds; round++) {
    await session.run(barrier())
    before = session.traffic
    const start = performance.now()
    await session.run(protocol(given))
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

/** All participants begin together. */
function* barrier() {
  const others = participants.map((_, index) => index).filter(index => index !== self)
  const send = others.map(to => ({ to, bytes: new Uint8Array(1) }))
  yield { send, receive: others.map(from => ({ from, bytes: 1 })) }
}

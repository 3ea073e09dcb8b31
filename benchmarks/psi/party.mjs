// One of the two parties of the benchmark: told by its parent who it is, it answers with what it measured.

import { KeyFile } from '@sluice/ledger/keys'
import { approveJob, meet, Session } from '@sluice/mpc'
import { ecdhPsi, kkrt16, loadRistretto, rr22 } from '@sluice/mpc/psi'
import { itemsOf } from './items.mjs'

const { participants, self, job, key, protocol, count } = await new Promise(resolve =>
  process.once('message', resolve),
)
const signer = await KeyFile.open(key)
const streams = await meet({ participants, self, signer })
const approval = await approveJob(job, signer)
const session = await Session.open({ job: { digest: job, participants }, self, approval, streams })
const items = itemsOf(self, count)
const group = await loadRistretto()
const channel = { session: session.id, peer: 1 - self, group }
await session.run(barrier())

const before = session.traffic
const start = performance.now()
const matched = protocol === 'ecdh' ? await byDiffieHellman() : await byTransfers({ kkrt16, rr22 }[protocol])
const seconds = (performance.now() - start) / 1000
const found = matched?.reduce((sum, bit) => sum + bit, 0)
if (self === 0 && found !== count / 2) throw new Error('the intersection is wrong')

const { rounds, bytesSent } = session.traffic
await session.end()
const report = {
  seconds,
  rounds: rounds - before.rounds,
  bytes: bytesSent - before.bytesSent,
  peak: process.resourceUsage().maxRSS * 1024,
}
await new Promise(resolve => process.send(report, resolve))
process.disconnect()

async function byTransfers({ receiver, sender }) {
  const intersect = await session.run(self === 0 ? receiver(channel) : sender(channel))
  return session.run(intersect(items, count))
}

async function byDiffieHellman() {
  const [own, peer] = self === 0 ? ['which', 'nothing'] : ['nothing', 'which']
  const learns = { own, peer }
  const run = ecdhPsi({ peer: 1 - self, hashes: items, peerCount: count, learns, session: session.id, group })
  return (await session.run(run)).matched
}

/** Both parties begin together. */
function* barrier() {
  const other = 1 - self
  yield { send: [{ to: other, bytes: new Uint8Array(1) }], receive: [{ from: other, bytes: 1 }] }
}

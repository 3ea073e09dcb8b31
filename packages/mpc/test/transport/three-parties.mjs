// Three parties sort a column over TLS on this machine's loopback, whatever that does to packets, and say what they got.
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { verifierKey } from '@sluice/ledger/keys'
import { approveJob, meet, reservePort, Session } from '@sluice/mpc'
import { establish, inputOf, open, sortBy } from '@sluice/mpc/replicated'

const VALUES = BigUint64Array.from({ length: 20_000 }, (_, i) => BigInt((i * 37) % 64))

const people = ['bureau', 'bank', 'operator'].map(name => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = verifierKey(name, publicKey.export({ type: 'spki', format: 'der' }).subarray(-32))
  return { name, publicKey: key.text, keyId: key.keyId, sign: async bytes => sign(null, bytes, privateKey) }
})
const participants = await Promise.all(
  people.map(async ({ name, publicKey }) => ({
    name,
    key: publicKey,
    address: { host: '127.0.0.1', port: await reservePort() },
  })),
)
const job = { digest: createHash('sha256').update('three parties').digest('hex'), participants }

const sorted = await Promise.all(
  people.map(async (signer, self) => {
    const streams = await meet({ participants, self, signer, wait: 60 })
    const approval = await approveJob(job.digest, signer)
    const session = await Session.open({ job, self, approval, streams, seconds: 200 })
    const found = await session.run(sorting(self, session.id))
    await session.end()
    return Buffer.compare(Buffer.from(found.buffer), Buffer.from(VALUES.toSorted().buffer)) === 0
  }),
)
console.log(JSON.stringify({ sorted }))

function* sorting(self, session) {
  const party = yield* establish(self, session)
  const values = yield* inputOf(party, 1, self === 1 ? VALUES : VALUES.length)
  const [column] = yield* sortBy(party, [{ values, bits: 6 }], [values])
  return yield* open(party, column, [0, 1, 2])
}

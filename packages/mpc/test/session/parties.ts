import { createHash, createPrivateKey, createPublicKey, sign as signBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { type Signer, verifierKey } from '@sluice/ledger/keys'
import { approveJob, type LinkLimits, memoryMesh, Session, type SessionJob } from '@sluice/mpc'

/** A signer whose key follows from its name, so that tests replay; never a way to make a real key. */
export function person(name: string): Signer {
  const seed = createHash('sha256').update(`a test's key for ${name}`).digest()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(-32)
  const key = verifierKey(name, raw)
  return {
    name,
    publicKey: key.text,
    keyId: key.keyId,
    sign: async bytes => signBytes(null, bytes, privateKey),
  }
}

export const people = ['bureau', 'bank', 'operator'].map(person)
export const job: SessionJob = {
  digest: createHash('sha256').update('a job').digest('hex'),
  participants: people.map(({ name, publicKey }) => ({ name, key: publicKey })),
}

export interface Given {
  readonly streams?: ReadonlyMap<number, Duplex>
  readonly job?: SessionJob
  readonly approval?: string
  readonly signal?: AbortSignal
  readonly seconds?: number
  readonly limits?: LinkLimits
}

export async function openSession(self: number, given: Given & { streams: ReadonlyMap<number, Duplex> }) {
  const own = given.job ?? job
  const approval = given.approval ?? (await approveJob(own.digest, people[self]!))
  return Session.open({ job: own, self, approval, ...given })
}

/** Three sessions in this process, each with what is particular to it. */
export function openAll(...given: Given[]): Promise<PromiseSettledResult<Session>[]> {
  const mesh = memoryMesh(3)
  return Promise.allSettled(mesh.map((streams, self) => openSession(self, { streams, ...given[self] })))
}

import { hash } from 'node:crypto'
import { canonicalBytes, SluiceError } from '@sluice/core'
import { isApproved } from './approval.js'

/** Who takes part, in the job's order: an index into this list names a participant everywhere below. */
export interface Participant {
  readonly name: string
  /** verifier key text, see `parseVerifierKey` of `@sluice/ledger/keys` */
  readonly key: string
}

/** The job as a session needs it: what is computed is the protocol's affair. */
export interface SessionJob {
  /** SHA-256 of the job's canonical bytes, 64 hexadecimal digits */
  readonly digest: string
  readonly participants: readonly Participant[]
  /**
   * so many of them, the first, are connected with everybody, and the session's identifier is of their making; default
   * all
   */
  readonly core?: number
}

/** What participants tell each other before anything else. */
export interface Hello {
  readonly version: typeof VERSION
  readonly from: string
  readonly to: string
  readonly job: string
  /** `approveJob` of the sender */
  readonly approval: string
  /** 32 fresh bytes, hexadecimal: no two sessions are one */
  readonly nonce: string
  /**
   * 32 fresh bytes, hexadecimal, of this connection alone: what is recorded of it is a digest, and nobody else can
   * guess at short messages that it stands for
   */
  readonly salt: string
}

export const VERSION = 'sluice-mpc/2'

export function encodeHello(hello: Hello): Uint8Array<ArrayBuffer> {
  return new Uint8Array(canonicalBytes(hello))
}

/**
 * Checks a peer's greeting against the job.
 *
 * @throws SluiceError JOB_MISMATCH where it holds another job or did not sign it, PROTOCOL_VIOLATION where it is no
 *   greeting of this version for us
 */
export function checkHello(body: Uint8Array, peer: Participant, self: Participant, job: SessionJob): Hello {
  const hello = parse(body)
  if (hello !== undefined && hello.version !== VERSION) {
    throw refusal(peer, 'PROTOCOL_VIOLATION', 'speaks another version of the protocol')
  }
  if (!isWhole(hello) || hello.from !== peer.name || hello.to !== self.name) {
    throw refusal(peer, 'PROTOCOL_VIOLATION', 'sent no greeting for this party')
  }
  if (hello.job !== job.digest) throw refusal(peer, 'JOB_MISMATCH', 'holds another job')
  if (!isApproved(job.digest, peer.name, peer.key, hello.approval)) {
    throw refusal(peer, 'JOB_MISMATCH', 'has not signed this job')
  }
  return hello
}

/** What makes one session's keys differ from every other's: the job and the nonce of everybody in the core. */
export function sessionId(job: SessionJob, nonces: readonly string[]): string {
  return hash(
    'sha256',
    canonicalBytes({ version: VERSION, job: job.digest, nonces: nonces.slice(0, job.core) }),
    'hex',
  )
}

/** Of another version, nothing but that is known of it. */
function parse(body: Uint8Array): Partial<Record<keyof Hello, unknown>> | undefined {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return typeof value?.version === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function isWhole(value: Partial<Record<keyof Hello, unknown>> | undefined): value is Hello {
  if (value === undefined) return false
  const texts = [value.from, value.to, value.job, value.approval]
  const fresh = [value.nonce, value.salt]
  return (
    texts.every(text => typeof text === 'string') &&
    fresh.every(text => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text))
  )
}

function refusal(
  peer: Participant,
  code: 'JOB_MISMATCH' | 'PROTOCOL_VIOLATION',
  reason: string,
): SluiceError {
  return new SluiceError(code, `"${peer.name}" ${reason}`, {
    remedy: 'Compare the digests of the job at every party; nothing was shared.',
    facts: { party: peer.name },
  })
}

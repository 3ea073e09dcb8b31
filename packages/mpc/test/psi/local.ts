import { type LocalRun, type Protocol, runLocally } from '@sluice/mpc'
import { type ItemHashes, loadRistretto, type PsiChannel, type PsiProtocol } from '@sluice/mpc/psi'
import { seeded, stream } from '../protocols/local.js'

const group = await loadRistretto()

export const SESSION = '7a'.repeat(32)

/** The two ends of a channel: participant 0 receives. */
export function channels(seed = 'psi', session = SESSION): [PsiChannel, PsiChannel] {
  return [
    { session, peer: 1, group, random: seeded(`${seed} receiver`) },
    { session, peer: 0, group, random: seeded(`${seed} sender`) },
  ]
}

/** Both sides in this process; participant 0 first. */
export function two<A, B>(
  first: Protocol<A>,
  second: Protocol<B>,
  alter?: Parameters<typeof runLocally>[1],
): Omit<LocalRun<A | B>, 'outputs'> & { outputs: [A, B] } {
  return runLocally<A | B>([first, second], alter) as LocalRun<A | B> & { outputs: [A, B] }
}

/** Random items, which are all different. */
export function items(count: number, seed: string): ItemHashes {
  const bytes = new Uint8Array(count * 16)
  stream(seed).fill(bytes)
  return bytes
}

/** What a plain join says: 1 for each own item that is among the other's. */
export function plainJoin(own: Uint8Array, other: Uint8Array): Uint8Array {
  const text = (bytes: Uint8Array, index: number) =>
    Buffer.from(bytes.buffer, bytes.byteOffset + 16 * index, 16).toString('latin1')
  const theirs = new Set(Array.from({ length: other.length / 16 }, (_, index) => text(other, index)))
  return Uint8Array.from({ length: own.length / 16 }, (_, index) => (theirs.has(text(own, index)) ? 1 : 0))
}

/** Set up once, then one intersection after the other: what the receiver got of each, and the run as it went. */
export function intersectAll(
  protocol: PsiProtocol,
  rounds: readonly (readonly [own: ItemHashes, other: ItemHashes])[],
  alter?: Parameters<typeof runLocally>[1],
  session = SESSION,
): { matched: Uint8Array[]; run: LocalRun<Uint8Array[]> } {
  const [receiving, sending] = channels(protocol.name, session)
  const run = runLocally<Uint8Array[]>(
    [
      (function* () {
        const receive = yield* protocol.receiver(receiving)
        const matched: Uint8Array[] = []
        for (const [own, other] of rounds) matched.push(yield* receive(own, other.length / 16))
        return matched
      })(),
      (function* () {
        const send = yield* protocol.sender(sending)
        for (const [own, other] of rounds) yield* send(other, own.length / 16)
        return []
      })(),
    ],
    alter,
  )
  return { matched: run.outputs[0]!, run }
}

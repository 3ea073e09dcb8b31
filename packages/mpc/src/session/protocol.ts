import { SluiceError } from '@sluice/core'

export interface Outgoing {
  /** index of a participant */
  readonly to: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface Incoming {
  readonly from: number
  /** how many bytes the message has: both sides know it from public sizes alone */
  readonly bytes: number
  /** whether the protocol goes on where the sender has left: the message is then empty */
  readonly optional?: boolean
}

/** What a protocol wants of the network in one round: everything sent and received at the same time. */
export interface Exchange {
  readonly send: readonly Outgoing[]
  readonly receive: readonly Incoming[]
}

/**
 * What a protocol that computes for long yields in between: no round, but a moment in which the session can say that this
 * participant is still there. Beside other protocols (`together`) it also lets these start first, so that all who share a
 * stream of random words pause at the same places: else they would draw from it in different orders.
 */
export const PAUSE: Exchange = Object.freeze({ send: [], receive: [] })

/**
 * A protocol as a state machine without I/O: it yields an exchange, is resumed with the received messages in the
 * order in which it named them, and returns its output. Sizes and order never depend on secrets.
 */
export type Protocol<T> = Generator<Exchange, T, readonly Uint8Array<ArrayBuffer>[]>

/** Runs protocols side by side, round by round: as many rounds as the longest of them has. */
export function* together<T extends readonly unknown[]>(
  ...protocols: { readonly [K in keyof T]: Protocol<T[K]> }
): Protocol<T> {
  const steps = protocols.map(protocol => protocol.next())
  while (steps.some(step => !step.done)) {
    for (const [index, protocol] of protocols.entries()) {
      while (steps[index]!.value === PAUSE) {
        yield PAUSE
        steps[index] = protocol.next([])
      }
    }
    const exchanges = steps.map(step => (step.done ? undefined : step.value))
    const received = yield {
      send: exchanges.flatMap(exchange => exchange?.send ?? []),
      receive: exchanges.flatMap(exchange => exchange?.receive ?? []),
    }
    let start = 0
    exchanges.forEach((exchange, index) => {
      if (exchange === undefined) return
      const end = start + exchange.receive.length
      steps[index] = protocols[index]!.next(received.slice(start, end))
      start = end
    })
  }
  return steps.map(step => step.value) as unknown as T
}

/**
 * A protocol of few among the participants of a session of more.
 *
 * @param participants index in the session of each participant of the protocol
 */
export function* renamed<T>(protocol: Protocol<T>, participants: readonly number[]): Protocol<T> {
  let step = protocol.next()
  while (!step.done) {
    if (step.value === PAUSE) {
      step = protocol.next(yield PAUSE)
      continue
    }
    const { send, receive } = step.value
    step = protocol.next(
      yield {
        send: send.map(outgoing => ({ ...outgoing, to: participants[outgoing.to]! })),
        receive: receive.map(incoming => ({ ...incoming, from: participants[incoming.from]! })),
      },
    )
  }
  return step.value
}

export interface LocalRun<T> {
  readonly outputs: T[]
  /** everything that each participant received, in order */
  readonly views: Uint8Array[][]
  readonly rounds: number
  /** what each participant sent */
  readonly bytesSent: number[]
}

/**
 * Runs every participant's protocol in this process, without a network: for tests and for reckoning costs. A
 * participant whose protocol is over has left: optional messages of it stay empty, and what others still send to it
 * is lost.
 *
 * @param alter what happens to a message on its way; for tests of what goes wrong
 * @throws SluiceError INTERNAL where the protocols do not fit each other
 */
export function runLocally<T>(
  protocols: readonly Protocol<T>[],
  alter: (bytes: Uint8Array<ArrayBuffer>, from: number, to: number) => Uint8Array<ArrayBuffer> = bytes =>
    bytes,
): LocalRun<T> {
  const queues = protocols.map(() => protocols.map((): Uint8Array<ArrayBuffer>[] => []))
  const views = protocols.map((): Uint8Array[] => [])
  const bytesSent = protocols.map(() => 0)
  const waiting: (Exchange | undefined)[] = []
  const outputs: T[] = []
  const advance = (index: number, received?: readonly Uint8Array<ArrayBuffer>[]): void => {
    const step = received === undefined ? protocols[index]!.next() : protocols[index]!.next(received)
    waiting[index] = step.done ? undefined : step.value
    if (step.done) outputs[index] = step.value
    else {
      for (const { to, bytes } of step.value.send) {
        queues[index]![to]!.push(alter(bytes.slice(), index, to))
        bytesSent[index]! += bytes.length
      }
    }
  }
  protocols.forEach((_, index) => {
    advance(index)
  })
  const rounds = protocols.map(() => 0)
  const left = new Set<number>()
  const absent = (index: number, { from, optional }: Incoming): boolean =>
    optional === true && waiting[from] === undefined && queues[from]![index]!.length === 0
  for (let moved = true; moved; ) {
    moved = false
    protocols.forEach((_, index) => {
      const exchange = waiting[index]
      if (exchange === undefined) return
      const coming = exchange.receive.filter(incoming => !absent(index, incoming))
      if (!canReceive(coming, from => queues[from]![index]!)) return
      const received = exchange.receive.map(incoming => {
        if (coming.includes(incoming)) return queues[incoming.from]![index]!.shift()!
        left.add(incoming.from)
        return new Uint8Array(0)
      })
      // a protocol may reckon in what it received
      views[index]!.push(...received.map(message => message.slice()))
      if (exchange.receive.length + exchange.send.length > 0) rounds[index]!++
      advance(index, received)
      moved = true
    })
  }
  const unread = queues.some(queuesOf => queuesOf.some((queue, to) => queue.length > 0 && !left.has(to)))
  if (unread || waiting.some(exchange => exchange !== undefined)) {
    throw new SluiceError('INTERNAL', 'the participants’ protocols do not fit each other')
  }
  return { outputs, views, rounds: Math.max(0, ...rounds), bytesSent }
}

function canReceive(
  messages: readonly Incoming[],
  queueOf: (from: number) => readonly Uint8Array[],
): boolean {
  const taken = new Map<number, number>()
  return messages.every(({ from, bytes }) => {
    const position = taken.get(from) ?? 0
    taken.set(from, position + 1)
    return queueOf(from)[position]?.length === bytes
  })
}

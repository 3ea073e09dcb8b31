import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { isSluiceError, SluiceError } from '@sluice/core'
import { checkHello, encodeHello, type SessionJob, sessionId, VERSION } from './hello.js'
import { LINK_LIMITS, Link, type LinkLimits, type Transcript } from './link.js'
import { type Exchange, PAUSE, type Protocol } from './protocol.js'

export interface SessionOptions {
  readonly job: SessionJob
  /** index of this participant */
  readonly self: number
  /** this participant's `approveJob` */
  readonly approval: string
  /** a connection, already authenticated, to every participant that this one talks to, by index */
  readonly streams: ReadonlyMap<number, Duplex>
  readonly signal?: AbortSignal
  /** the whole session may take so long, in seconds; default an hour */
  readonly seconds?: number
  /** the whole session may send and receive so many bytes, together; default no limit */
  readonly bytes?: number
  readonly limits?: LinkLimits
  /**
   * whether the session goes on when a peer is lost or stops, as long as nothing is due from it but what protocols
   * mark as optional; by default the first who leaves ends it
   */
  readonly mayLeave?: boolean
  readonly random?: (bytes: number) => Uint8Array
}

/** What went over the network so far, frames and greetings included. */
export interface Traffic {
  readonly rounds: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/**
 * Drives protocols over connections. Before the first byte of any share, every peer has shown that it holds the same
 * job and signed it. After an error the session is of no more use: every peer is told, and the error of the first
 * failure is what every later call gets.
 */
export class Session {
  /** 64 hexadecimal digits, different in every session: keys are derived under it */
  readonly id: string
  readonly self: number
  readonly #links: ReadonlyMap<number, Link>
  readonly #watch: Watch
  readonly #mostBytes: number
  #rounds = 0

  private constructor(
    id: string,
    { self, bytes }: Pick<SessionOptions, 'self' | 'bytes'>,
    links: ReadonlyMap<number, Link>,
    watch: Watch,
  ) {
    this.id = id
    this.self = self
    this.#links = links
    this.#watch = watch
    this.#mostBytes = bytes ?? Number.POSITIVE_INFINITY
  }

  /**
   * @throws SluiceError JOB_MISMATCH, PROTOCOL_VIOLATION, PEER_LOST, PEER_STOPPED, TIME_EXCEEDED, INTERRUPTED; where
   *   a peer is at fault, the message and `facts.party` name it
   */
  static async open(options: SessionOptions): Promise<Session> {
    const { job, self, approval, streams, limits = LINK_LIMITS, random = randomBytes } = options
    const me = job.participants[self]!
    const nameOf = (index: number): string | undefined => job.participants[index]?.name
    const links = new Map(
      [...streams].map(([index, stream]) => [index, new Link(stream, nameOf(index)!, limits, nameOf)]),
    )
    const watch = new Watch(links, options)
    return watch.guard(async () => {
      const nonces = job.participants.map(() => '')
      const fresh = (): string => Buffer.from(random(32)).toString('hex')
      nonces[self] = fresh()
      for (const link of links.values()) {
        const common = { version: VERSION, from: me.name, to: link.peer, job: job.digest, approval } as const
        link.greet(encodeHello({ ...common, nonce: nonces[self], salt: fresh() }))
      }
      await Promise.all(
        [...links].map(async ([index, link]) => {
          nonces[index] = checkHello(await link.greeting(), job.participants[index]!, me, job).nonce
        }),
      )
      return new Session(sessionId(job, nonces), options, links, watch)
    })
  }

  /** @throws SluiceError as `open` does, and what the protocol throws */
  async run<T>(protocol: Protocol<T>): Promise<T> {
    return this.#watch.guard(async () => {
      let step = protocol.next()
      while (!step.done) {
        if (step.value === PAUSE) {
          await setImmediate()
          this.#watch.check()
        }
        step = protocol.next(step.value === PAUSE ? [] : await this.#exchange(step.value))
      }
      return step.value
    })
  }

  /**
   * Whatever else a participant does while its peers wait for it: where that fails, they are told at once.
   *
   * @throws SluiceError as `open` does, and what the action throws
   */
  async within<T>(action: () => Promise<T>): Promise<T> {
    return this.#watch.guard(action)
  }

  /** Waits until every peer is done too, and closes the connections. */
  async end(): Promise<void> {
    await this.#watch.guard(() =>
      Promise.all([...this.#links].map(([index, link]) => this.#unlessLeft(index, link.end()))),
    )
    this.#watch.release()
  }

  /** Who left, of a session that goes on without them: indices of participants. */
  get left(): readonly number[] {
    return [...this.#watch.left]
  }

  /** What went between this participant and each peer so far, message by message; the peer's is the mirror of it. */
  get transcripts(): readonly Transcript[] {
    return [...this.#links.values()].map(link => link.transcript)
  }

  get traffic(): Traffic {
    const links = [...this.#links.values()]
    return {
      rounds: this.#rounds,
      bytesSent: links.reduce((total, link) => total + link.bytesSent, 0),
      bytesReceived: links.reduce((total, link) => total + link.bytesReceived, 0),
    }
  }

  async #exchange({ send, receive }: Exchange): Promise<Uint8Array<ArrayBuffer>[]> {
    this.#rounds++
    const { bytesSent, bytesReceived } = this.traffic
    const due = [...send.map(({ bytes }) => bytes.length), ...receive.map(({ bytes }) => bytes)]
    if (due.reduce((total, bytes) => total + bytes, bytesSent + bytesReceived) > this.#mostBytes) {
      throw new SluiceError('TRAFFIC_EXCEEDED', `the session would take more than ${this.#mostBytes} bytes`, {
        rule: 'job.limits',
        remedy: 'Make a job that allows more, or computes less.',
      })
    }
    const sent = Promise.all(send.map(({ to, bytes }) => this.#unlessLeft(to, this.#link(to).send(bytes))))
    const received = receive.map((): Uint8Array<ArrayBuffer> => new Uint8Array(0))
    const peers = [...new Set(receive.map(({ from }) => from))]
    const arrived = Promise.all(
      peers.map(async peer => {
        for (const [position, { from, bytes, optional }] of receive.entries()) {
          if (from !== peer) continue
          const message = this.#link(peer).receive(bytes)
          const arrived = await (optional ? this.#unlessLeft(peer, message) : message)
          if (arrived !== undefined) received[position] = arrived
        }
      }),
    )
    await Promise.all([sent, arrived])
    return received
  }

  /** The action on a link, or nothing where the peer has left and may. */
  async #unlessLeft<T>(index: number, action: Promise<T>): Promise<T | undefined> {
    try {
      return await action
    } catch (error) {
      if (this.#watch.left.has(index)) return undefined
      throw error
    }
  }

  #link(index: number): Link {
    const link = this.#links.get(index)
    if (link === undefined) throw new SluiceError('INTERNAL', 'the protocol talks to nobody')
    return link
  }
}

/** Ends everything at the first failure, at the deadline and at the caller's signal. */
class Watch {
  readonly left = new Set<number>()
  readonly #links: ReadonlyMap<number, Link>
  readonly #signal: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout
  readonly #interrupt = (): void => {
    this.#fail(new SluiceError('INTERRUPTED', 'the session was interrupted'))
  }
  #failure: SluiceError | undefined

  constructor(
    links: ReadonlyMap<number, Link>,
    { signal, seconds = 3600, mayLeave = false }: SessionOptions,
  ) {
    this.#links = links
    this.#signal = signal
    this.#timer = setTimeout(() => {
      const remedy = 'See which party is slow, or make a job that allows more time.'
      this.#fail(new SluiceError('TIME_EXCEEDED', `the session took longer than ${seconds} s`, { remedy }))
    }, seconds * 1000)
    for (const [index, link] of links) {
      link.onFailure = error => {
        if (mayLeave && (error.code === 'PEER_LOST' || error.code === 'PEER_STOPPED')) this.left.add(index)
        else this.#fail(error, index)
      }
    }
    signal?.addEventListener('abort', this.#interrupt)
    if (signal?.aborted) this.#interrupt()
  }

  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  async guard<T>(action: () => Promise<T>): Promise<T> {
    this.check()
    try {
      return await action()
    } catch (error) {
      this.#fail(
        isSluiceError(error) ? error : new SluiceError('INTERNAL', 'a protocol failed', { cause: error }),
      )
      throw this.#failure
    }
  }

  release(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#interrupt)
  }

  #fail(error: SluiceError, about = this.#indexOf(error.facts?.['party'])): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.release()
    for (const link of this.#links.values()) link.stop(error, about)
  }

  #indexOf(party: unknown): number | undefined {
    return [...this.#links].find(([, link]) => link.peer === party)?.[0]
  }
}

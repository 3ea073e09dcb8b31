import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { ERROR_CODES, type ErrorCode, SluiceError } from '@sluice/core'
import {
  BODY_LIMITS,
  type Frame,
  FrameDecoder,
  FrameError,
  type FrameKind,
  HEADER_BYTES,
  header,
} from './frames.js'

export interface LinkLimits {
  /** a heartbeat goes out this often, in milliseconds */
  readonly heartbeat: number
  /** a peer of whom nothing was heard for so long is lost, in milliseconds */
  readonly silence: number
  /** bytes that may wait here unread before the peer is held back */
  readonly inbox: number
}

export const LINK_LIMITS: LinkLimits = { heartbeat: 5_000, silence: 30_000, inbox: 8 << 20 }

/**
 * SHA-256 over the greeting and the messages of each direction, in order, each with its length before it. The greeting holds
 * a salt that no third party has.
 */
export interface Transcript {
  readonly peer: string
  /** 64 hexadecimal digits */
  readonly sent: string
  readonly received: string
  /** of what was hashed */
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** What a frame costs beyond its bytes, so that a flood of tiny ones counts too. */
const FRAME_COST = 256

/**
 * A connection to one peer: messages in order, each as long as both sides expect. What arrives ahead waits in an
 * inbox; when that is full the peer is held back by the stream's own flow control. Every failure names the peer.
 */
export class Link {
  readonly peer: string
  bytesSent = 0
  bytesReceived = 0
  /** called once, when the connection fails; not at a clear end */
  onFailure: ((error: SluiceError) => void) | undefined
  readonly #stream: Duplex
  readonly #limits: LinkLimits
  readonly #nameOf: (index: number) => string | undefined
  readonly #decoder = new FrameDecoder()
  readonly #inbox: Frame[] = []
  #inboxBytes = 0
  #greeted = false
  #ended = false
  #failure: SluiceError | undefined
  #wake: (() => void) | undefined
  #sending = 0
  #receiving = 0
  #tail: Promise<void> = Promise.resolve()
  readonly #said = new Hashed()
  readonly #got = new Hashed()
  #heard = performance.now()
  #ticked = performance.now()
  readonly #timer: NodeJS.Timeout

  /** @param nameOf the participants' names by index, to say whom a peer's message is about */
  constructor(
    stream: Duplex,
    peer: string,
    limits: LinkLimits = LINK_LIMITS,
    nameOf: (index: number) => string | undefined = () => undefined,
  ) {
    this.peer = peer
    this.#stream = stream
    this.#limits = limits
    this.#nameOf = nameOf
    stream.on('data', (chunk: Buffer<ArrayBuffer>) => this.#arrived(chunk))
    stream.on('error', cause => this.#gone(this.#lost('the connection failed', cause)))
    stream.on('end', () => this.#closed())
    stream.on('close', () => this.#closed())
    this.#timer = setInterval(() => this.#beat(), limits.heartbeat)
    this.#timer.unref()
    if (stream.destroyed) this.#closed()
  }

  /** Greets the peer; the first thing that may be said, and only once. */
  greet(body: Uint8Array<ArrayBuffer>): void {
    this.#said.add(body)
    this.#write('hello', 0, body)
  }

  /** @throws SluiceError PROTOCOL_VIOLATION, PEER_LOST, PEER_STOPPED, PEER_UNTRUSTED where it refuses this party */
  async greeting(): Promise<Uint8Array<ArrayBuffer>> {
    const frame = await this.#next()
    if (frame.kind !== 'hello') throw this.#violated('it sent shares before it greeted')
    this.#got.add(frame.body)
    return frame.body
  }

  /** Sends a message and resolves when the stream takes more. An empty message is not sent. */
  send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#tail = this.#tail.then(() => this.#send(bytes))
    return this.#tail
  }

  /**
   * The peer's next message.
   *
   * @throws SluiceError PROTOCOL_VIOLATION where it is longer or another than is due, PEER_LOST, PEER_STOPPED
   */
  async receive(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const message = new Uint8Array(length)
    if (length === 0) return message
    this.#receiving++
    for (let filled = 0; filled < length; ) {
      const { kind, message: number, body } = await this.#next()
      if (kind !== 'data') throw this.#violated('it greeted twice')
      if (number !== this.#receiving) throw this.#violated('it sent a message out of its turn')
      if (body.length > length - filled) throw this.#violated('it sent a message longer than its share')
      message.set(body, filled)
      filled += body.length
    }
    this.#got.add(message)
    return message
  }

  get transcript(): Transcript {
    return {
      peer: this.peer,
      sent: this.#said.digest(),
      received: this.#got.digest(),
      bytesSent: this.#said.bytes,
      bytesReceived: this.#got.bytes,
    }
  }

  /** Says that nothing more will come, waits until the peer said so too, and closes. */
  async end(): Promise<void> {
    await this.#tail
    if (this.#failure !== undefined) throw this.#failure
    this.#write('end', 0, new Uint8Array(0))
    while (!this.#ended) {
      if (this.#inbox.length > 0) throw this.#violated('it sent more than the protocol has')
      if (this.#failure !== undefined) throw this.#failure
      await this.#arrival()
    }
    clearInterval(this.#timer)
    this.#stream.end()
  }

  /** Tells the peer that this side stops, and why; then the link is of no more use. */
  stop(error: SluiceError, about?: number): void {
    const body = Buffer.from(JSON.stringify({ code: error.code, ...(about !== undefined && { about }) }))
    this.#write('stop', 0, new Uint8Array(body))
    this.#stream.end()
    this.fail(error)
    // what was said has a moment to get out, even to a peer that does not read
    setTimeout(() => this.#stream.destroy(), STOP_GRACE).unref()
  }

  /** Ends the link with an error that everybody who waits on it gets. */
  fail(error: SluiceError): void {
    if (this.#failure !== undefined || this.#ended) return
    this.#inbox.length = 0
    this.#gone(error)
  }

  /** Where the peer left: what it said before is still to be had. */
  #gone(error: SluiceError): void {
    if (this.#failure !== undefined || this.#ended) return
    this.#failure = error
    clearInterval(this.#timer)
    this.#stream.resume()
    this.#wake?.()
    this.#wakeSender?.()
    this.onFailure?.(error)
  }

  #wakeSender: (() => void) | undefined

  async #send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (bytes.length === 0) return
    this.#sending++
    this.#said.add(bytes)
    for (let start = 0; start < bytes.length; start += BODY_LIMITS.data) {
      if (this.#failure !== undefined) throw this.#failure
      const room = this.#write('data', this.#sending, bytes.subarray(start, start + BODY_LIMITS.data))
      if (!room) await this.#drained()
    }
  }

  #write(kind: FrameKind, message: number, body: Uint8Array<ArrayBuffer>): boolean {
    if (this.#stream.destroyed || this.#stream.writableEnded) return true
    this.#stream.cork()
    let room = this.#stream.write(header(kind, message, body.length))
    if (body.length > 0) room = this.#stream.write(body)
    this.#stream.uncork()
    this.bytesSent += HEADER_BYTES + body.length
    return room
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#stream.off('drain', settle)
        this.#wakeSender = undefined
        if (this.#failure === undefined) resolve()
        else reject(this.#failure)
      }
      this.#wakeSender = settle
      this.#stream.once('drain', settle)
      if (this.#failure !== undefined) settle()
    })
  }

  async #next(): Promise<Frame> {
    while (this.#inbox.length === 0) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.#ended) throw this.#violated('it ended before its share was done')
      await this.#arrival()
    }
    const frame = this.#inbox.shift()!
    this.#inboxBytes -= frame.body.length + FRAME_COST
    if (this.#stream.isPaused() && this.#inboxBytes < this.#limits.inbox / 2) {
      this.#heard = performance.now()
      this.#stream.resume()
    }
    return frame
  }

  #arrival(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }

  #arrived(chunk: Buffer<ArrayBuffer>): void {
    if (this.#failure !== undefined) return
    this.#heard = performance.now()
    this.bytesReceived += chunk.length
    try {
      for (const frame of this.#decoder.push(chunk)) this.#take(frame)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#violated(error.reason === 'length' ? 'it sent a frame of no allowed length' : 'it sent no frame')
    }
    if (this.#failure === undefined && this.#inboxBytes > this.#limits.inbox) this.#stream.pause()
    this.#wake?.()
  }

  #take(frame: Frame): void {
    if (this.#failure !== undefined) return
    // who is done still beats and tells whom it lost, until this side is done too
    const mayFollowEnd = frame.kind === 'heartbeat' || frame.kind === 'stop'
    if (this.#ended && !mayFollowEnd) {
      this.#ended = false
      this.#violated('it went on after its end')
      return
    }
    switch (frame.kind) {
      case 'heartbeat':
        return
      case 'stop':
        this.#ended = false
        this.#gone(this.#stopped(frame.body, this.#greeted))
        return
      case 'end':
        this.#ended = true
        return
      default:
        if ((frame.kind === 'hello') === this.#greeted) {
          this.#violated(this.#greeted ? 'it greeted twice' : 'it sent shares before it greeted')
          return
        }
        this.#greeted = true
        this.#inbox.push(frame)
        this.#inboxBytes += frame.body.length + FRAME_COST
    }
  }

  #closed(): void {
    clearInterval(this.#timer)
    this.#gone(this.#lost('the connection was closed'))
    this.#wake?.()
  }

  #beat(): void {
    const now = performance.now()
    // where this process itself stood still, the peer is not to blame
    if (now - this.#ticked > 2 * this.#limits.heartbeat || this.#stream.isPaused()) this.#heard = now
    this.#ticked = now
    if (now - this.#heard > this.#limits.silence) {
      this.#gone(this.#lost('nothing was heard of it'))
      return
    }
    this.#write('heartbeat', 0, new Uint8Array(0))
  }

  #lost(reason: string, cause?: unknown): SluiceError {
    return new SluiceError('PEER_LOST', `"${this.peer}" was lost: ${reason}`, {
      remedy: 'See what its terminal says; then every party starts the job again.',
      facts: { party: this.peer },
      ...(cause !== undefined && { cause }),
    })
  }

  #violated(reason: string): SluiceError {
    const error = new SluiceError('PROTOCOL_VIOLATION', `"${this.peer}" broke the protocol: ${reason}`, {
      remedy: 'Ask its operator which version runs there; then every party starts the job again.',
      facts: { party: this.peer },
    })
    this.fail(error)
    return this.#failure ?? error
  }

  #stopped(body: Uint8Array, greeted: boolean): SluiceError {
    const { code, about } = parseStop(body)
    if (!greeted && code === 'PEER_UNTRUSTED' && about === undefined) return refusedBy(this.peer)
    const other = about === undefined ? undefined : this.#nameOf(about)
    const because = `${code ?? 'an unknown reason'}${other === undefined ? '' : ` about "${other}"`}`
    return new SluiceError('PEER_STOPPED', `"${this.peer}" stopped: ${because}`, {
      remedy: 'See what its terminal says; then every party starts the job again.',
      facts: { party: this.peer, ...(code && { code }), ...(other !== undefined && { about: other }) },
    })
  }
}

/** A listening party tells this, before anything else, to a caller whose certificate it refuses. */
export const REFUSAL = Buffer.concat([header('stop', 0, 25), Buffer.from('{"code":"PEER_UNTRUSTED"}')])

/** What the caller's operator gets to read. */
export function refusedBy(peer: string): SluiceError {
  return new SluiceError('PEER_UNTRUSTED', `"${peer}" refuses this party’s certificate`, {
    rule: 'certificate',
    remedy: 'See that the job there names the key that this party uses, and that both clocks are right.',
    facts: { party: peer },
  })
}

/** Messages in their order, each with its length (eight bytes, little-endian) before it. */
class Hashed {
  readonly #hash = createHash('sha256')
  bytes = 0

  add(message: Uint8Array): void {
    const length = new Uint8Array(8)
    new DataView(length.buffer).setBigUint64(0, BigInt(message.length), true)
    this.#hash.update(length).update(message)
    this.bytes += message.length
  }

  digest(): string {
    return this.#hash.copy().digest('hex')
  }
}

const STOP_GRACE = 1_000

function parseStop(body: Uint8Array): { code?: ErrorCode; about?: number } {
  try {
    const { code, about } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return {
      ...(typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) && { code: code as ErrorCode }),
      ...(Number.isInteger(about) && { about: about as number }),
    }
  } catch {
    return {}
  }
}

import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  type CommonConnectionOptions,
  connect,
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls'
import { isSluiceError, SluiceError } from '@sluice/core'
import type { Signer } from '@sluice/ledger/keys'
import { REFUSAL, refusedBy } from '../session/link.js'
import { holderOf, issueCertificate, type PartyCertificate } from './certificate.js'

export interface Endpoint {
  readonly name: string
  /** verifier key text */
  readonly key: string
  /** where others reach this participant; one that only connects to others has none */
  readonly address?: { readonly host: string; readonly port: number }
}

export interface MeetOptions {
  readonly participants: readonly Endpoint[]
  /** index of this participant */
  readonly self: number
  readonly signer: Signer
  /** listens here instead of at its address: behind a translated address, or in tests */
  readonly listen?: { readonly host: string; readonly port: number }
  /** seconds until the others have to be there; default 120 */
  readonly wait?: number
  readonly signal?: AbortSignal
  readonly onEvent?: (event: MeetEvent) => void
  readonly now?: () => Date
}

/** What happens while participants find each other. */
export type MeetEvent =
  | { readonly kind: 'listening'; readonly host: string; readonly port: number }
  | { readonly kind: 'calling'; readonly party: string; readonly host: string; readonly port: number }
  | { readonly kind: 'connected'; readonly party: string }
  | { readonly kind: 'refused'; readonly from: string; readonly reason: string }

const RETRY = { first: 100, most: 2_000 }
const HANDSHAKE = 10_000
const MAXIMUM_WAITING = 64

/**
 * Connects this participant with every other over TLS 1.3 (RFC 8446), each side authenticated by a certificate that
 * its principal's key has signed. Of every two, the earlier in the list listens and the later connects, again and
 * again until the other is there: the order of starting does not matter. Two participants without an address are
 * not connected with each other.
 *
 * A stranger at the door is turned away and does not disturb; a wrong key at the address of a party ends it.
 *
 * @returns a stream to each, by index; the caller closes them
 * @throws SluiceError ADDRESS_UNAVAILABLE where this side cannot listen, PEER_AWAY naming who did not come,
 *   PEER_UNTRUSTED naming whose key is wrong, or who refuses this side's, INTERRUPTED
 */
export async function meet(options: MeetOptions): Promise<Map<number, Duplex>> {
  const { participants, self, signer, now = () => new Date(), signal } = options
  const certificate = await issueCertificate(signer, now())
  const meeting = new Meeting(options, certificate, now)
  const address = options.listen ?? participants[self]!.address
  const callers = participants.filter((_, index) => index > self)
  try {
    if (address !== undefined && callers.length > 0) await meeting.listen(address)
    participants.slice(0, self).forEach((participant, index) => {
      if (participant.address === undefined) return
      options.onEvent?.({ kind: 'calling', party: participant.name, ...participant.address })
      meeting.call(index, participant.address)
    })
    return await meeting.complete(options.wait ?? 120, signal)
  } finally {
    meeting.close()
  }
}

class Meeting {
  readonly #options: MeetOptions
  readonly #secure: SecureContextOptions & CommonConnectionOptions
  readonly #now: () => Date
  readonly #streams = new Map<number, TLSSocket>()
  readonly #wanted = new Set<number>()
  readonly #strangers = new Set<TLSSocket>()
  #server: Server | undefined
  #over = false
  #settle: { resolve: () => void; reject: (error: SluiceError) => void } | undefined
  #failure: SluiceError | undefined
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #handedOver: (() => void)[] = []

  constructor(options: MeetOptions, { certificate, privateKey }: PartyCertificate, now: () => Date) {
    this.#options = options
    this.#now = now
    this.#secure = {
      cert: certificate,
      key: privateKey,
      minVersion: 'TLSv1.3',
      // the least work of the three; 128 bits is what everything else here has
      ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
      honorCipherOrder: true,
      // no authority stands behind these certificates: `holderOf` decides, before a byte is read
      rejectUnauthorized: false,
    }
  }

  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
    const { participants, self, onEvent } = this.#options
    for (const index of participants.keys()) if (index > self) this.#wanted.add(index)
    const server = createServer({ ...this.#secure, requestCert: true, handshakeTimeout: HANDSHAKE })
    this.#server = server
    server.maxConnections = MAXIMUM_WAITING + participants.length
    server.on('secureConnection', socket => this.#welcome(socket))
    server.on('tlsClientError', (error, socket) => {
      if (!this.#over) this.#refused(socket, error.message.includes('no shared') ? 'no TLS 1.3' : 'no TLS')
      socket.destroy()
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => reject(cannotListen(host, port, cause)))
      server.listen({ host, port }, resolve)
    })
    const bound = server.address()
    if (bound !== null && typeof bound === 'object') {
      onEvent?.({ kind: 'listening', host: bound.address, port: bound.port })
    }
  }

  call(index: number, address: { readonly host: string; readonly port: number }, delay = RETRY.first): void {
    this.#wanted.add(index)
    const socket = connect({ ...this.#secure, ...address, ...serverName(address.host), checkServerIdentity })
    this.#strangers.add(socket)
    const again = (): void => {
      this.#strangers.delete(socket)
      if (this.#over || this.#streams.get(index) === socket) return
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        if (!this.#over) this.call(index, address, Math.min(delay * 2, RETRY.most))
      }, delay)
      this.#timers.add(timer)
    }
    socket.setTimeout(HANDSHAKE, () => socket.destroy())
    socket.on('error', ignore)
    socket.once('close', again)
    socket.once('secureConnect', () => {
      const { name, key } = this.#options.participants[index]!
      try {
        this.#holder(socket, [key])
      } catch (error) {
        socket.off('close', again)
        socket.destroy()
        this.#fail(atAddressOf(name, error))
        return
      }
      socket.off('close', again)
      this.#keep(index, socket)
    })
  }

  async complete(wait: number, signal: AbortSignal | undefined): Promise<Map<number, Duplex>> {
    const interrupt = (): void => this.#fail(new SluiceError('INTERRUPTED', 'the session was interrupted'))
    const timer = setTimeout(() => this.#fail(this.#away(wait)), wait * 1000)
    signal?.addEventListener('abort', interrupt)
    if (signal?.aborted) interrupt()
    try {
      await new Promise<void>((resolve, reject) => {
        this.#settle = { resolve, reject }
        if (this.#failure !== undefined) reject(this.#failure)
        else this.#check()
      })
      for (const handOver of this.#handedOver) handOver()
      return new Map(this.#streams)
    } catch (error) {
      for (const socket of this.#streams.values()) socket.destroy()
      throw error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', interrupt)
    }
  }

  close(): void {
    this.#over = true
    this.#server?.close()
    for (const timer of this.#timers) clearTimeout(timer)
    for (const socket of this.#strangers) socket.destroy()
  }

  #welcome(socket: TLSSocket): void {
    const { participants, self } = this.#options
    socket.on('error', ignore)
    this.#strangers.add(socket)
    socket.once('close', () => this.#strangers.delete(socket))
    const callers = participants.slice(self + 1)
    const keys = callers.map(({ key }) => key)
    try {
      this.#keep(self + 1 + this.#holder(socket, keys), socket)
    } catch (error) {
      this.#refused(socket, isSluiceError(error) ? error.message : 'it failed')
      socket.end(REFUSAL)
      socket.setTimeout(HANDSHAKE, () => socket.destroy())
    }
  }

  /** Whose the connection is: asked before a byte that came over it is read. */
  #holder(socket: TLSSocket, keys: readonly string[]): number {
    return holderOf(socket.getPeerX509Certificate()?.raw ?? new Uint8Array(0), keys, this.#now())
  }

  #keep(index: number, socket: TLSSocket): void {
    if (this.#over || socket.destroyed) {
      socket.destroy()
      return
    }
    this.#strangers.delete(socket)
    // who connects again has started again: the earlier connection is dead
    this.#streams.get(index)?.destroy()
    this.#streams.set(index, socket)
    socket.once('close', () => this.#gone(index, socket))
    if (index < this.#options.self) this.#listenForRefusal(index, socket)
    socket.setTimeout(0)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 10_000)
    this.#options.onEvent?.({ kind: 'connected', party: this.#options.participants[index]!.name })
    this.#check()
  }

  /**
   * TLS 1.3 lets a caller go on before the other side has looked at its certificate, and before all have met nobody reads
   * what comes. So what comes first is looked at here, and put back.
   */
  #listenForRefusal(index: number, socket: TLSSocket): void {
    const look = (): void => {
      const first: Buffer | null = socket.read()
      if (first === null) return
      if (first.subarray(0, REFUSAL.length).equals(REFUSAL))
        this.#fail(refusedBy(this.#options.participants[index]!.name))
      socket.off('readable', look)
      socket.unshift(first)
    }
    socket.on('readable', look)
    this.#handedOver.push(() => socket.off('readable', look))
  }

  /** Whoever went away before all were there may come again. */
  #gone(index: number, socket: TLSSocket): void {
    if (this.#over || this.#streams.get(index) !== socket) return
    this.#streams.delete(index)
    const { self, participants } = this.#options
    const address = participants[index]!.address
    if (index < self && address !== undefined) this.call(index, address)
  }

  #check(): void {
    if ([...this.#wanted].every(index => this.#streams.has(index))) this.#settle?.resolve()
  }

  #fail(error: SluiceError): void {
    this.#failure ??= error
    this.#settle?.reject(this.#failure)
  }

  #refused(socket: { readonly remoteAddress?: string | undefined }, reason: string): void {
    this.#options.onEvent?.({ kind: 'refused', from: socket.remoteAddress ?? 'unknown', reason })
  }

  #away(wait: number): SluiceError {
    const names = [...this.#wanted]
      .filter(index => !this.#streams.has(index))
      .map(index => this.#options.participants[index]!.name)
    return new SluiceError('PEER_AWAY', `not there after ${wait} s: ${names.map(quoted).join(', ')}`, {
      remedy: 'See that they run the same job, and that the addresses in it can be reached.',
      facts: { parties: names },
    })
  }
}

function quoted(name: string): string {
  return `"${name}"`
}

function atAddressOf(name: string, cause: unknown): SluiceError {
  if (!isSluiceError(cause)) return new SluiceError('INTERNAL', 'a certificate was not checked', { cause })
  const { remedy, rule } = cause
  return new SluiceError('PEER_UNTRUSTED', `at the address of "${name}", ${cause.message}`, {
    facts: { party: name },
    cause,
    ...(remedy !== undefined && { remedy }),
    ...(rule !== undefined && { rule }),
  })
}

/** The name in a certificate says nothing here; the principal's signature does. */
function checkServerIdentity(): undefined {
  return undefined
}

/** A server name (RFC 6066, section 3) is no address. */
function serverName(host: string): { servername: string } {
  return { servername: isIPv6(host) || /^[\d.]+$/.test(host) ? '' : host }
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): SluiceError {
  const at = isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
  return new SluiceError('ADDRESS_UNAVAILABLE', `cannot listen at ${at} (${cause.code})`, {
    remedy: 'Free the port, or listen at another address that the job’s address leads to.',
    cause,
  })
}

function ignore(): void {
  // 'close' follows, and says enough
}

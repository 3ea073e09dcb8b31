import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import { stream } from '../protocols/local.js'

/** What a network does to a connection. */
export interface Weather {
  /** pieces of at most so many bytes, of random sizes */
  readonly piece?: number
  /** each piece waits up to so many milliseconds */
  readonly delay?: number
  /** one piece in `every` waits `milliseconds` more: a burst of losses, until TCP has sent again */
  readonly stall?: { readonly every: number; readonly milliseconds: number }
  /** what goes wrong, once so many bytes went from the caller */
  readonly fault?: { readonly after: number; readonly kind: Fault }
}

/**
 * `cut` resets the connection; `silence` lets nothing through any more, in either direction, and says nothing (a cable that
 * is out, a half-open connection); `deaf` does so towards the listener alone; `full` takes nothing more from the caller.
 */
export type Fault = 'cut' | 'silence' | 'deaf' | 'full'

export interface Relay {
  readonly port: number
  close(): void
}

/** Stands before a listener on this machine. TCP keeps order: what is lost or overtaken comes late. */
export async function proxy(target: number, weather: Weather, seed: string): Promise<Relay> {
  const sockets = new Set<Socket>()
  const random = stream(seed)
  const below = (limit: number): number => Number(random.words(1)[0]! % BigInt(limit))
  const server: Server = createServer({ allowHalfOpen: true }, client => {
    const upstream = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    let [passed, broken] = [0, undefined as Fault | undefined]
    const carry = async (from: Socket, to: Socket, calling: boolean): Promise<void> => {
      for await (const chunk of from) {
        for (let start = 0; start < chunk.length; ) {
          const size = weather.piece === undefined ? chunk.length : 1 + below(weather.piece)
          const piece = chunk.subarray(start, start + size)
          start += piece.length
          const { delay = 0, stall } = weather
          const halted = stall !== undefined && below(stall.every) === 0 ? stall.milliseconds : 0
          if (delay + halted > 0) await after(below(delay + 1) + halted)
          if (calling) passed += piece.length
          if (weather.fault !== undefined && passed > weather.fault.after) broken = weather.fault.kind
          if (broken === 'cut') from.resetAndDestroy()
          if (broken === 'full' && calling) await new Promise<never>(() => undefined)
          if (broken === 'silence' || (broken === 'deaf' && calling)) continue
          if (!to.write(piece)) await new Promise(resolve => to.once('drain', resolve).once('close', resolve))
        }
      }
      to.end()
    }
    carry(client, upstream, true).catch(() => undefined)
    carry(upstream, client, false).catch(() => undefined)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

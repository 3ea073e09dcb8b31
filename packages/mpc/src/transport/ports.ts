import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { SluiceError } from '@sluice/core'

/** Where Linux begins with the ports of outgoing connections (ip(7), ip_local_port_range); other systems begin later. */
const OUTGOING = 32_768
const PAIRS = 2_900

let following: number | undefined

/**
 * A port of this machine at which a party will listen later, in this process or another: a job names addresses long
 * before anybody listens there. For trying out several parties on one machine, as demonstrations, examples and tests do.
 *
 * Nobody else who asks here gets it while this process lives, in whichever process: the port beside it is held meanwhile.
 * It lies below those that the system gives to outgoing connections, so that none of them takes it either.
 *
 * @param host address of this machine at which it was seen to be free
 * @throws SluiceError ADDRESS_UNAVAILABLE where this machine has no such address, or no port is left
 */
export async function reservePort(host = '127.0.0.1'): Promise<number> {
  const first = firstPort()
  following ??= process.pid % PAIRS
  for (let tries = 0; tries < PAIRS; tries++) {
    const port = first + 2 * following
    following = (following + 1) % PAIRS
    const guard = await listening('127.0.0.1', port + 1)
    if (guard === undefined) continue
    const tried = await listening(host, port)
    if (tried === undefined) {
      await closed(guard)
      continue
    }
    await closed(tried)
    guard.unref()
    return port
  }
  throw new SluiceError('ADDRESS_UNAVAILABLE', `no port is left at ${host}`)
}

function firstPort(): number {
  let outgoing = Number.NaN
  try {
    outgoing = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10)
  } catch {
    // no Linux
  }
  // a machine that gives out nearly all of them leaves no better place
  const end = outgoing > 2 * PAIRS + 2_048 ? outgoing : OUTGOING
  return end - 2 * PAIRS
}

/** A server at a port, or nothing where the port is taken. */
function listening(host: string, port: number): Promise<Server | undefined> {
  const server = createServer(socket => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE' || cause.code === 'EACCES') resolve(undefined)
      else {
        reject(new SluiceError('ADDRESS_UNAVAILABLE', `cannot listen at ${host} (${cause.code})`, { cause }))
      }
    })
    server.listen({ host, port, exclusive: true }, () => resolve(server))
  })
}

function closed(server: Server): Promise<unknown> {
  return new Promise(resolve => server.close(resolve))
}

import { Duplex } from 'node:stream'

/** Two ends of one connection inside this process, with a stream's flow control: for tests and demonstrations. */
export function memoryPair(): [Duplex, Duplex] {
  const a: End = new End(() => b)
  const b: End = new End(() => a)
  return [a, b]
}

/** A connection between every two of `count` participants: for each, its streams by the other's index. */
export function memoryMesh(count: number): Map<number, Duplex>[] {
  const streams = Array.from({ length: count }, () => new Map<number, Duplex>())
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const [a, b] = memoryPair()
      streams[i]!.set(j, a)
      streams[j]!.set(i, b)
    }
  }
  return streams
}

class End extends Duplex {
  readonly #other: () => End
  #resume: (() => void) | undefined

  constructor(other: () => End) {
    super({ allowHalfOpen: false })
    this.#other = other
  }

  override _read(): void {
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const other = this.#other()
    if (other.destroyed) callback()
    else if (other.push(Buffer.from(chunk))) setImmediate(callback)
    else other.#resume = callback
  }

  override _final(callback: () => void): void {
    this.#other().push(null)
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const other = this.#other()
    if (!other.destroyed) setImmediate(() => other.destroy())
    callback(error)
  }
}

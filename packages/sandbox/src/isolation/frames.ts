/**
 * What parent and child say to each other over a pipe: frames of a four-byte little-endian length, one byte of
 * kind, and the body. JSON carries instructions and answers, bytes carry columns.
 */
export type Frame =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'bytes'; readonly value: Uint8Array<ArrayBuffer> }

export interface FrameLimits {
  /** of one JSON frame */
  readonly jsonBytes: number
  /** of all frames together */
  readonly totalBytes: number
}

/** More than the limits allow, or no frame at all. Not a `SluiceError`: the child loads nothing of `core`. */
export class FrameError extends Error {
  readonly reason: 'size' | 'form'

  constructor(reason: 'size' | 'form') {
    super(`frame: ${reason}`)
    this.reason = reason
  }
}

const HEADER_BYTES = 5
const JSON_KIND = 1
const BYTES_KIND = 2
const MAXIMUM_BODY = 0xffff_ffff

export function encodeJson(value: unknown): Uint8Array[] {
  const body = new TextEncoder().encode(JSON.stringify(value))
  return [header(body.length, JSON_KIND), body]
}

export function encodeBytes(body: Uint8Array): Uint8Array[] {
  return [header(body.byteLength, BYTES_KIND), body]
}

function header(length: number, kind: number): Uint8Array {
  if (length > MAXIMUM_BODY) throw new FrameError('size')
  const bytes = new Uint8Array(HEADER_BYTES)
  new DataView(bytes.buffer).setUint32(0, length, true)
  bytes[4] = kind
  return bytes
}

/**
 * Takes a pipe's chunks and gives whole frames. A length is checked against the limits before anything is
 * allocated for it; the body is copied once, into a buffer of its own.
 */
export class FrameDecoder {
  readonly #limits: FrameLimits
  readonly #header = new Uint8Array(HEADER_BYTES)
  #headerFilled = 0
  #body: Uint8Array<ArrayBuffer> | null = null
  #bodyFilled = 0
  #total = 0

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  /** @throws FrameError */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = []
    let offset = 0
    while (offset < chunk.length) {
      if (this.#body === null) {
        offset += this.#fillHeader(chunk, offset)
        if (this.#headerFilled < HEADER_BYTES) break
        this.#body = this.#allocate()
        this.#bodyFilled = 0
      }
      const take = Math.min(this.#body.length - this.#bodyFilled, chunk.length - offset)
      this.#body.set(chunk.subarray(offset, offset + take), this.#bodyFilled)
      this.#bodyFilled += take
      offset += take
      if (this.#bodyFilled === this.#body.length) {
        frames.push(decode(this.#header[4] as number, this.#body))
        this.#body = null
        this.#headerFilled = 0
      }
    }
    return frames
  }

  #fillHeader(chunk: Uint8Array, offset: number): number {
    const take = Math.min(HEADER_BYTES - this.#headerFilled, chunk.length - offset)
    this.#header.set(chunk.subarray(offset, offset + take), this.#headerFilled)
    this.#headerFilled += take
    return take
  }

  #allocate(): Uint8Array<ArrayBuffer> {
    const length = new DataView(this.#header.buffer).getUint32(0, true)
    const kind = this.#header[4]
    if (kind !== JSON_KIND && kind !== BYTES_KIND) throw new FrameError('form')
    if (length === 0) throw new FrameError('form')
    this.#total += length
    if (this.#total > this.#limits.totalBytes || (kind === JSON_KIND && length > this.#limits.jsonBytes)) {
      throw new FrameError('size')
    }
    return new Uint8Array(length)
  }
}

function decode(kind: number, body: Uint8Array<ArrayBuffer>): Frame {
  if (kind === BYTES_KIND) return { kind: 'bytes', value: body }
  try {
    return { kind: 'json', value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) }
  } catch {
    throw new FrameError('form')
  }
}

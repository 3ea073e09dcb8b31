/**
 * What participants say to each other: frames of a header of nine bytes and a body. The header is the body's length
 * (four bytes, little-endian), the kind (one byte) and the number of the message that the body is part of (four
 * bytes, little-endian): a message longer than a frame is several frames of one number.
 */
export const HEADER_BYTES = 9

export const KINDS = { hello: 1, data: 2, heartbeat: 3, end: 4, stop: 5 } as const
export type FrameKind = keyof typeof KINDS

/** The most that a body may have; what is longer is refused when its header is read. */
export const BODY_LIMITS: Readonly<Record<FrameKind, number>> = {
  hello: 16_384,
  data: 262_144,
  heartbeat: 0,
  end: 0,
  stop: 64,
}

const KIND_OF = new Map<number, FrameKind>(
  Object.entries(KINDS).map(([kind, code]) => [code, kind as FrameKind]),
)

export interface Frame {
  readonly kind: FrameKind
  readonly message: number
  readonly body: Uint8Array<ArrayBuffer>
}

export function header(kind: FrameKind, message: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, length, true)
  view.setUint8(4, KINDS[kind])
  view.setUint32(5, message, true)
  return bytes
}

/** No frame of ours, or one beyond its limit. */
export class FrameError extends Error {
  readonly reason: 'kind' | 'length'

  constructor(reason: 'kind' | 'length') {
    super(`frame: ${reason}`)
    this.reason = reason
  }
}

/**
 * Takes a stream's chunks and gives frames. A data frame comes in the pieces in which it arrived, without a copy;
 * of any other, the body is gathered first, which its limit keeps small.
 */
export class FrameDecoder {
  readonly #header = new Uint8Array(HEADER_BYTES)
  #headerFilled = 0
  #kind: FrameKind = 'heartbeat'
  #message = 0
  #left = 0
  #gathered: Uint8Array<ArrayBuffer> | undefined;

  /** @throws FrameError; the stream cannot be read on after it */
  *push(chunk: Uint8Array<ArrayBuffer>): Generator<Frame> {
    let offset = 0
    while (offset < chunk.length) {
      if (this.#headerFilled < HEADER_BYTES) {
        const taken = chunk.subarray(offset, offset + HEADER_BYTES - this.#headerFilled)
        this.#header.set(taken, this.#headerFilled)
        this.#headerFilled += taken.length
        offset += taken.length
        if (this.#headerFilled < HEADER_BYTES) return
        this.#begin()
      }
      const piece = chunk.subarray(offset, offset + this.#left)
      offset += piece.length
      this.#left -= piece.length
      if (this.#kind !== 'data') {
        this.#gathered!.set(piece, this.#gathered!.length - this.#left - piece.length)
      } else if (piece.length > 0) {
        yield { kind: 'data', message: this.#message, body: piece }
      }
      if (this.#left > 0) return
      this.#headerFilled = 0
      if (this.#kind !== 'data') {
        yield { kind: this.#kind, message: this.#message, body: this.#gathered! }
      }
    }
  }

  #begin(): void {
    const view = new DataView(this.#header.buffer)
    const kind = KIND_OF.get(view.getUint8(4))
    if (kind === undefined) throw new FrameError('kind')
    this.#left = view.getUint32(0, true)
    // a data frame that carries nothing would be work without end
    if (this.#left > BODY_LIMITS[kind] || (kind === 'data' && this.#left === 0))
      throw new FrameError('length')
    this.#kind = kind
    this.#message = view.getUint32(5, true)
    if (kind !== 'data') this.#gathered = new Uint8Array(this.#left)
  }
}

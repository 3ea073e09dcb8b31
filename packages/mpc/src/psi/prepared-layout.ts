import { createHash, hash } from 'node:crypto'
import { canonicalBytes, SluiceError } from '@sluice/core'
import { z } from 'zod'
import { NORMALIZATIONS } from './normalize.js'

/** Bytes of a value: no more is needed for 2^24 items and 2^24 questions to err below 2^-48. */
export const VALUE_BYTES = 12
/** The most that one prepared set holds, as padded. */
export const MAXIMUM_PREPARED = 1 << 24
/** The head's line has at most so many bytes. */
export const HEAD_BYTES = 16_384
/** A bucket's place in the index: where it ends, in values, little-endian; and SHA-256 of its values. */
export const ENTRY_BYTES = 4 + 32

/** a bucket has some 1,000 values, so that a look-up reads and checks 12 KB */
const BUCKET_VALUES = 1024

const hex64 = z.string().regex(/^[0-9a-f]{64}$/)
const VERSION = 'sluice-psi-set/1'

export const preparedColumns = z
  .array(
    z.strictObject({ name: z.string().min(1).max(200), normalize: z.array(z.enum(NORMALIZATIONS)).max(4) }),
  )
  .min(1)
  .max(8)

const schema = z.strictObject({
  version: z.literal(VERSION),
  set: hex64,
  /** the key's public half and epoch: which key of a set that rotates this one is prepared under */
  key: hex64,
  epoch: z.int().min(1),
  /** RFC 3339, UTC: when the key is to be rotated, and answers no more */
  expires: z.iso.datetime(),
  /** the columns of an item, and how each is brought to one form */
  columns: preparedColumns,
  /** values, those that only pad included */
  count: z.int().min(1).max(MAXIMUM_PREPARED),
  /** a value's first so many bits are the number of its bucket */
  bits: z.int().min(0).max(16),
  /** SHA-256 of the index */
  index: hex64,
})

/** What a prepared set says of itself. Its digest names the whole file: what the index does not bear out is refused. */
export type PreparedHead = z.infer<typeof schema>

export type PreparedColumns = PreparedHead['columns']

/** SHA-256 of the head's canonical bytes (RFC 8785), 64 hexadecimal digits. */
export function preparedDigest(head: PreparedHead): string {
  return hash('sha256', canonicalBytes(head), 'hex')
}

/** Bits of the buckets' numbers for so many values. */
export function bucketBits(count: number): number {
  return Math.min(16, Math.max(0, Math.ceil(Math.log2(count / BUCKET_VALUES))))
}

/** The bucket of the value that stands there. */
export function bucketAt(values: Uint8Array, at: number, bits: number): number {
  return ((values[at]! << 8) | values[at + 1]!) >> (16 - bits)
}

/** @returns the head as it stands in a file: one line of canonical JSON */
export function encodeHead(head: Omit<PreparedHead, 'version'>): Uint8Array {
  return Buffer.concat([canonicalBytes({ version: VERSION, ...head }), Buffer.from('\n')])
}

/**
 * Takes a file's first bytes apart.
 *
 * @param start at least the head's line, at most `HEAD_BYTES`
 * @throws SluiceError FILE_FORMAT
 */
export function decodeHead(start: Uint8Array): { readonly head: PreparedHead; readonly bytes: number } {
  const end = start.subarray(0, HEAD_BYTES).indexOf(10)
  const line = start.subarray(0, Math.max(0, end))
  const parsed = schema.safeParse(jsonOf(line))
  if (parsed.success && Buffer.from(canonicalBytes(parsed.data)).equals(line)) {
    const { data: head } = parsed
    if (head.bits === bucketBits(head.count)) return { head, bytes: line.length + 1 }
  }
  throw notPrepared()
}

/** Does this look like the start of a prepared set? Then it is refused or read as one. */
export function isPrepared(start: Uint8Array): boolean {
  return Buffer.from(start.subarray(0, HEAD_BYTES)).includes(`"version":"${VERSION}"`)
}

/**
 * The index of values that are ordered by bucket.
 *
 * @param ends where each bucket ends, in values
 */
export function indexOf(values: Uint8Array, ends: Uint32Array): Uint8Array<ArrayBuffer> {
  const index = new Uint8Array(ends.length * ENTRY_BYTES)
  const view = new DataView(index.buffer)
  let start = 0
  for (const [bucket, end] of ends.entries()) {
    const digest = createHash('sha256')
      .update(values.subarray(start * VALUE_BYTES, end * VALUE_BYTES))
      .digest()
    view.setUint32(bucket * ENTRY_BYTES, end, true)
    index.set(digest, bucket * ENTRY_BYTES + 4)
    start = end
  }
  return index
}

export function notPrepared(): SluiceError {
  return new SluiceError('FILE_FORMAT', 'this is no prepared set, or not all of one, or it was changed', {
    rule: 'psi.prepared',
    remedy: 'Ask its owner for the file again.',
  })
}

function jsonOf(line: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(line).toString('utf8'))
  } catch {
    return undefined
  }
}

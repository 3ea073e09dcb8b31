/**
 * A column of byte strings: message i is `bytes[offsets[i] … offsets[i + 1])`, as in Arrow's UTF-8 layout. Offsets
 * never fall and stay within `bytes`; the first need not be 0.
 */
export interface Messages {
  readonly bytes: Uint8Array
  /** one more than there are messages */
  readonly offsets: Int32Array
}

export function messageCount({ offsets }: Messages): number {
  return Math.max(0, offsets.length - 1)
}

/** A column of the given byte strings. */
export function messagesOf(values: readonly Uint8Array[]): Messages {
  const offsets = new Int32Array(values.length + 1)
  for (let i = 0; i < values.length; i++) offsets[i + 1] = offsets[i]! + values[i]!.length
  const bytes = new Uint8Array(offsets[values.length]!)
  for (let i = 0; i < values.length; i++) bytes.set(values[i]!, offsets[i]!)
  return { bytes, offsets }
}

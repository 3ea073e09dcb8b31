/**
 * 64-bit integers a column at a time, by their halves: a BigInt a value would cost fifty times as much. Halves are in
 * the machine's order, which is little endian wherever WebAssembly and Arrow are.
 */

/** The doubles nearest to the values: exact below 2^53, and never on the other side of a bound. */
export function nearestDoubles(values: BigInt64Array): Float64Array {
  const low = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
  const high = new Int32Array(values.buffer, values.byteOffset, 2 * values.length)
  const doubles = new Float64Array(values.length)
  for (let row = 0; row < doubles.length; row++) doubles[row] = high[2 * row + 1]! * 2 ** 32 + low[2 * row]!
  return doubles
}

/** Writes integers below 2^53 in magnitude. */
export function writeIntegers(from: Float64Array, into: BigInt64Array): void {
  const words = new Int32Array(into.buffer, into.byteOffset, 2 * into.length)
  for (let row = 0; row < from.length; row++) {
    const high = Math.floor(from[row]! / 2 ** 32)
    words[2 * row] = from[row]! - high * 2 ** 32
    words[2 * row + 1] = high
  }
}

/** The values at these places: of 64 bits, or with their sign carried on to 128 where `wide`. */
export function gathered(values: BigInt64Array, places: Uint32Array, wide: boolean): BigInt64Array {
  const out = new BigInt64Array(places.length * (wide ? 2 : 1))
  const from = new Int32Array(values.buffer, values.byteOffset, 2 * values.length)
  const into = new Int32Array(out.buffer)
  const step = wide ? 4 : 2
  for (let row = 0; row < places.length; row++) {
    const place = 2 * places[row]!
    const at = step * row
    into[at] = from[place]!
    into[at + 1] = from[place + 1]!
    if (wide) into[at + 2] = into[at + 3] = from[place + 1]! >> 31
  }
  return out
}

/** Does any value lie outside [least, most]? */
export function anyOutside(values: BigInt64Array | readonly bigint[], least: bigint, most: bigint): boolean {
  if (!(values instanceof BigInt64Array)) return values.some(value => value < least || value > most)
  const [low, high] = [Number(least), Number(most)]
  const doubles = nearestDoubles(values)
  for (let row = 0; row < doubles.length; row++) {
    const value = doubles[row]!
    if (value > low && value < high) continue
    // rounding keeps the order, so only a value that rounds to a bound needs a closer look
    if (values[row]! < least || values[row]! > most) return true
  }
  return false
}

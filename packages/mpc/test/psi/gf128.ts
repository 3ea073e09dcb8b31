/** GF(2^128) by big integers, as slow as it is plain: the oracle for the kernels. */
export function product(a: bigint, b: bigint): bigint {
  let sum = 0n
  for (let bit = 0n; bit < 128n; bit++) if ((b >> bit) & 1n) sum ^= a << bit
  for (let bit = 255n; bit >= 128n; bit--) if ((sum >> bit) & 1n) sum ^= MODULUS << (bit - 128n)
  return sum
}

const MODULUS = (1n << 128n) | 0x87n

export function elementAt(bytes: Uint8Array, index: number): bigint {
  const hex = Buffer.from(bytes.subarray(16 * index, 16 * index + 16).toReversed()).toString('hex')
  return BigInt(`0x${hex}`)
}

export function elements(bytes: Uint8Array): bigint[] {
  return Array.from({ length: bytes.length / 16 }, (_, index) => elementAt(bytes, index))
}

import { readFileSync } from 'node:fs'

/** The published vectors of that name: facts with their source, as JSON beside the tests. */
export function vectors<V>(name: string): readonly V[] {
  const text = readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')
  const { source, vectors } = JSON.parse(text) as { source: string; vectors: readonly V[] }
  if (source.length === 0 || vectors.length === 0) throw new Error(`${name} names no source or holds nothing`)
  return vectors
}

export const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
export const hex = (data: Uint8Array) => Buffer.from(data).toString('hex')

/** A stream of bytes that is the same in every run (xorshift32): for inputs, never for keys. */
export function seeded(seed: number): (size: number) => Uint8Array {
  let state = seed
  return size =>
    Uint8Array.from({ length: size }, () => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return state & 255
    })
}

import type { Protocol } from '../../session/protocol.js'
import type { Party } from './party.js'
import { type Arithmetic, arithmetic, type Binary, binary } from './shares.js'

/**
 * A protocol of one bit for each row, packed, block after block: what it needs beside its input and its output is then
 * that of one block. A longer column takes the protocol's rounds for each.
 */
export function* bitsInBlocks(
  party: Party,
  rows: number,
  protocol: (start: number, end: number) => Protocol<Binary>,
): Protocol<Binary> {
  if (rows <= party.blockRows) return yield* protocol(0, rows)
  const words = Math.ceil(rows / 64)
  const out = binary(new BigUint64Array(words), new BigUint64Array(words))
  for (const [start, end] of blocksOf(party, rows)) put(out, yield* protocol(start, end), start / 64)
  return out
}

/** The same with one ring element for each row. */
export function* elementsInBlocks(
  party: Party,
  rows: number,
  protocol: (start: number, end: number) => Protocol<Arithmetic>,
): Protocol<Arithmetic> {
  if (rows <= party.blockRows) return yield* protocol(0, rows)
  const out = arithmetic(new BigUint64Array(rows), new BigUint64Array(rows))
  for (const [start, end] of blocksOf(party, rows)) put(out, yield* protocol(start, end), start)
  return out
}

/** Where each block starts and ends; of no rows there is one, which is empty. */
export function blocksOf({ blockRows }: Party, rows: number): [number, number][] {
  return Array.from({ length: Math.max(1, Math.ceil(rows / blockRows)) }, (_, block) => [
    block * blockRows,
    Math.min((block + 1) * blockRows, rows),
  ])
}

function put<S extends Arithmetic | Binary>(out: S, part: S, start: number): void {
  out.own.set(part.own, start)
  out.next.set(part.next, start)
}

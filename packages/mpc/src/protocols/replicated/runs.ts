import { prefixSums } from '../../ring/kernels.js'
import { type Protocol, together } from '../../session/protocol.js'
import { bitsInBlocks } from './blocks.js'
import { isZero } from './compare.js'
import { and } from './multiply.js'
import type { Party } from './party.js'
import { type Arithmetic, arithmetic, type Binary, concatenate, known, slice, subtract } from './shares.js'

/** The sum up to every row, its own included; without a message. */
export const running = ({ own, next }: Arithmetic): Arithmetic =>
  arithmetic(prefixSums(own), prefixSums(next))

/** The inverse of `running`: what every value adds to the one before. */
export function steps(column: Arithmetic): Arithmetic {
  return stepsWithin(column, 0, column.own.length)
}

/** The same of some of the rows. */
export function stepsWithin(column: Arithmetic, start: number, end: number): Arithmetic {
  if (start === end) return slice(column, start, end)
  if (start > 0) return subtract(slice(column, start, end), slice(column, start - 1, end - 1))
  return concatenate([slice(column, 0, 1), subtract(slice(column, 1, end), slice(column, 0, end - 1))])
}

/**
 * Whether every row's values are those of the row before, packed; the first row's are not.
 *
 * Seven rounds and one for each further column; for each value a party sends 63 bits, and one where columns are joined;
 * party 0 another 64.
 */
export function* equalToBefore(party: Party, columns: readonly Arithmetic[]): Protocol<Binary> {
  const zero = yield* together(
    ...columns.map(column =>
      bitsInBlocks(party, column.own.length, (start, end) =>
        isZero(party, fromBefore(party, column, start, end)),
      ),
    ),
  )
  let equal = zero[0]!
  for (const other of zero.slice(1)) equal = yield* and(party, equal, other)
  return equal
}

/** As `steps`, of some of the rows, but one for the first of all: no value is zero where nothing is before. */
function fromBefore(party: Party, column: Arithmetic, start: number, end: number): Arithmetic {
  const found = stepsWithin(column, start, end)
  if (start > 0 || start === end) return found
  return concatenate([known(party, new BigUint64Array([1n])), slice(found, 1, end)])
}

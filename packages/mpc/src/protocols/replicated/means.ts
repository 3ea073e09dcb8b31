import type { Protocol } from '../../session/protocol.js'
import { divide, type Fraction } from './divide.js'
import { eachIn, openEach, reaching } from './opening.js'
import type { Party } from './party.js'
import type { Arithmetic } from './shares.js'

/** Means of cells; of one that is suppressed neither mean nor count is opened, and of the others only the mean. */
export interface OpenedMeans {
  /** 1 where the cell was opened */
  readonly passed: BigUint64Array<ArrayBuffer>
  /** scaled by base^digits and rounded towards zero; 0 where the cell is suppressed */
  readonly means: BigInt64Array<ArrayBuffer>
}

/**
 * Opens the means of cells with at least `minimum` entities to the receivers: neither sums nor counts. The rule runs
 * on shares, before anything is opened.
 *
 * Rounds: those of a division with 59 bits, and 12.
 *
 * @param counts how many entities each cell has, and `sums` their sums, of a magnitude below 2^59
 * @throws SluiceError PARAMETER_INVALID
 */
export function* openMeans(
  party: Party,
  { counts, sums }: { readonly counts: Arithmetic; readonly sums: Arithmetic },
  { minimum, fraction }: { readonly minimum: bigint; readonly fraction: Fraction },
  receivers: readonly number[],
): Protocol<OpenedMeans | undefined> {
  const means = yield* divide(party, sums, counts, { fraction })
  const opened = yield* openEach(party, [reaching(party, counts, minimum)], [means], receivers)
  return opened === undefined ? undefined : { passed: opened.passed, means: opened.values[0]! }
}

/** The same from what a receiver outside the three got, which is two values for each cell. */
export function meansIn(opened: BigUint64Array<ArrayBuffer>): OpenedMeans {
  const { passed, values } = eachIn(opened, 1)
  return { passed, means: values[0]! }
}

import { SluiceError } from '@sluice/core'
import { maxLoad } from './max-load.js'
import { STATISTICAL_BITS } from './value-bytes.js'

/** The shape of a store, which both sides compute from the number of keys. */
export interface OkvsParameters {
  /** keys fall into so many parts, each a store of its own, small enough for a processor's cache */
  readonly parts: number
  /** keys that a part has room for */
  readonly load: number
  /** columns of a part of which a key names three */
  readonly sparse: number
  /** columns of a part of which a key names any, by a bit each */
  readonly dense: number
}

/** Keys in a part, on average. */
const PART_KEYS = 1 << 15
/** What eight bytes name; `denseNeeded` says how many are needed, rounded up. */
export const DENSE_COLUMNS = 64

/**
 * The shape for so many keys: encoding fails with probability below 2^-`wanted`, half of which is for a part with too
 * many keys and half for one that cannot be solved.
 *
 * @throws SluiceError PARAMETER_INVALID where a key has too few bits for dense columns to hold to that
 */
export function okvsParameters(keys: number, wanted = STATISTICAL_BITS): OkvsParameters {
  const parts = Math.max(1, Math.round(keys / PART_KEYS))
  const load = maxLoad(keys, parts, wanted + 1)
  const bits = wanted + 1 + Math.log2(parts)
  if (denseNeeded(load, bits) > DENSE_COLUMNS) throw tooManyRuns()
  const sparse = Math.max(MINIMUM_SPARSE, Math.ceil(expansion(load, bits) * load))
  return { parts, load, sparse, dense: DENSE_COLUMNS }
}

export function partColumns({ sparse, dense }: OkvsParameters): number {
  return sparse + dense
}

export function allColumns(parameters: OkvsParameters): number {
  return parameters.parts * partColumns(parameters)
}

/**
 * Sparse columns a key, for weight 3, so that what peeling leaves is beyond `denseNeeded` with probability below
 * 2^-`bits` (the fit of Raghuraman and Rindal 2022, section 3.2, equations 2 and 3: a line from (1.223, −9.2) on, whose
 * slope grows with the number of keys).
 */
export function expansion(keys: number, bits: number): number {
  const weight = Math.log2(3)
  const slope =
    2 ** (0.55 * Math.log2(keys) + 0.093 * weight ** 3 - 1.01 * weight ** 2 + 2.92 * weight - 0.13)
  return THRESHOLD + (bits + 9.2) / slope
}

/**
 * Dense columns that so many keys need: ĝ for the rows that peeling leaves (the same section, which rounds it down, and
 * here **rounded up**), and as many more as the probability that their bits are dependent asks for.
 */
export function denseNeeded(keys: number, bits: number): number {
  return Math.ceil(bits / Math.log2(expansion(keys, bits) * keys)) + Math.ceil(bits)
}

/** Columns a key from which on peeling of large sets succeeds. */
const THRESHOLD = 1.223
const MINIMUM_SPARSE = 8

function tooManyRuns(): SluiceError {
  return new SluiceError('PARAMETER_INVALID', 'so many runs together could fail too often', {
    rule: 'psi.okvs',
    remedy: 'Set up a session for some thousands of runs, and another one for more.',
  })
}

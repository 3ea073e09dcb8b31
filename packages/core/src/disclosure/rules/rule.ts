import type { Obligation } from '../../plan/review-types.js'
import type { ContributionEvidence, Evidence } from '../evidence.js'

/** One rule of the disclosure check. A rule of one's own is added to `RULES`, and nothing else changes. */
export interface DisclosureRule {
  /** as suppressions, errors and the ledger name it */
  readonly name: 'minimum-entities' | 'dominance' | 'p-percent' | 'complement'
  /** what it judges: whole groups, single cells, or what a cell leaves of its group */
  readonly part: Exclude<Evidence['part']['kind'], 'difference'>
  /** does the policy demand it */
  applies(obligation: Obligation): boolean
  /**
   * 1 for every row that is not provably safe by the evidence. Written so that a NaN, or evidence that is missing,
   * comes out unsafe. For evidence that is not exact this is never less strict than for the exact evidence.
   */
  unsafe(obligation: Obligation, evidence: Evidence): Uint8Array
}

/** 1 where the row is not safe. */
export function marks(rows: number, isSafe: (row: number) => boolean): Uint8Array {
  const unsafe = new Uint8Array(rows)
  for (let row = 0; row < rows; row++) if (!isSafe(row)) unsafe[row] = 1
  return unsafe
}

/** 1 where some contribution of the row is not safe; a column at a time, for results have many rows. */
export function marksOfContributions(
  { entities, contributions }: Evidence,
  isSafe: (contribution: ContributionEvidence, row: number) => boolean,
): Uint8Array {
  const unsafe = new Uint8Array(entities.length)
  for (const contribution of contributions) {
    for (let row = 0; row < unsafe.length; row++) if (!isSafe(contribution, row)) unsafe[row] = 1
  }
  return unsafe
}

/**
 * a ≤ b in spite of rounding: exactly where both are whole numbers that a double holds, else with a margin above the
 * relative error of a sum of 10^8 doubles of one sign (10^8 · 2^-53 < 2^-26).
 */
export function provablyAtMost(a: number, b: number): boolean {
  if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) return a <= b
  return a <= b - Math.abs(b) * MARGIN - Math.abs(a) * MARGIN
}

const MARGIN = 2 ** -26

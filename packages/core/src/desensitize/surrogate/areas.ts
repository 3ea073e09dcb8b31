/**
 * Area codes of six digits, and those that belong to nobody.
 *
 * GB/T 2260 gives the first digit to a great region and the second to a province-level unit of it: 34 pairs in all, the
 * same in every edition from 1980 to 2007 but for Hainan (46, 1988), Chongqing (50, 1997), Hong Kong (81) and Macao (82),
 * which were added. None was ever taken back. Residence permits of Taiwan residents use 83 (State Council Decree 88 of
 * 2018), though GB/T 2260 says 71.
 */
export const PROVINCES = pairs([11, 15], [21, 23], [31, 37], [41, 46], [50, 54], [61, 65], [71, 71], [81, 83])

/**
 * First pairs of area codes that were never issued, neither to persons nor to organizations:
 *
 * - 20, 30, 40, 60, 70, 80: a second digit 0 stands for no province (Chongqing's 50 is the one that was given out);
 * - 16 to 19, 24 to 29, 38 and 39, 47 to 49, 55 to 59, 67 to 69, 72 to 79, 84 to 89: beyond the last province of their region.
 *
 * Left out, though no citizen has them: 10, which organizations of the central government carry in their credit codes;
 * 66, which registers of the Xinjiang Production and Construction Corps use; 0 and 9 as first digits, since foreign
 * residents' numbers begin with 9 and many programs refuse those with 0.
 */
export const UNISSUED = pairs([16, 20], [24, 30], [38, 40], [47, 49], [55, 60], [67, 70], [72, 80], [84, 89])

/** Codes below one pair of digits. */
export const CODES_PER_PAIR = 10_000
export const UNISSUED_CODES = UNISSUED.length * CODES_PER_PAIR

/** Where a pair of digits stands in a list of pairs, or −1. */
export function positions(list: readonly number[]): Int16Array {
  const found = new Int16Array(100).fill(-1)
  for (const [position, pair] of list.entries()) found[pair] = position
  return found
}

function pairs(...ranges: readonly (readonly [number, number])[]): readonly number[] {
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i))
}

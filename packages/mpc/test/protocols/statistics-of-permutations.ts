import { correlated } from './statistics-of-views.js'

/**
 * What is opened on the way of protocols that shuffle and reveal, looked at as permutations: a smoke test, not a proof.
 * Each statistic is a number of standard deviations, beyond SIGMAS once in 10^8 where permutations are uniform:
 *
 * - `positions`: is every stretch of rows as often sent to every stretch of places (χ² over 8 × 8 of them);
 * - `neighbours`: do places next to each other lie together;
 * - `ascents`: how often a place is followed by a higher one, (n − 1) / 2 with the variance (n + 1) / 12 (Knuth, The Art
 *   of Computer Programming, volume 3, section 5.1.3);
 * - `follows`: do the places follow the values of the input.
 */
export interface PermutationStatistics {
  readonly positions: number
  readonly neighbours: number
  readonly ascents: number
  readonly follows: number
}

/** The strongest of each over several permutations of as many rows, `positions` over all of them together. */
export function statisticsOf(
  permutations: readonly Uint32Array[],
  input: ArrayLike<number>,
): PermutationStatistics {
  const rows = permutations[0]!.length
  const cells = new Float64Array(STRETCHES ** 2)
  let [neighbours, ascents, follows] = [0, 0, 0]
  for (const places of permutations) {
    let rising = 0
    places.forEach((place, row) => {
      cells[Math.floor((row * STRETCHES) / rows) * STRETCHES + Math.floor((place * STRETCHES) / rows)]! += 1
      if (row > 0 && place > places[row - 1]!) rising++
    })
    neighbours = Math.max(neighbours, correlated(places.subarray(1), places.subarray(0, -1)))
    ascents = Math.max(ascents, Math.abs(rising - (rows - 1) / 2) / Math.sqrt((rows + 1) / 12))
    follows = Math.max(follows, correlated(places, input))
  }
  const expected = (permutations.length * rows) / cells.length
  const square = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  // rows and columns of the table are given
  const freedom = (STRETCHES - 1) ** 2
  return { positions: Math.abs(square - freedom) / Math.sqrt(2 * freedom), neighbours, ascents, follows }
}

export const strongest = (found: PermutationStatistics): number => Math.max(...Object.values(found))

/** Messages to the next party by sender, each as long as a column of lanes of 32 bits. */
export type Revealed = readonly [Uint32Array[], Uint32Array[], Uint32Array[]]

/**
 * The permutations that were opened in a run: those three messages of the three parties that add up to one, in Z_2^32 or
 * bit by bit. By chance none does: a single lane is a place once in 2^32 / rows.
 */
export function permutationsIn([first, second, third]: Revealed): Uint32Array[] {
  const found: Uint32Array[] = []
  for (const a of first)
    for (const b of second)
      for (const c of third) {
        for (const add of [plus, xor]) {
          if (add(a[0]!, b[0]!, c[0]!) >= a.length) continue
          const places = a.map((value, i) => add(value, b[i]!, c[i]!))
          if (isPermutation(places)) found.push(places)
        }
      }
  return found
}

const STRETCHES = 8
const plus = (a: number, b: number, c: number): number => (a + b + c) >>> 0
const xor = (a: number, b: number, c: number): number => (a ^ b ^ c) >>> 0

function isPermutation(places: Uint32Array): boolean {
  const seen = new Uint8Array(places.length)
  for (const place of places) {
    if (place >= places.length || seen[place] === 1) return false
    seen[place] = 1
  }
  return true
}

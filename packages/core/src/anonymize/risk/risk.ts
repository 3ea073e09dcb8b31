/**
 * What somebody risks who stands in a table, from the sizes of its equivalence classes (El Emam, Guide to the
 * De-Identification of Personal Health Information, 2013, chapter 16; Dankar, El Emam, Neisa, Roffey, BMC Medical
 * Informatics and Decision Making 12:66, 2012).
 */
export interface Risk {
  /** the attacker knows that the person is in the table: 1 / class size */
  readonly prosecutor: { readonly highest: number; readonly average: number; readonly atHighest: number }
  /** the attacker does not know it: 1 / people of the population in the class; null where that is not known */
  readonly journalist: { readonly highest: number; readonly average: number } | null
  /** share of rows that matching every one would get right; by the population where that is known */
  readonly marketer: number
  /** rows alone in their class */
  readonly sampleUnique: number
}

/**
 * @param sizes rows of each class that is left; classes without rows are not looked at
 * @param population people of the population in each class, at least its rows
 */
export function riskOf(sizes: ArrayLike<number>, population: ArrayLike<number> | null): Risk | null {
  let [rows, classes, smallest, atSmallest, unique] = [0, 0, Number.POSITIVE_INFINITY, 0, 0]
  let [leastPopulation, matched] = [Number.POSITIVE_INFINITY, 0]
  for (let index = 0; index < sizes.length; index++) {
    const size = sizes[index]!
    if (size === 0) continue
    rows += size
    classes++
    if (size === 1) unique++
    if (size < smallest) [smallest, atSmallest] = [size, 0]
    if (size === smallest) atSmallest += size
    if (population === null) continue
    // whoever is in the table is in the population
    const people = Math.max(size, population[index]!)
    leastPopulation = Math.min(leastPopulation, people)
    matched += size / people
  }
  if (rows === 0) return null
  return {
    prosecutor: { highest: 1 / smallest, average: classes / rows, atHighest: atSmallest / rows },
    journalist: population === null ? null : { highest: 1 / leastPopulation, average: matched / rows },
    marketer: population === null ? classes / rows : matched / rows,
    sampleUnique: unique / rows,
  }
}

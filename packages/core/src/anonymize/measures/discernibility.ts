import type { Measure } from './measure.js'

/**
 * For each row, how many it cannot be told from: its class, or the whole table where it is suppressed (Bayardo,
 * Agrawal, ICDE 2005, section 2.2). Without suppression it grows up the lattice; with it, the sum over all classes as
 * they stand bounds it from below.
 */
export function discernibility(rows: number): Measure {
  return {
    name: 'discernibility',
    bound: () => 0,
    floor({ sizes }) {
      let sum = 0
      for (const size of sizes) sum += size * size
      return sum
    },
    loss({ sizes }, failing) {
      let sum = 0
      for (let index = 0; index < sizes.length; index++) {
        sum += sizes[index]! * (failing[index] === 1 ? rows : sizes[index]!)
      }
      return sum
    },
  }
}

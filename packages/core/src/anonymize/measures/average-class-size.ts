import type { Measure } from './measure.js'

/**
 * Rows a class, against the least that k allows (LeFevre, DeWitt, Ramakrishnan, ICDE 2006, section 5.1, C_AVG). All
 * suppressed rows are one class. Fewer classes up the lattice, so that all classes as they stand bound it from below.
 */
export function averageClassSize(rows: number, k: number): Measure {
  return {
    name: 'average-class-size',
    bound: () => 0,
    floor({ sizes }) {
      let classes = 0
      for (const size of sizes) if (size > 0) classes++
      return rows / classes / k
    },
    loss({ sizes }, failing) {
      let kept = 0
      let suppressed = 0
      for (let index = 0; index < sizes.length; index++) {
        if (sizes[index] === 0) continue
        if (failing[index] === 1) suppressed = 1
        else kept++
      }
      return rows / (kept + suppressed) / k
    },
  }
}

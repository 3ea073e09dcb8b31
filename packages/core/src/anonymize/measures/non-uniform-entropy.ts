import type { Classes } from '../classes.js'
import type { Records } from '../table.js'
import type { Measure } from './measure.js'

/**
 * Bits that generalization takes from the cells: for each the information of its value given what is written instead,
 * by the frequencies of the table (non-uniform entropy: de Waal, Willenborg, 1999; Gionis, Tassa, ESA 2007, section 2).
 * A suppressed row counts as generalized to anything. The loss without suppression grows up the lattice, column by
 * column; suppression only adds to it, so that it bounds the loss from below.
 */
export function nonUniformEntropy(records: Records): Measure {
  const rows = records.weights.reduce((sum, weight) => sum + weight, 0)
  const columns = records.quasi.map(({ hierarchy: { codes: levels, labels }, codes }) => {
    const base = frequencies(codes, records.weights, labels[0]!.length)
    return levels.map((above, level) => {
      const counts = new Float64Array(labels[level]!.length)
      for (let value = 0; value < base.length; value++) {
        counts[above[value]!] = counts[above[value]!]! + base[value]!
      }
      let loss = 0
      for (let value = 0; value < base.length; value++) {
        if (base[value]! > 0) loss += base[value]! * Math.log2(counts[above[value]!]! / base[value]!)
      }
      // what a cell that is written so would still lose if it were suppressed
      return { loss, rest: counts.map(count => (count > 0 ? Math.log2(rows / count) : 0)) }
    })
  })
  const bound = (levels: readonly number[]) => {
    let loss = 0
    for (let column = 0; column < columns.length; column++) loss += columns[column]![levels[column]!]!.loss
    return loss
  }
  return {
    name: 'non-uniform-entropy',
    bound,
    floor: ({ levels }) => bound(levels),
    loss({ levels, count, representatives, sizes }: Classes, failing: Uint8Array) {
      let suppressed = 0
      for (let index = 0; index < count; index++) {
        if (failing[index] === 0) continue
        let bits = 0
        for (let column = 0; column < columns.length; column++) {
          const { hierarchy, codes } = records.quasi[column]!
          const level = levels[column]!
          bits += columns[column]![level]!.rest[hierarchy.codes[level]![codes[representatives[index]!]!]!]!
        }
        suppressed += sizes[index]! * bits
      }
      return bound(levels) + suppressed
    },
  }
}

export function frequencies(codes: Uint32Array, weights: Uint32Array, cardinality: number): Float64Array {
  const counts = new Float64Array(cardinality)
  for (let record = 0; record < codes.length; record++) {
    counts[codes[record]!] = counts[codes[record]!]! + weights[record]!
  }
  return counts
}

import { populationUniqueness, riskOf } from '@sluice/core/anonymize'
import { describe, expect, it } from 'vitest'

describe('risk', () => {
  it('is one by the size of the class', () => {
    expect(riskOf([2, 5, 3, 0], null)).toEqual({
      prosecutor: { highest: 1 / 2, average: 3 / 10, atHighest: 2 / 10 },
      journalist: null,
      marketer: 3 / 10,
      sampleUnique: 0,
    })
    expect(riskOf([1, 1, 2], null)).toMatchObject({ sampleUnique: 0.5, prosecutor: { atHighest: 0.5 } })
    expect(riskOf([], null)).toBeNull()
  })

  it('is one by the people of the population where they are known', () => {
    const risk = riskOf([2, 4], [20, 8])!
    expect(risk.journalist).toEqual({ highest: 1 / 8, average: (2 / 20 + 4 / 8) / 6 })
    expect(risk.marketer).toBe((2 / 20 + 4 / 8) / 6)
    // nobody is in the table and not in the population
    expect(riskOf([4], [1])!.journalist!.highest).toBe(1 / 4)
  })
})

describe('uniqueness in the population, estimated', () => {
  it('is what it is in a population that Pitman’s formula describes, from a tenth of it', () => {
    const population = pitmanPopulation(40_000, 2_000, 0.3, 99)
    const truth = share(population)
    const sample = sampled(population, 4000, 5)
    const { pitman, zayatz } = populationUniqueness(sample, 40_000)
    expect(Math.abs(pitman! / truth - 1)).toBeLessThan(0.15)
    expect(zayatz).toBeGreaterThan(0)
    // the control: the share of the sample is no estimate of it
    expect(share(sample) / truth).toBeGreaterThan(2)
  })

  it('comes to the truth as the sample comes to the population', () => {
    const population = pitmanPopulation(20_000, 1_000, 0.2, 3)
    const truth = share(population)
    const { pitman, zayatz } = populationUniqueness(sampled(population, 19_000, 8), 20_000)
    expect(Math.abs(zayatz / truth - 1)).toBeLessThan(0.15)
    expect(Math.abs(pitman! / truth - 1)).toBeLessThan(0.15)
  })

  it('is none without a row alone, and not defined where every row is', () => {
    expect(populationUniqueness([2, 3], 100)).toEqual({ zayatz: 0, pitman: null })
    expect(populationUniqueness([1, 1, 1], 100).pitman).toBeNull()
  })
})

/** Class sizes of a population drawn by the two-parameter Chinese restaurant process (Pitman, 1995). */
function pitmanPopulation(people: number, theta: number, alpha: number, seed: number): number[] {
  const random = generator(seed)
  const classOf: number[] = []
  let classes = 0
  const tables: number[] = []
  for (let person = 0; person < people; person++) {
    if (random() * (person + theta) < theta + classes * alpha) {
      classOf.push(classes)
      tables.push(1)
      classes++
      continue
    }
    // a seat beside somebody, thinned by alpha for each table
    for (;;) {
      const beside = classOf[Math.floor(random() * person)]!
      if (random() * tables[beside]! < alpha) continue
      classOf.push(beside)
      tables[beside]!++
      break
    }
  }
  return tables
}

function sampled(population: readonly number[], rows: number, seed: number): number[] {
  const random = generator(seed)
  const people = population.flatMap((size, index) => new Array<number>(size).fill(index))
  const counts = new Array<number>(population.length).fill(0)
  for (let row = 0; row < rows; row++) {
    const at = row + Math.floor(random() * (people.length - row))
    ;[people[row], people[at]] = [people[at]!, people[row]!]
    counts[people[row]!]!++
  }
  return counts
}

function share(sizes: readonly number[]): number {
  return sizes.filter(size => size === 1).length / sizes.reduce((sum, size) => sum + size, 0)
}

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

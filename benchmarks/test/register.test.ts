import { Classifier } from '@sluice/core/classify'
import { describe, expect, test } from 'vitest'
import { judge, makeRegister } from '../register/register.mjs'

/** The classification of a register of people who do not exist, held against its labels. */
function classified(rows: number, seed: number) {
  const { table, labels } = makeRegister({ rows, seed })
  const classifier = new Classifier(table.schema)
  for (const batch of table.batches) classifier.add(batch)
  return judge(classifier.finish(), labels)
}

describe('the classifier on a synthetic register', () => {
  test.each([1, 2, 3])('with seed %i keeps its floor of precision and recall', seed => {
    const { named, unnamed, decoys, decoysTaken } = classified(500, seed)
    expect(named.precision).toBeGreaterThanOrEqual(0.99)
    expect(named.recall).toBeGreaterThanOrEqual(0.98)
    // passports, permits, postal codes, births, single coordinates and bare amounts cannot be told without a name
    expect(unnamed.precision).toBeGreaterThanOrEqual(0.95)
    expect(unnamed.recall).toBeGreaterThanOrEqual(0.74)
    expect(decoysTaken).toBeLessThanOrEqual(1)
    expect(decoys).toBeGreaterThan(70)
  })

  test('is judged by labels that could fail it', () => {
    const { table, labels } = makeRegister({ rows: 50, seed: 4 })
    const nothing = { columns: labels.map(({ name }) => ({ name, entity: null })) }
    expect(judge(nothing, labels).all.recall).toBe(0)
    const everything = { columns: labels.map(({ name }) => ({ name, entity: { entity: 'mobile' } })) }
    expect(judge(everything, labels).all.precision).toBeLessThan(0.1)
    expect(table.numCols).toBe(labels.length)
  })

  test('is the same for the same seed', () => {
    const text = (seed: number) => JSON.stringify(makeRegister({ rows: 20, seed }).table.toArray())
    expect(text(5)).toBe(text(5))
    expect(text(5)).not.toBe(text(6))
  })
})

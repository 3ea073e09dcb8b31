import { readFileSync } from 'node:fs'
import { Classifier } from '@sluice/core/classify'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

interface Vectors {
  readonly source: string
  readonly cases: Readonly<
    Record<string, { readonly yes: readonly string[]; readonly no: readonly string[] }>
  >
}

const vectors = JSON.parse(
  readFileSync(new URL('vectors/recognizers.json', import.meta.url), 'utf8'),
) as Vectors

/** The tiers that one value reaches for an entity: a column of that value alone, named after nothing. */
function evidence(value: string, entity: string): readonly string[] {
  const [column] = found([[value]]).columns
  const candidates = [column!.entity, ...column!.others]
  return candidates.find(candidate => candidate?.entity === entity)?.evidence ?? []
}

describe('recognizers', () => {
  for (const [name, { yes, no }] of Object.entries(vectors.cases)) {
    const [entity, tier] = name.split(' ') as [string, string]
    test(`${entity}: ${tier}`, () => {
      for (const value of yes) expect(evidence(value, entity), value).toContain(tier)
      for (const value of no) expect(evidence(value, entity), value).not.toContain(tier)
    })
  }

  const checked = [
    ['identity-number', '11010519491231002X', '0123456789X'],
    ['credit-code', '91350100M000100Y43', '0123456789ABCDEFGHJKLMNPQRTUWXY'],
    ['bank-card', '4111111111111111', '0123456789'],
    ['vin', '1M8GDM9AXKP042788', '0123456789X'],
  ] as const

  test.each(checked)('%s: no other check character is right', (entity, value, alphabet) => {
    const at = entity === 'vin' ? 8 : value.length - 1
    for (const character of alphabet) {
      const other = value.slice(0, at) + character + value.slice(at + 1)
      expect(evidence(other, entity).includes('checksum'), other).toBe(other === value)
    }
  })

  test('full-width digits, spaces around and groups change nothing', () => {
    expect(evidence('１１０１０５１９４９１２３１００２Ｘ', 'identity-number')).toContain('checksum')
    expect(evidence('  11010519491231002x ', 'identity-number')).toContain('checksum')
    expect(evidence('4111 1111 1111 1111', 'bank-card')).toContain('checksum')
    expect(evidence('4111  1111 1111 1111', 'bank-card')).toEqual([])
  })

  test('what is found does not hang on where batches end, whatever the text', () => {
    const alphabet = '0123456789aEHLX.:-/@ ,¥元省市区路号年月日王李·，。１Ｘ（'
    const value = fc.option(fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 40 }), {
      nil: null,
      freq: 8,
    })
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), fc.nat(60), (values, cut) => {
        const whole = found([values])
        expect(found([values.slice(0, cut), values.slice(cut)])).toEqual(whole)
        expect(found(values.map(one => [one]))).toEqual(whole)
      }),
      { numRuns: 100, seed: 20_260_101 },
    )
  })
})

/** The classification of one column that comes in these batches. */
function found(parts: readonly (readonly (string | null)[])[]) {
  const tables = parts.map(part => new Table({ c: vectorFromArray(part, new Utf8()) }))
  const classifier = new Classifier(tables[0]!.schema)
  for (const table of tables) for (const batch of table.batches) classifier.add(batch)
  return classifier.finish()
}

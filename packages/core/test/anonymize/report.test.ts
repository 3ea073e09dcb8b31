import {
  type AnonymizeConfig,
  anonymityReport,
  anonymizeRecords,
  orderedColumn,
  type Records,
  reportHtml,
  SUPPRESSED,
} from '@sluice/core/anonymize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { binaryHierarchy, cases, MODEL, SENSITIVE } from './tables.js'

const HOSTILE = '<img src=x onerror=alert(1)>"\'&\u202e'

const config = (
  columns: AnonymizeConfig['columns'],
  more: Partial<AnonymizeConfig> = {},
): AnonymizeConfig => ({
  columns,
  model: MODEL,
  suppression: 0.3,
  method: 'optimal',
  measure: 'non-uniform-entropy',
  populationFile: null,
  populationRows: 1000,
  ...more,
})

function table(): Records {
  const codes = Uint32Array.from([0, 0, 0, 1, 2, 3, 3, 3])
  return {
    quasi: [orderedColumn(HOSTILE, binaryHierarchy(4, 2), codes)],
    sensitive: [{ name: SENSITIVE, hierarchy: null, cardinality: 2, codes: codes.map(code => code & 1) }],
    weights: new Uint32Array(8).fill(1),
    population: null,
  }
}

const columns = {
  [HOSTILE]: { role: 'quasi', hierarchy: null },
  [SENSITIVE]: { role: 'sensitive', hierarchy: null },
} as const
const NO_FILES = { input: 'a'.repeat(64), output: null }

describe('the report', () => {
  it('passes exactly where every class meets the model, looked at anew', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async example => {
        const own = config({}, example.config)
        const result = await anonymizeRecords(example.records, own).catch(() => null)
        if (result === null) return
        const report = anonymityReport(example.records, own, result, NO_FILES)
        expect(report).toMatchObject({ passed: true, failed: [] })
        expect(report.output.rows + report.output.suppressed).toBe(report.input.rows)
        // the control: one class is torn in two, so that a row stands alone
        if (result.sizes.length === 0) return
        const torn = result.of.slice()
        const at = torn.findIndex(index => index !== SUPPRESSED)
        torn[at] = result.sizes.length
        const sizes = Uint32Array.from([...result.sizes, 1])
        const population = result.population && Float64Array.from([...result.population, 1])
        const broken = anonymityReport(
          example.records,
          own,
          { ...result, of: torn, sizes, population },
          NO_FILES,
        )
        expect(broken.failed).toContain('k-anonymity')
      }),
      { seed: 5, numRuns: 200 },
    )
  })

  it('tells counts, levels and risks before and after', async () => {
    const records = table()
    const report = anonymityReport(
      records,
      config(columns),
      await anonymizeRecords(records, config(columns)),
      NO_FILES,
    )
    expect(report).toMatchObject({
      format: 'sluice-anonymity-report/1',
      columns: [
        { name: HOSTILE, role: 'quasi', level: 0, levels: 2 },
        { name: SENSITIVE, role: 'sensitive', level: null, levels: null },
      ],
      input: { rows: 8 },
      output: { rows: 6, suppressed: 2 },
      classes: { before: { count: 4, smallest: 1 }, after: { count: 2, smallest: 3, largest: 3 } },
      risk: { before: { prosecutor: { highest: 1 } }, after: { prosecutor: { highest: 1 / 3 } } },
      search: { nodes: 3 },
    })
    expect(report.populationUniqueness?.before.zayatz).toBeGreaterThan(0)
  })

  it.each(['en', 'zh'] as const)(
    'is one page without script or anything from elsewhere, escaped (%s)',
    async language => {
      const records = table()
      const report = anonymityReport(
        records,
        config(columns),
        await anonymizeRecords(records, config(columns)),
        NO_FILES,
      )
      const page = reportHtml(report, language)
      expect(page).not.toMatch(/<script|<img|<link|<iframe|url\(|https?:|\bon\w+="/i)
      expect(page).not.toContain('\u202e')
      expect(page).toContain('&#60;img src=x onerror=alert(1)&#62;')
      expect(page).toContain('<svg')
      expect(page).toContain(language === 'zh' ? '重识别风险' : 'Risk of re-identification')
      expect(page.match(/<section>/g)).toHaveLength(page.match(/<\/section>/g)!.length)
    },
  )
})

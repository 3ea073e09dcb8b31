import {
  type HierarchyDeclaration,
  hierarchyFor,
  hierarchyOf,
  orderedColumn,
  parseHierarchy,
} from '@sluice/core/anonymize'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.js'

const SECRET = '330106199001011234'

describe('a hierarchy from CSV', () => {
  it('is read with any of the separators, quotes, CRLF and a byte order mark', () => {
    const wanted = new Map([
      ['a', ['x', '*']],
      ['b, "c"', ['x', '*']],
    ])
    for (const text of ['a,x,*\n"b, ""c""",x,*\n', '\ufeffa,x,*\r\n"b, ""c""",x,*']) {
      expect(parseHierarchy(text, 'h.csv')).toEqual({ source: 'h.csv', height: 2, paths: wanted })
    }
    expect(parseHierarchy('甲;浙江;*\n乙;浙江;*', 'h.csv').paths.get('乙')).toEqual(['浙江', '*'])
  })

  it.each([
    ['a record of another length', `a,x,*\n${SECRET},x\n`, 'hierarchy.levels', 2, 2],
    ['a longer record', `a,x\n${SECRET},x,y\n`, 'hierarchy.levels', 2, 2],
    ['a value twice', `${SECRET},x\nb,x\n${SECRET},x\n`, 'hierarchy.value', 3, 1],
    ['two parents of one label', `a,${SECRET},p\nb,${SECRET},q\n`, 'hierarchy.tree', 2, 3],
    ['a value alone', `${SECRET}\n`, 'hierarchy.levels', 1, 1],
    ['nothing', '\n\n', 'hierarchy.empty', 1, 1],
    ['an open quote', `a,x\n"${SECRET},x\n`, 'hierarchy.quote', 2, 1],
    ['something after a quote', `a,x\n"${SECRET}"y,x\n`, 'hierarchy.quote', 2, 1],
  ])('refuses %s, naming record and field and no value', (_, text, rule, line, column) => {
    const error = failure(() => parseHierarchy(text, 'h.csv'))
    expect(error).toMatchObject({
      code: 'HIERARCHY_INVALID',
      rule,
      position: { line, column, source: 'h.csv' },
    })
    expect(JSON.stringify(error)).not.toContain(SECRET)
  })

  it('refuses values of the data that it lacks, naming column and first row', () => {
    const table = parseHierarchy('a,*\n', 'h.csv')
    const values = ['a', null, SECRET, 'other']
    const error = failure(() => hierarchyFor('city', { values, firstRow: code => 10 * code }, null, table))
    expect(error).toMatchObject({
      code: 'HIERARCHY_INVALID',
      rule: 'hierarchy.missing',
      facts: { column: 'city', row: 20, missing: 2 },
    })
    expect(JSON.stringify(error)).not.toContain(SECRET)
  })

  it('keeps a missing value missing until everything is one', () => {
    const table = parseHierarchy('a,x,*\nb,y,*\n', 'h.csv')
    const { labels, codes } = hierarchyFor(
      'c',
      { values: ['a', null, 'b'], firstRow: () => null },
      null,
      table,
    )
    expect(labels).toEqual([['a', null, 'b'], ['x', null, 'y'], ['*']])
    expect(codes.map(level => [...level])).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 0, 0],
    ])
  })
})

describe('a declared hierarchy', () => {
  const labelsOf = (values: (string | null)[], declaration: HierarchyDeclaration | null) => {
    const { labels, codes } = hierarchyFor('c', { values, firstRow: code => code + 1 }, declaration, null)
    return values.map((_, value) => codes.map((level, at) => labels[at]![level[value]!]))
  }

  it('bands numbers, with what lies outside in a band of its own', () => {
    expect(labelsOf(['17', '23', '-3', '91'], { intervals: [5, 20], min: 0, max: 90 })).toEqual([
      ['17', '[15, 20)', '[0, 20)', '*'],
      ['23', '[20, 25)', '[20, 40)', '*'],
      ['-3', '< 0', '< 0', '*'],
      ['91', '>= 90', '>= 90', '*'],
    ])
  })

  it('takes parts of dates', () => {
    expect(
      labelsOf(['2024-05-31', '1999-12-01 10:00:00'], { date: ['month', 'quarter', 'year', 'decade'] }),
    ).toEqual([
      ['2024-05-31', '2024-05', '2024-Q2', '2024', '2020s', '*'],
      ['1999-12-01 10:00:00', '1999-12', '1999-Q4', '1999', '1990s', '*'],
    ])
  })

  it('keeps the beginning of a code, by characters', () => {
    expect(labelsOf(['330106', '浙😀A'], { prefix: [4, 2] })).toEqual([
      ['330106', '3301*', '33*', '*'],
      ['浙😀A', '浙😀A*', '浙😀*', '*'],
    ])
  })

  it('is a value or anything where nothing is declared', () => {
    expect(labelsOf(['f', 'm', null], null)).toEqual([
      ['f', '*'],
      ['m', '*'],
      [null, '*'],
    ])
  })

  it.each([
    ['number', { intervals: [5] }, SECRET.replace('1', 'x')],
    ['number', { intervals: [5] }, ''],
    ['date', { date: ['year' as const] }, '2024-13-01'],
  ])('refuses what is no %s, naming column and row', (_, declaration, value) => {
    const error = failure(() => labelsOf(['7', value], declaration))
    expect(error).toMatchObject({
      code: 'HIERARCHY_INVALID',
      rule: 'hierarchy.value',
      facts: { column: 'c' },
    })
    if (value !== '') expect(JSON.stringify(error)).not.toContain(value)
  })

  it('refuses labels that are no tree', () => {
    const error = failure(() => hierarchyOf('c', ['a', 'b'], value => ['x', value]))
    expect(error).toMatchObject({ code: 'HIERARCHY_INVALID', rule: 'hierarchy.tree', facts: { level: 2 } })
  })
})

describe('the order of a column', () => {
  it('is by size for numbers, by label for the others, and changes no row', () => {
    const numbers = orderedColumn(
      'n',
      hierarchyOf('n', ['10', '9', '-1'], () => ['*']),
      Uint32Array.of(0, 1, 2, 0),
    )
    expect(numbers.hierarchy.labels[0]).toEqual(['-1', '9', '10'])
    expect([...numbers.codes]).toEqual([2, 1, 0, 2])
    expect([...numbers.positions!]).toEqual([-1, 9, 10])
    const region: Record<string, string> = { a: 'north', b: 'south', c: 'north' }
    const texts = orderedColumn(
      't',
      hierarchyOf('t', ['a', 'b', 'c'], value => [region[value]!, '*']),
      Uint32Array.of(0, 1, 2),
    )
    expect(texts.hierarchy.labels[0]).toEqual(['a', 'c', 'b'])
    expect(texts.positions).toBeNull()
  })
})

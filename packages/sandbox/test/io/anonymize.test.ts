import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAnonymizeConfig, parseHierarchy } from '@sluice/core/anonymize'
import { type AnonymizeFileOptions, anonymizeFile } from '@sluice/sandbox/io'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-anonymize-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const CONFIG = `
version: 1
k: 4
suppression: 0.05
columns:
  id: {role: identifier}
  age: {role: quasi, hierarchy: {intervals: [5, 20], max: 80}}
  town: {role: quasi, hierarchy: {file: towns.csv}}
  born: {role: quasi, hierarchy: {date: [month, year, decade]}}
  illness: {role: sensitive}
  cost: {role: attribute}
diversity: [{column: illness, kind: distinct, l: 2}]
`
const TOWNS = parseHierarchy(
  Array.from({ length: 12 }, (_, town) => `town ${town};region ${town % 3};*`).join('\n'),
  'towns.csv',
)

/** 600 people from a fixed generator; id and cost are unlike each other, so that rows can be followed. */
const PEOPLE = Array.from({ length: 600 }, (_, row) => {
  const mixed = Math.imul(row + 17, 2_654_435_761) >>> 0
  const age = 20 + (mixed % 61)
  const born = `${2020 - age}-${String(1 + ((mixed >>> 8) % 12)).padStart(2, '0')}-${String(1 + ((mixed >>> 12) % 28)).padStart(2, '0')}`
  return [
    `p${row}`,
    row === 7 ? '' : age,
    `town ${(mixed >>> 16) % 12}`,
    born,
    `illness ${(mixed >>> 20) % 6}`,
    row,
  ].join(',')
})
const HEADER = 'id,age,town,born,illness,cost'

async function anonymized(
  name: string,
  rows: readonly string[],
  more: Partial<AnonymizeFileOptions> = {},
  config = CONFIG,
) {
  const [from, to] = [join(root, `${name}.in.csv`), join(root, `${name}.csv`)]
  await writeFile(from, `${[HEADER, ...rows].join('\n')}\n`)
  const report = await anonymizeFile({
    from,
    to,
    format: 'csv',
    config: parseAnonymizeConfig(config),
    hierarchies: new Map([['town', TOWNS]]),
    population: null,
    ...more,
  })
  return { report, to, from, text: await readFile(to, 'utf8') }
}

/** Records of a CSV, whose only quotes here are around ranges. */
const recordsOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(line =>
      [...line.matchAll(/"([^"]*)"|([^,]+)|(?<=,)(?=,)/g)].map(([, quoted, plain]) => quoted ?? plain ?? ''),
    )

/** Rows by their first three columns, the quasi-identifiers. */
function classesOf(rows: readonly string[][]): Map<string, string[][]> {
  const classes = new Map<string, string[][]>()
  for (const row of rows) {
    const key = row.slice(0, 3).join('|')
    classes.set(key, [...(classes.get(key) ?? []), row])
  }
  return classes
}

describe('anonymizeFile', () => {
  it('writes no formula, in no cell and no header', async () => {
    const rows = PEOPLE.map(row => row.replace('illness ', '＝illness '))
    const [from, to] = [join(root, 'formula.in.csv'), join(root, 'formula.csv')]
    await writeFile(from, `${[HEADER.replace('cost', '=cost'), ...rows].join('\n')}\n`)
    const config = parseAnonymizeConfig(CONFIG.replace('  cost:', "  '=cost':"))
    const hierarchies = new Map([['town', TOWNS]])
    await anonymizeFile({ from, to, format: 'csv', config, hierarchies, population: null })
    const [head, ...lines] = (await readFile(to, 'utf8')).trimEnd().split('\n')
    expect(head).toBe("age,town,born,illness,'=cost")
    expect(lines.every(line => line.includes(",'＝illness "))).toBe(true)
  })

  it('writes classes that meet the model, loses nothing but what it says, and changes nothing else', async () => {
    const { report, to, from, text } = await anonymized('whole', PEOPLE)
    const rows = recordsOf(text)
    expect(report).toMatchObject({ passed: true, input: { rows: 600 }, output: { rows: rows.length } })
    expect(rows.length).toBe(600 - report.output.suppressed)
    expect(report.output.suppressed).toBeLessThanOrEqual(30)
    expect(text.split('\n')[0]).toBe('age,town,born,illness,cost')
    const classes = classesOf(rows)
    for (const members of classes.values()) {
      expect(members.length).toBeGreaterThanOrEqual(4)
      expect(new Set(members.map(row => row[3])).size).toBeGreaterThanOrEqual(2)
    }
    expect(classes.size).toBe(report.classes.after.count)
    // each row that is left has its own illness, and a class that its own values lie in
    const regions = new Map(report.columns.map(({ name, level }) => [name, level]))
    for (const [, town, , illness, cost] of rows) {
      const own = PEOPLE[Number(cost)]!.split(',')
      expect(illness).toBe(own[4])
      expect(town).toBe([own[2], `region ${Number(own[2]!.slice(5)) % 3}`, '*'][regions.get('town')!])
    }
    const digest = async (file: string) =>
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex')
    expect(report.input.fingerprint).toBe(await digest(from))
    expect(report.output.fingerprint).toBe(await digest(to))
    expect((await stat(to)).mode & 0o777).toBe(0o600)
  })

  it('tells nothing by the order of rows: another order in gives the same bytes out', async () => {
    const turned = PEOPLE.toReversed()
    const { text } = await anonymized('turned', turned)
    expect(text).toBe((await anonymized('straight', PEOPLE)).text)
  })

  it('partitions by Mondrian too, into Parquet too', async () => {
    const config = CONFIG.replace('suppression: 0.05', 'method: mondrian').replace(/k: 4/, 'k: 4')
    const { report, text } = await anonymized(
      'mondrian',
      PEOPLE.filter((_, row) => row !== 7),
      {},
      config,
    )
    const classes = classesOf(recordsOf(text))
    for (const members of classes.values()) expect(members.length).toBeGreaterThanOrEqual(4)
    expect(report).toMatchObject({ passed: true, output: { rows: 599, suppressed: 0 }, search: null })
    const parquet = join(root, 'mondrian.parquet')
    await anonymizeFile({
      from: join(root, 'mondrian.in.csv'),
      to: parquet,
      format: 'parquet',
      config: parseAnonymizeConfig(config),
      hierarchies: new Map([['town', TOWNS]]),
      population: null,
    })
    expect((await readFile(parquet)).subarray(0, 4).toString()).toBe('PAR1')
  })

  it('holds a table to its population', async () => {
    const people = join(root, 'people.csv')
    await writeFile(people, `${[HEADER, ...PEOPLE].join('\n')}\n`)
    const config = `${CONFIG.replace('suppression: 0.05', 'suppression: 0.5')}presence: {population: people.csv, max: 0.5}\n`
    const part = PEOPLE.filter((_, row) => row % 3 === 0)
    const { report } = await anonymized('presence', part, { population: people }, config)
    expect(report).toMatchObject({ passed: true, model: { presence: { min: 0, max: 0.5 } } })
    // at most half of each class of the population is in the table
    expect(report.risk.after!.journalist!.highest).toBeLessThanOrEqual(1 / 8)
    const beyond = `${CONFIG}presence: {population: people.csv, max: 0.1}\n`
    await expect(anonymized('beyond', part, { population: people }, beyond)).toThrowWithCode(
      'ANONYMITY_UNREACHABLE',
    )
  })

  it('refuses what does not fit, names column and row, and leaves nothing behind', async () => {
    const secret = PEOPLE[0]!.replace('town', 'Atlantis')
    const missing = anonymized('missing', [...PEOPLE.slice(1), secret])
    await expect(missing).toThrowWithCode('HIERARCHY_INVALID', 'hierarchy.missing')
    const error = (await missing.catch((thrown: unknown) => thrown)) as { facts: unknown }
    expect(error.facts).toMatchObject({ column: 'town', row: 600, missing: 1 })
    expect(JSON.stringify(error)).not.toContain('Atlantis')
    const notNumber = PEOPLE.map((row, at) => (at === 5 ? row.replace(/,\d+,/, ',old,') : row))
    await expect(anonymized('number', notNumber)).toThrowWithCode('HIERARCHY_INVALID', 'hierarchy.value')
    const unnamed = CONFIG.replace('  cost: {role: attribute}\n', '')
    await expect(anonymized('unnamed', PEOPLE, {}, unnamed)).toThrowWithCode('CONFIG_INVALID', 'columns')
    await expect(anonymized('empty', [])).toThrowWithCode('FILE_FORMAT')
    await expect(anonymized('whole', PEOPLE)).toThrowWithCode('EXISTS')
    await expect(anonymized('away', PEOPLE, { to: join(root, 'none', 'x.csv') })).toThrowWithCode(
      'FILE_MISSING',
    )
    expect(await readdir(root)).not.toContain('none')
    expect(await readdir(root)).not.toContain('missing.csv')
    expect((await readdir(root)).filter(name => name.startsWith('.'))).toEqual([])
  })

  it('is cancelled without a trace', async () => {
    const stop = new AbortController()
    const cancelled = anonymized('cancelled', PEOPLE, {
      signal: stop.signal,
      onProgress: ({ stage }) => {
        if (stage === 'write') stop.abort()
      },
    })
    await expect(cancelled).toThrowWithCode('INTERRUPTED')
    expect((await readdir(root)).filter(name => name.startsWith('.') || name === 'cancelled.csv')).toEqual([])
  })
})

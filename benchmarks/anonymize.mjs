// Anonymization. Optimal k-anonymity on a table of the shape of the UCI Adult data (30,162 rows, nine
// quasi-identifiers, 12,960 combinations of levels): the pruned search beside our own search of every node, whose loss
// it has to have. SLUICE_ADULT names a directory with adult.csv and adult_hierarchy_*.csv (github.com/arx-deidentifier/arx,
// `data`) for the data itself; else the table is drawn from a fixed seed. Mondrian and whole files stand beside what
// bare DuckDB needs to group and to sort the same rows: a floor, no anonymization. Where SLUICE_PYTHON (else python3) has
// the package anonypy from PyPI, its Mondrian runs over rows of the same kind; else that peer is skipped, and said so.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import {
  hierarchyFor,
  orderedColumn,
  parseAnonymizeConfig,
  parseHierarchy,
  partitionMondrian,
  searchOptimum,
  valueOrAny,
} from '@sluice/core/anonymize'
import { anonymizeFile } from '@sluice/sandbox/io'

const ROWS = 30_162
/** Distinct values of each column, and how many neighbours each level above the first puts together; then anything. */
const ADULT = [
  ['sex', 2, []],
  ['age', 74, [5, 10, 20]],
  ['race', 5, []],
  ['marital-status', 7, [4]],
  ['education', 16, [2, 6]],
  ['native-country', 41, [10]],
  ['workclass', 8, [4]],
  ['occupation', 14, [4]],
  ['salary-class', 2, []],
]
const MONDRIAN = [2, 100, 5, 7, 16, 40, 1000, 14]
const PYTHON_ROWS = 2000
const PYTHON = `
import json, sys, time
import pandas
from anonypy.mondrian import Mondrian
columns = json.load(sys.stdin)
frame = pandas.DataFrame(columns)
frame['s'] = 0
started = time.perf_counter()
regions = Mondrian(frame, list(columns), 's').partition(10)
print(json.dumps({'milliseconds': 1000 * (time.perf_counter() - started), 'regions': len(regions)}))
`

/** @param {{ runs?: number, mondrianRows?: number, fileRows?: number }} [options] */
export async function bench({ runs = 5, mondrianRows = 1_200_000, fileRows = 1_000_000 } = {}) {
  return [
    ...(await optimal(runs)),
    ...(await mondrian(mondrianRows)),
    ...(await mondrianOfPython()),
    ...(await file(fileRows)),
  ]
}

async function optimal(runs) {
  const { records, source } = adult()
  const cases = []
  for (const [k, suppression, measure] of [
    [5, 0, 'non-uniform-entropy'],
    [5, 0, 'discernibility'],
    [5, 0.02, 'non-uniform-entropy'],
    [5, 0.04, 'non-uniform-entropy'],
    [100, 0.02, 'discernibility'],
  ]) {
    const config = { model: { k, diversity: [], closeness: [], presence: null }, suppression, measure }
    const every = await timed(1, () => searchOptimum(records, config, { exhaustive: true }))
    const ours = await timed(runs, () => searchOptimum(records, config))
    if (ours.result.loss !== every.result.loss) throw new Error('the pruned search missed the optimum')
    const name = `${source}: k ${k}, ${suppression * 100} % suppressed, ${measure}`
    const peer = 'own search of every node'
    cases.push(
      row(name, 'time', ours.milliseconds, 'ms', peer, every.milliseconds),
      row(name, 'nodes looked at', ours.result.checked, '', peer, every.result.checked),
    )
  }
  return cases
}

function adult() {
  const directory = process.env['SLUICE_ADULT']
  if (directory !== undefined && existsSync(join(directory, 'adult.csv'))) return adultFrom(directory)
  process.stderr.write(
    'SLUICE_ADULT names no directory with adult.csv: a seeded table of the same shape instead\n',
  )
  const random = generator(20_140_905)
  const quasi = ADULT.map(([name, size, widths]) => {
    const values = Array.from({ length: size }, (_, value) => `${value + 1}`)
    const text = values
      .map((value, at) =>
        [value, ...widths.map((width, level) => `${level}:${Math.floor(at / width)}`), '*'].join(';'),
      )
      .join('\n')
    const codes = Uint32Array.from({ length: ROWS }, () => skewed(random, size))
    return orderedColumn(
      name,
      hierarchyFor(name, dictionary(values), null, parseHierarchy(text, name)),
      codes,
    )
  })
  return { source: 'seeded, Adult’s shape', records: table(quasi, ROWS) }
}

function adultFrom(directory) {
  const read = name => readFileSync(join(directory, name), 'utf8')
  const [head, ...lines] = read('adult.csv')
    .trim()
    .split(/\r?\n/)
    .map(line => line.split(';'))
  const quasi = head.map((name, at) => {
    const known = new Map()
    const codes = Uint32Array.from(lines, line => {
      const code = known.get(line[at]) ?? known.size
      known.set(line[at], code)
      return code
    })
    const hierarchy = parseHierarchy(read(`adult_hierarchy_${name}.csv`), name)
    return orderedColumn(name, hierarchyFor(name, dictionary([...known.keys()]), null, hierarchy), codes)
  })
  return { source: 'UCI Adult', records: table(quasi, lines.length) }
}

const MONDRIAN_MODEL = { k: 10, diversity: [], closeness: [], presence: null }

function mondrianColumns(rows) {
  const random = generator(7)
  return MONDRIAN.map(size => Uint32Array.from({ length: rows }, () => skewed(random, size)))
}

function mondrianTable(columns) {
  const quasi = columns.map((codes, at) => {
    const values = Array.from({ length: MONDRIAN[at] }, (_, value) => `${value}`)
    return orderedColumn(`c${at}`, valueOrAny(`c${at}`, values), codes)
  })
  return table(quasi, columns[0].length)
}

async function mondrian(rows) {
  const records = mondrianTable(mondrianColumns(rows))
  const ours = await timed(3, () => partitionMondrian(records, { model: MONDRIAN_MODEL }))
  const floor = await withDuckDb(async connection => {
    const list = MONDRIAN.map((size, at) => `CAST(${size} * random() * random() AS INTEGER) AS c${at}`).join(
      ', ',
    )
    await connection.run(`CREATE TABLE t AS SELECT ${list} FROM range(${rows})`)
    return timed(3, () =>
      connection.runAndReadAll(
        `SELECT count(*) FROM (SELECT count(*) FROM t GROUP BY ${MONDRIAN.map((_, at) => `c${at}`).join(', ')})`,
      ),
    )
  })
  const name = `Mondrian, ${rows} rows × 8, k 10: ${ours.result.count} regions`
  return [row(name, 'time', ours.milliseconds, 'ms', 'DuckDB GROUP BY', floor.milliseconds)]
}

/** Mondrian beside another implementation, over as many rows as that one takes in a few seconds. */
async function mondrianOfPython() {
  const columns = mondrianColumns(PYTHON_ROWS)
  const { status, stdout } = spawnSync(process.env['SLUICE_PYTHON'] ?? 'python3', ['-c', PYTHON], {
    input: JSON.stringify(Object.fromEntries(columns.map((codes, at) => [`c${at}`, [...codes]]))),
    encoding: 'utf8',
    maxBuffer: 2 ** 20,
  })
  if (status !== 0) {
    process.stderr.write('no Python with the packages anonypy and pandas: that peer of Mondrian is skipped\n')
    return []
  }
  const peer = JSON.parse(stdout)
  const ours = await timed(5, () => partitionMondrian(mondrianTable(columns), { model: MONDRIAN_MODEL }))
  const name = `Mondrian, ${PYTHON_ROWS} rows × 8, k 10: ${ours.result.count} regions, ${peer.regions} of the peer`
  return [row(name, 'time', ours.milliseconds, 'ms', 'anonypy', peer.milliseconds)]
}

async function file(rows) {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
  const [from, to, sorted] = ['in.parquet', 'out.parquet', 'sorted.parquet'].map(name =>
    join(directory, name),
  )
  const config = parseAnonymizeConfig(`
version: 1
k: 5
suppression: 0.02
columns:
  age: {role: quasi, hierarchy: {intervals: [5, 10, 20], max: 90}}
  district: {role: quasi, hierarchy: {prefix: [4, 2]}}
  sex: {role: quasi}
  born: {role: quasi, hierarchy: {date: [month, quarter, year, decade]}}
  illness: {role: sensitive}
  cost: {role: attribute}
diversity: [{column: illness, kind: distinct, l: 2}]
`)
  try {
    const floor = await withDuckDb(async connection => {
      await connection.run(
        `COPY (SELECT CAST(hash(i) % 95 AS INTEGER) AS age, CAST(330000 + hash(i + 1) % 900 AS VARCHAR) AS district,
          CAST(hash(i + 2) % 2 AS VARCHAR) AS sex, DATE '1930-01-01' + CAST(hash(i + 3) % 33000 AS INTEGER) AS born,
          'illness ' || hash(i + 4) % 40 AS illness, i AS cost FROM range(${rows}) t(i)) TO '${from}' (FORMAT parquet)`,
      )
      return timed(1, () =>
        connection.run(
          `COPY (SELECT * FROM '${from}' ORDER BY ALL) TO '${sorted}' (FORMAT parquet, COMPRESSION zstd)`,
        ),
      )
    })
    const hierarchies = new Map()
    const ours = await timed(1, () =>
      anonymizeFile({ from, to, format: 'parquet', config, hierarchies, population: null }),
    )
    const { size } = await stat(from)
    const name = `file of ${rows} rows (${Math.round(size / 2 ** 20)} MiB), four quasi-identifiers`
    const memory = Math.round(process.resourceUsage().maxRSS / 1024)
    return [
      row(name, 'time', ours.milliseconds, 'ms', 'DuckDB ORDER BY ALL', floor.milliseconds),
      row(name, 'largest memory of this process', memory, 'MiB', 'none', null),
    ]
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function withDuckDb(work) {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    return await work(connection)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function table(quasi, rows) {
  return { quasi, sensitive: [], weights: new Uint32Array(rows).fill(1), population: null }
}

function dictionary(values) {
  return { values, firstRow: () => null }
}

/** The median of several runs. */
async function timed(runs, action) {
  const times = []
  let result
  for (let run = 0; run < runs; run++) {
    const started = performance.now()
    result = await action()
    times.push(performance.now() - started)
  }
  return { milliseconds: times.sort((a, b) => a - b)[times.length >> 1], result }
}

function row(name, metric, value, unit, peer, peerValue) {
  const ratio = peerValue === null ? null : Math.round((value / peerValue) * 1000) / 1000
  return {
    bench: 'anonymize',
    case: name,
    metric,
    value: Math.round(value * 10) / 10,
    unit,
    peer,
    peerValue: peerValue === null ? null : Math.round(peerValue * 10) / 10,
    ratio,
  }
}

/** Small codes often, as people’s attributes are. */
function skewed(random, size) {
  return Math.floor(size * random() ** 2.5)
}

/** mulberry32 */
function generator(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

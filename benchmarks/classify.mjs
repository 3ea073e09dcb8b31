// Classification over whole columns of a synthetic register, beside DuckDB's regexp_full_match with one pattern for each
// entity over the same columns in a table in memory, on one thread; then precision and recall of both on columns with
// labels and decoys among them. The patterns see formats only: DuckDB computes no check character here.
import { DuckDBInstance } from '@duckdb/node-api'
import { Classifier } from '@sluice/core/classify'
import { Table } from 'apache-arrow'
import { judge, makeRegister } from './register/register.mjs'

const PEER = 'DuckDB regexp_full_match'

/** What a person would write for each entity; a column is what most of its values match, from 85 in 100 on. */
const PATTERNS = {
  'identity-number':
    '\\d{6}(19|20)\\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\\d|3[01])\\d{3}[\\dXx]|\\d{8}(0[1-9]|1[0-2])(0[1-9]|[12]\\d|3[01])\\d{3}',
  'credit-code': '[1-9ANY][1-9]\\d{6}[0-9A-HJ-NP-RT-UW-Y]{10}',
  mobile: '(\\+?86[- ]?)?1[3-9]\\d[- ]?\\d{4}[- ]?\\d{4}',
  landline: '\\(?0(10|2\\d|[3-9]\\d{2})\\)?[- ]?[2-9]\\d{6,7}(-\\d{1,6})?',
  'bank-card': '(62|60|4\\d|5[1-5]|9\\d)\\d{2}( ?\\d{4}){3}( ?\\d{1,3})?',
  passport: '[EGDSPKH]\\d{8}|E[A-HJ-NP-Z]\\d{7}|[DSP]E\\d{7}|MA\\d{7}',
  'hong-kong-macau-permit': '[HM]\\d{8}(\\d{2})?|[CW]\\d{8}',
  plate:
    '[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9学警港澳挂]',
  vin: '[A-HJ-NPR-Z0-9]{13}\\d{4}',
  email: '[^@\\s]+@[^@\\s]+\\.[A-Za-z]{2,}',
  'ip-address':
    '((25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1?\\d?\\d)|[0-9a-fA-F:]*::[0-9a-fA-F:]*',
  'mac-address': '([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}',
  'postal-code': '\\d{6}',
  'person-name': '[\\p{Han}]{2,4}(·[\\p{Han}]{2,8})?',
  'organization-name': '.+(公司|集团|医院|学校|大学|银行)',
  address: '.*(省|市|区|县).*(镇|乡|街道|路|村).*',
  date: '(\\d{4})[-/.年]?\\d{1,2}[-/.月]?\\d{1,2}日?([ T].*)?',
  coordinate: '\\d{1,3}\\.\\d{3,}(, ?\\d{1,3}\\.\\d{3,})?',
  amount: '[¥￥]?-?[\\d,]+(\\.\\d{1,2})?元?',
  'free-text': '.*[，。；].*',
}

const SPEED = [
  ['identity numbers', '身份证号'],
  ['mobile numbers', '手机号'],
  ['bank cards', '银行卡号'],
  ['names (Chinese)', '姓名'],
  ['addresses (Chinese)', '家庭住址'],
  ['free text (Chinese)', '备注'],
  ['random 18 digits', 'order_no'],
]

/** @param {{ rows?: number, runs?: number, labelledRows?: number }} [options] */
export async function bench({ rows = 200_000, runs = 5, labelledRows = 2_000 } = {}) {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  try {
    return [...(await speed(connection, rows, runs)), ...(await accuracy(connection, labelledRows))]
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

async function speed(connection, rows, runs) {
  const { table } = makeRegister({ rows, seed: 20_260_101, only: SPEED.map(([, column]) => column) })
  await load(connection, 'speed', table)
  const cases = []
  for (const [name, column] of [...SPEED, [`all ${SPEED.length} columns`, null]]) {
    const columns = column === null ? SPEED.map(([, each]) => each) : [column]
    const chosen = new Table(Object.fromEntries(columns.map(each => [each, table.getChild(each)])))
    const ours = () => {
      const classifier = new Classifier(chosen.schema)
      for (const batch of chosen.batches) classifier.add(batch)
      return classifier.finish()
    }
    const theirs = () => connection.runAndReadAll(matches('speed', columns))
    let [best, peer] = [Infinity, Infinity]
    for (let run = 0; run < runs; run++) {
      best = Math.min(best, await seconds(ours))
      peer = Math.min(peer, await seconds(theirs))
    }
    const values = rows * columns.length
    cases.push({
      bench: 'classify',
      case: name,
      metric: 'values',
      value: round(values / best / 1e6),
      unit: 'M values/s',
      peer: PEER,
      peerValue: round(values / peer / 1e6),
      ratio: round(peer / best),
    })
  }
  return cases
}

async function accuracy(connection, rows) {
  const { table, labels } = makeRegister({ rows, seed: 1 })
  const classifier = new Classifier(table.schema)
  for (const batch of table.batches) classifier.add(batch)
  const ours = judge(classifier.finish(), labels)
  await load(connection, 'labelled', table)
  const theirs = judge(await byPatterns(connection, labels), labels)
  const pairs = [
    ['all columns', 'all'],
    ['columns named after their content', 'named'],
    ['columns whose name says nothing', 'unnamed'],
  ]
  const shares = pairs.flatMap(([name, key]) =>
    ['precision', 'recall'].map(metric => ({
      bench: 'classify',
      case: `${name} (${ours[key].columns})`,
      metric,
      value: round(ours[key][metric]),
      unit: 'share',
      peer: PEER,
      peerValue: round(theirs[key][metric]),
      ratio: '',
    })),
  )
  const decoys = {
    bench: 'classify',
    case: `decoys (${ours.decoys})`,
    metric: 'taken for something',
    value: ours.decoysTaken,
    unit: 'columns',
    peer: PEER,
    peerValue: theirs.decoysTaken,
    ratio: '',
  }
  return [...shares, decoys]
}

/** A classification by patterns alone, in the form that `judge` reads. */
async function byPatterns(connection, labels) {
  const columns = []
  for (const { name } of labels) {
    const reader = await connection.runAndReadAll(matches('labelled', [name]))
    const [present, ...counts] = reader.getRows()[0].map(Number)
    const best = Math.max(...counts)
    const entity = best >= 0.85 * present && present > 0 ? Object.keys(PATTERNS)[counts.indexOf(best)] : null
    columns.push({ name, entity: entity === null ? null : { entity } })
  }
  return { columns }
}

function matches(table, columns) {
  const counts = columns.flatMap(column => {
    const name = `"${column.replaceAll('"', '""')}"`
    return [
      `count(nullif(trim(${name}), ''))`,
      ...Object.values(PATTERNS).map(
        pattern => `count(*) FILTER (WHERE regexp_full_match(trim(${name}), '${pattern}'))`,
      ),
    ]
  })
  return `SELECT ${counts.join(', ')} FROM ${table}`
}

async function load(connection, name, table) {
  const columns = table.schema.fields.map(field => `"${field.name.replaceAll('"', '""')}" VARCHAR`)
  await connection.run(`CREATE TEMP TABLE ${name} (${columns.join(', ')})`)
  const appender = await connection.createAppender(name)
  const vectors = table.schema.fields.map((_, index) => table.getChildAt(index))
  for (let row = 0; row < table.numRows; row++) {
    for (const vector of vectors) {
      const value = vector.get(row)
      if (value === null) appender.appendNull()
      else appender.appendVarchar(value)
    }
    appender.endRow()
  }
  appender.closeSync()
}

async function seconds(task) {
  const start = performance.now()
  await task()
  return (performance.now() - start) / 1000
}

function round(value) {
  return Math.round(value * 1000) / 1000
}

import { Int32, makeData, Table, Utf8, Vector } from 'apache-arrow'

const BATCH = 100_000
const ENTITY = 8
const NAMES = ['采矿', '制造', '农业', '运输', '金融']
const WORDS = NAMES.map(name => Buffer.from(name))

/** Two owners' tables of the same companies, and what is asked of them. */
export const FORMS = {
  industries: {
    name: 'industries',
    owner: 'bureau',
    entity: 'company',
    columns: [{ name: 'industry', nullable: false, type: { kind: 'category', categories: NAMES } }],
  },
  debts: {
    name: 'debts',
    owner: 'bank',
    entity: 'company',
    columns: [{ name: 'debt', nullable: false, type: { kind: 'number', scale: 0, bound: '1000000' } }],
  },
  plan: plan(),
}

/** Made-up rows, the same each time, in the order of their companies. */
export function* rowsOf(name, rows) {
  for (let start = 0; start < rows; start += BATCH) {
    const length = Math.min(BATCH, rows - start)
    yield new Table({
      company: companies(start, length),
      ...(name === 'debts' ? { debt: debts(start, length) } : { industry: industries(start, length) }),
    })
  }
}

function companies(start, length) {
  const data = new Uint8Array(length * ENTITY)
  for (let row = 0; row < length; row++)
    for (let digit = 0, left = start + row; digit < ENTITY; digit++, left = Math.floor(left / 10))
      data[row * ENTITY + ENTITY - 1 - digit] = 48 + (left % 10)
  return texts(
    data,
    Int32Array.from({ length: length + 1 }, (_, row) => row * ENTITY),
  )
}

function industries(start, length) {
  const places = Array.from({ length }, (_, row) => ((start + row) * 7919) % NAMES.length)
  const data = Buffer.concat(places.map(place => WORDS[place]))
  return texts(
    data,
    Int32Array.from({ length: length + 1 }, (_, row) => row * WORDS[0].length),
  )
}

function texts(data, valueOffsets) {
  const length = valueOffsets.length - 1
  return new Vector([makeData({ type: new Utf8(), length, data: new Uint8Array(data), valueOffsets })])
}

function debts(start, length) {
  const data = Int32Array.from({ length }, (_, row) => ((start + row) * 104_729) % 1_000_000)
  return new Vector([makeData({ type: new Int32(), length, data })])
}

/** SELECT industry, count(*) AS companies, sum(debt) AS debt FROM debts JOIN industries USING (company) GROUP BY industry */
function plan() {
  const text = { kind: 'text' }
  const number = { kind: 'decimal', precision: 18, scale: 0 }
  const column = (id, type) => ({ kind: 'column', id, type })
  const scan = (dataset, columns) => ({ kind: 'scan', dataset, columns })
  return {
    kind: 'plan',
    language: 'sluice-plan/1',
    root: {
      kind: 'aggregate',
      input: {
        kind: 'join',
        type: 'inner',
        left: scan('debts', [
          { id: 0, name: 'company', type: text },
          { id: 1, name: 'debt', type: number },
        ]),
        right: scan('industries', [
          { id: 2, name: 'company', type: text },
          { id: 3, name: 'industry', type: text },
        ]),
        condition: {
          kind: 'call',
          type: { kind: 'boolean' },
          function: 'equal',
          arguments: [column(0, text), column(2, text)],
        },
      },
      keys: [{ id: 4, name: 'industry', type: text, expression: column(3, text) }],
      aggregates: [
        {
          id: 5,
          name: 'companies',
          type: { kind: 'integer', bits: 64, signed: true },
          function: 'count',
          argument: null,
          distinct: false,
          filter: null,
        },
        {
          id: 6,
          name: 'debt',
          type: { kind: 'decimal', precision: 38, scale: 0 },
          function: 'sum',
          argument: column(1, number),
          distinct: false,
          filter: null,
        },
      ],
    },
    output: [
      { name: 'industry', id: 4 },
      { name: 'companies', id: 5 },
      { name: 'debt', id: 6 },
    ],
    parameters: [],
  }
}

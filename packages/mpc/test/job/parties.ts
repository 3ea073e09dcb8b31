import {
  examine,
  fingerprintKey,
  type InputForm,
  type InputSource,
  inOrder,
  type JointInput,
  type JointJob,
  parseJob,
  reservePort,
} from '@sluice/mpc'
import { Decimal, Int32, Int64, makeData, Table, Utf8, Vector, vectorFromArray } from 'apache-arrow'
import { people, person } from '../session/parties.js'
import { columnsOf, query } from './plans.js'

export const ROWS = 400
export const INDUSTRIES = ['农业', '制造', '服务']
export const BANDS = ['low', 'high']

export interface Row {
  readonly id: string
  readonly industry: string | null
  readonly band: string
  readonly tax: bigint
  readonly debt: bigint | null
  readonly days: number
}

/** Deterministic, with nulls, negative amounts, a rare category and one that no list has. */
export const rows: Row[] = Array.from({ length: ROWS }, (_, i) => ({
  id: `E${String(i).padStart(4, '0')}`,
  industry: i % 50 === 0 ? null : i % 97 === 0 ? '采矿' : i % 131 < 4 ? '服务' : INDUSTRIES[i % 2]!,
  band: BANDS[i % 3 === 0 ? 1 : 0]!,
  tax: BigInt((i * 7919) % 100_000) - 20_000n,
  debt: i % 11 === 0 ? null : BigInt((i * 104_729) % 90_000),
  days: i % 120,
}))

const texts = (values: readonly (string | null)[]) => vectorFromArray(values, new Utf8())

export const bureau = (given: readonly Row[] = rows): Table =>
  new Table({
    id: texts(given.map(row => row.id)),
    industry: vectorFromArray(given.map(row => row.industry)),
    tax: decimals(given.map(row => row.tax)),
  })

export const bank = (given: readonly Row[] = rows): Table =>
  new Table({
    firm: texts(given.map(row => row.id)),
    band: texts(given.map(row => row.band)),
    debt: vectorFromArray(
      given.map(row => row.debt),
      new Int64(),
    ),
    days: vectorFromArray(
      given.map(row => row.days),
      new Int32(),
    ),
  })

function decimals(values: readonly bigint[]): Vector {
  const words = new Uint32Array(values.length * 4)
  values.forEach((value, row) => {
    for (let k = 0; k < 4; k++) words[row * 4 + k] = Number(BigInt.asUintN(32, value >> BigInt(32 * k)))
  })
  return new Vector([makeData({ type: new Decimal(2, 18, 128), length: values.length, data: words })])
}

export const taxpayers: InputForm = {
  name: 'taxpayers',
  owner: 'bureau',
  entity: 'id',
  columns: [
    { name: 'industry', type: { kind: 'category', categories: INDUSTRIES }, nullable: true },
    { name: 'tax', type: { kind: 'number', scale: 2, bound: '1000' }, nullable: false },
  ],
}
export const loans: InputForm = {
  name: 'loans',
  owner: 'bank',
  entity: 'firm',
  columns: [
    { name: 'band', type: { kind: 'category', categories: BANDS }, nullable: false },
    {
      name: 'debt',
      type: { kind: 'number', scale: 2, bound: '100000', orderStatistics: true },
      nullable: true,
    },
    { name: 'days', type: { kind: 'number', scale: 0, bound: '1000' }, nullable: false },
  ],
}

/** An input as its owner describes it. */
export async function described(form: InputForm, source: InputSource): Promise<JointInput> {
  const key = await fingerprintKey(person(form.owner))
  const ordered = typeof source === 'function' ? source : inOrder(source, form)
  const { rows, fingerprint } = await examine(ordered, form, key)
  return { ...form, rows, fingerprint }
}

export const forms = [taxpayers, loans]
/** Columns by their names, for plans. */
export const c = columnsOf(forms)

/** Firms by industry and band, in arrears for a month and owing more than they pay: no party could say it alone. */
export const arrears = () =>
  query({
    inputs: forms,
    where: c.and(c.greaterOrEqual('days', 30), c.less('tax', 'debt')),
    groupBy: ['industry', 'band'],
    aggregates: { firms: ['count'], debt: ['sum', 'debt'], tax: ['sum', 'tax'], mean: ['average', 'debt'] },
  })

export async function draft(change: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const free = await Promise.all(people.map(() => reservePort()))
  return {
    version: 'sluice-joint/2',
    purpose: 'loans in arrears by industry and tax band',
    nonce: '0'.repeat(32),
    parties: people.map(({ name, publicKey }, i) => ({
      name,
      role: 'computing',
      key: publicKey,
      host: '127.0.0.1',
      port: free[i],
    })),
    inputs: await Promise.all([described(taxpayers, bureau()), described(loans, bank())]),
    operations: [{ name: 'arrears', plan: arrears(), receivers: ['bureau', 'bank'] }],
    minimumEntities: 10,
    limits: { seconds: 60, bytes: 1e9, memory: 2 ** 30 },
    ...change,
  }
}

export async function makeJob(change: Record<string, unknown> = {}): Promise<JointJob> {
  return parseJob(await draft(change))
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSluiceError } from '@sluice/core'
import type { ParameterSchema } from '@sluice/core/plan'
import { type ReleasedResult, Zone } from '@sluice/sandbox'
import { afterAll, beforeAll } from 'vitest'
import { type Keys, makeKeys, signed } from '../zone/fixture.js'

/**
 * 41 people. North has 30 of ages 20 to 24, south has 11: ten of them 40 to 44 years old and one of 77, the target.
 * Who asks knows everything about them but the salaries and the illness, and that the target is the only one of 77.
 */
export interface Person {
  readonly person: string
  readonly town: 'north' | 'south'
  readonly age: number
  readonly retired: 0 | 1
  readonly salary: number
  readonly bonus: number | null
  readonly ratio: number
  readonly illness: 'none' | 'flu' | 'rare'
  readonly hired: string
}

export const PEOPLE: readonly Person[] = Array.from({ length: 41 }, (_, at) => {
  const north = at < 30
  const target = at === 40
  return {
    person: `p${at}`,
    town: north ? 'north' : 'south',
    age: target ? 77 : north ? 20 + (at % 5) : 40 + (at % 5),
    retired: target ? 1 : 0,
    salary: target ? 5_917 : 5_000 + ((at * 37) % 500),
    bonus: target ? null : 100 + at,
    ratio: target ? 2.75 : 1.25,
    illness: target ? 'rare' : at % 2 === 0 ? 'flu' : 'none',
    hired: `20${String(10 + (at % 10)).padStart(2, '0')}-03-01`,
  }
})

export const TARGET = PEOPLE[40]!

/** Everything may be used in every way that grade 2 allows, and the limits are the loosest that it allows. */
const PEOPLE_POLICY = `version: 1
owner: bureau
grade: 2
entity: { column: person }
disclosure: { minimumEntities: 5, dominance: { n: 1, percent: 90 }, pPercent: none }
purposes: [credit-risk]
consumers: [bank]
columns:
  person: { role: identifier, uses: [join] }
  town: { role: quasi, uses: [group, filter, join], values: public }
  age: { role: quasi, uses: [group, filter, aggregate, join], values: public }
  retired: { role: attribute, uses: [group, filter, aggregate] }
  salary: { role: measure, uses: [aggregate] }
  bonus: { role: measure, uses: [aggregate, filter] }
  ratio: { role: measure, uses: [aggregate] }
  illness: { role: sensitive, uses: [group, filter], values: public }
  hired: { role: attribute, uses: [group, filter] }
`

/** A table that everybody knows, with a weight for each age: one for all, and none or two for the target's. */
const AGES_POLICY = `version: 1
owner: bureau
grade: 1
entity: none
release: rows
purposes: [credit-risk]
consumers: [bank]
columns:
  years: { role: attribute, uses: [join, group, filter, aggregate, output] }
  weight: { role: attribute, uses: [join, group, filter, aggregate, output] }
  other: { role: attribute, uses: [join, group, filter, aggregate, output] }
`

const csv = (names: readonly string[], rows: readonly (readonly unknown[])[]) =>
  `${[names, ...rows].map(row => row.map(value => value ?? '').join(',')).join('\n')}\n`

const ages = [...new Set(PEOPLE.map(({ age }) => age))].sort((a, b) => a - b)

const DATASETS = {
  people: {
    policy: PEOPLE_POLICY,
    file: csv(
      Object.keys(TARGET),
      PEOPLE.map(person => Object.values(person)),
    ),
  },
  ages: {
    policy: AGES_POLICY,
    file: csv(
      ['years', 'weight', 'other'],
      ages.filter(age => age !== 77).map(age => [age, 1, age % 2]),
    ),
  },
  only_old: { policy: AGES_POLICY, file: csv(['years', 'weight', 'other'], [[77, 1, 1]]) },
} satisfies Record<string, { policy: string; file: string }>

/** What became of a query: where it was stopped and by which rule, or what was released. */
export type Outcome =
  | { readonly stopped: 'submit' | 'run'; readonly code: string; readonly rule: string | undefined }
  | { readonly stopped: null; readonly released: ReleasedResult }

export interface AttackZone {
  readonly zone: Zone
  readonly keys: Keys
  /** submits, has everybody sign what the gate and the review let through, and runs */
  ask(sql: string, parameters?: readonly ParameterSchema[], values?: Record<string, string>): Promise<Outcome>
  /** registers a CSV file */
  add(name: string, file: string, policy: string): Promise<void>
}

/** One zone for a test file. */
export function attackZone(): AttackZone {
  let zone: Zone
  let keys: Keys
  let folder: string
  beforeAll(async () => {
    keys = await makeKeys()
    folder = await mkdtemp(join(tmpdir(), 'sluice-attack-'))
    zone = await Zone.init(
      join(folder, 'zone'),
      [
        { role: 'operator', signer: keys.operator },
        { role: 'provider', signer: keys.provider },
        { role: 'auditor', signer: keys.auditor },
      ],
      { engine: { mode: 'process', warm: 2 } },
    )
    for (const [signer, role] of [
      [keys.reviewer, 'reviewer'],
      [keys.consumer, 'consumer'],
    ] as const) {
      const principal = { name: signer.name, role, key: signer.publicKey }
      await zone.principals.change({ action: 'enrol', principal }, [keys.provider, keys.auditor])
    }
    await zone.warm()
    for (const [name, { file, policy }] of Object.entries(DATASETS)) await add(name, file, policy)
  })
  afterAll(async () => {
    await zone.close()
    await rm(folder, { recursive: true, force: true })
  })
  async function add(name: string, file: string, policy: string): Promise<void> {
    const from = join(folder, `${name}.csv`)
    await writeFile(from, file)
    await zone.datasets.add({ name, from, policy }, keys.provider)
  }
  async function ask(
    sql: string,
    parameters: readonly ParameterSchema[] = [],
    values: Record<string, string> = {},
  ): Promise<Outcome> {
    let stage: 'submit' | 'run' = 'submit'
    try {
      const { id } = await zone.requests.submit({ sql, purpose: 'credit-risk', parameters }, keys.consumer)
      await zone.approvals.import(await signed(zone, id, keys.provider))
      stage = 'run'
      const released = await zone.run(id, keys.operator, { parameters: values })
      return { stopped: null, released }
    } catch (error) {
      if (!isSluiceError(error)) throw error
      return { stopped: stage, code: error.code, rule: error.rule }
    }
  }
  return {
    ask,
    add,
    get zone() {
      return zone
    },
    get keys() {
      return keys
    },
  }
}

/** Released rows as text: `·` is a null, `✗rule` a suppressed cell, and a last line for rows that were left out. */
export function shown({ table, suppressions }: ReleasedResult): string[] {
  const names = table.schema.fields.map(({ name }) => name)
  const rows = table.toArray().map((row, at) =>
    names
      .map(name => {
        const found = suppressions.find(({ row, column }) => row === at && column === name)
        return found ? `✗${found.rule}` : String(row[name] ?? '·')
      })
      .join(' '),
  )
  const leftOut = suppressions.filter(({ row }) => row === null).map(({ rule }) => `left out: ${rule}`)
  return [...rows, ...leftOut]
}

import type { Expression } from '@sluice/core/plan'
import { MAXIMUM_SORT_ROWS } from '../protocols/replicated/sort.js'
import type { Condition, Resolve } from './expression.js'
import { refused } from './invalid.js'
import type { JointInput } from './job.js'
import { columnKey, comparable, type Key, keyName, keyOf } from './key.js'

/** Rows that are brought together by secret keys, grouped by secret keys, or several to an entity. */
export interface Relation {
  /** the first, whose rows are those of the result, and the others in the order in which their rows are looked up */
  readonly tables: readonly RelationTable[]
  /** what the result is grouped by, in the plan's order */
  readonly keys: readonly Key[]
  /** keys whose different values in a group have to reach the minimum, as its rows have to */
  readonly entities: readonly (readonly Key[])[]
}

export interface RelationTable {
  /** inputs whose rows are the same entities, in their order */
  readonly inputs: readonly JointInput[]
  readonly rows: number
  /** of its own columns alone */
  readonly condition: Condition | null
  /** where its rows are looked up: what of the tables before has the value of what of this one, once at most */
  readonly on: readonly { readonly before: Key; readonly own: Key }[]
}

/** What a walk through a plan knows of the tables and of what is demanded of their rows. */
export interface Demanded {
  readonly tables: readonly (readonly JointInput[])[]
  readonly conjuncts: readonly Expression[]
  readonly resolve: Resolve
  /** the tables that an expression is about */
  readonly tablesIn: (expression: Expression) => ReadonlySet<number>
  readonly conditionOf: (conjuncts: readonly Expression[]) => Condition | null
}

/**
 * Which table is looked up from which: the first stays, and each further one is joined, in the plan's order, as soon as
 * an equality says which of its rows belongs to a row of those before.
 *
 * @returns the tables, and the conditions that are about several of them
 * @throws SluiceError SQL_REFUSED `mpc.join`, `mpc.key`, `mpc.rows`
 */
export function lookUps({ tables, conjuncts, resolve, tablesIn, conditionOf }: Demanded): {
  readonly tables: readonly RelationTable[]
  readonly condition: Condition | null
} {
  const left = new Set(conjuncts)
  const equalities = (joined: ReadonlySet<number>, table: number): RelationTable['on'] =>
    [...left].flatMap(part => {
      if (part.kind !== 'call' || part.function !== 'equal') return []
      const sides = part.arguments.map(side => ({ side, about: tablesIn(side) }))
      const own = sides.find(({ about }) => about.size === 1 && about.has(table))
      const before = sides.find(({ about }) => about.size > 0 && [...about].every(other => joined.has(other)))
      if (own === undefined || before === undefined) return []
      left.delete(part)
      const [known, wanted] = comparable(keyOf(before.side, resolve), keyOf(own.side, resolve))
      return [{ before: known, own: wanted }]
    })
  const order: { table: number; on: RelationTable['on'] }[] = [{ table: 0, on: [] }]
  while (order.length < tables.length) {
    const joined = new Set(order.map(({ table }) => table))
    let next: (typeof order)[number] | undefined
    for (const table of tables.keys()) {
      if (joined.has(table)) continue
      const on = equalities(joined, table)
      if (on.length === 0) continue
      next = { table, on }
      break
    }
    if (next === undefined) {
      const [alone] = tables[[...tables.keys()].find(table => !joined.has(table))!]!
      throw refused(
        'join',
        `"${alone!.name}" is joined neither by its entity, "${alone!.entity}", nor by a key`,
      )
    }
    order.push(next)
  }
  const own = order.map(({ table }) => {
    const parts = [...left].filter(part => {
      const about = tablesIn(part)
      return about.size === 1 && about.has(table)
    })
    for (const part of parts) left.delete(part)
    return conditionOf(parts)
  })
  return {
    tables: order.map(({ table, on }, place) => ({
      inputs: tables[table]!,
      rows: tables[table]![0]!.rows,
      condition: own[place]!,
      on,
    })),
    condition: conditionOf([...left]),
  }
}

/**
 * Who has to be counted beside rows: the entities of every table, where its rows are not those of the result, each one
 * another. Rows that are looked up and are one entity each differ as their keys do. Reference data is about nobody.
 */
export function entitiesOf(tables: readonly RelationTable[]): Key[][] {
  const found = tables.flatMap(({ inputs, on }, table): Key[][] => {
    if (inputs.every(({ reference }) => reference === true)) return []
    const [{ name, owner, entity, columns }] = inputs as [JointInput]
    const column = columns.find(candidate => candidate.name === entity)
    if (column === undefined) return table === 0 ? [] : [on.map(({ before }) => before)]
    const shared = columnKey({ input: name, owner, table, column })
    const equal = on.find(({ own }) => keyName(own) === keyName(shared))
    return [[equal?.before ?? shared]]
  })
  const names = found.map(keys => keys.map(keyName).join())
  return found.filter((_, place) => names.indexOf(names[place]!) === place)
}

/** @throws SluiceError SQL_REFUSED `mpc.rows` where rows are too many to be sorted */
export function checkRows(tables: readonly RelationTable[]): void {
  const [first, ...others] = tables.map(({ rows }) => rows)
  const rows = first! + Math.max(0, ...others)
  if (rows > MAXIMUM_SORT_ROWS)
    throw refused('rows', `${rows} rows would be sorted together, and at most ${MAXIMUM_SORT_ROWS} are`)
}

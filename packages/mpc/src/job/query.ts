import { unreachable } from '@sluice/core'
import {
  type ColumnId,
  type ColumnSchema,
  columnsIn,
  type Expression,
  type OrderBound,
  outputColumns,
  type Plan,
  type PlanNode,
  type ScalarType,
} from '@sluice/core/plan'
import type { Rank } from '../protocols/replicated/ranked.js'
import { nodesAbove } from './above/above.js'
import {
  type Condition,
  conditionOf,
  type Numeric,
  numericOf,
  type Resolve,
  type SourceColumn,
  sourcesOf,
} from './expression.js'
import { invalid, refused, tooFine } from './invalid.js'
import { type JointInput, type JointJob, type JointOperation, sharesEntity } from './job.js'
import { columnKey, type Key, keyOf } from './key.js'
import { checkRows, type Demanded, entitiesOf, lookUps, type Relation } from './relation.js'
import { sharingOf } from './roles.js'
import { type Bins, binnedQuery } from './statistics/bins.js'
import { type Derived, derivedQuery } from './statistics/cells.js'
import { totalledBy } from './statistics/schema.js'
import { isGuarding, Totalled } from './totalled.js'

/** What is totalled: rows, values, or which rows have a value; in the rows that the aggregate itself picks. */
export type Measure = { readonly where?: Condition } & (
  | { readonly kind: 'rows' }
  | { readonly kind: 'values'; readonly value: Numeric; readonly one?: OneOf }
  | { readonly kind: 'present'; readonly value: Numeric }
)

/** Which one of the values is opened, in place of their sum. */
export interface OneOf {
  readonly place: 'smallest' | 'largest' | Rank
  /** what a rank asks for beyond the minimum of entities */
  readonly order?: OrderBound
}

/** Which rows of a cell, beside those with a value, decide whether a measure is opened: entities are counted in each. */
export interface Guard {
  /** have to reach the minimum */
  readonly enough: readonly Condition[]
  /** have to be nobody's, or to reach the minimum */
  readonly noneOrEnough: readonly Condition[]
}

export function rowsOfGuard({ enough, noneOrEnough }: Guard): Condition[] {
  return [...enough, ...noneOrEnough]
}

export interface Output {
  readonly name: string
  readonly is: 'key' | 'count' | 'sum' | 'average' | 'value'
  /** place in `keys` or in `measures` */
  readonly at: number
}

/** A key or an aggregate of a plan, by its id there. */
export interface CellColumn {
  readonly id: ColumnId
  readonly type: ScalarType
  readonly is: 'key' | 'count' | 'sum' | 'average' | 'value'
  /** place in the plan's keys or in `measures` */
  readonly at: number
}

/** A plan as the protocols run it: rows that the inputs agree on, a condition, cells, and what is opened of them. */
export interface Query {
  /** all that it reads; without a relation, their rows are the same entities, in their order */
  readonly inputs: readonly JointInput[]
  readonly rows: number
  /** with a relation, what is about several of its tables */
  readonly condition: Condition | null
  /** with public lists; none where there is a relation, which has its own */
  readonly keys: readonly SourceColumn[]
  readonly measures: readonly Measure[]
  /** by measure; not given where no measure has one */
  readonly guards?: readonly Guard[]
  /** what is opened: the plan's columns, in its order, or the cells that they are computed from */
  readonly outputs: readonly Output[]
  /** of a plan with an aggregate, its keys and what is used of its aggregates */
  readonly cells?: readonly CellColumn[]
  /** the plan, where more than its cells is made of them */
  readonly computed?: Plan
  /** a further dimension after the keys; `outputs` name its edges as keys */
  readonly bins?: Bins
  /** what is opened of each cell in place of its totals */
  readonly derived?: Derived
  /** where rows are more than the same entities in one order, or keys are secret */
  readonly relation?: Relation
}

/** Name and version of what joint jobs compute, as approvals bind it. */
export const MPC_ENGINE = 'mpc/1'

const MAXIMUM_CELLS = 10_000
const MAXIMUM_TOTAL = 2n ** 63n

/**
 * Reads an operation's plan: one aggregate by keys with public lists or secret ones, over rows of inputs that are joined
 * by their entities or looked up by secret keys, and chosen by conditions.
 *
 * @throws SluiceError SQL_REFUSED `mpc.…` where the plan is one that the protocols do not run, saying which part of
 *   it; PARAMETER_INVALID `mpc.scale` where a number is finer than the plan takes it for; JOB_INVALID where inputs that it joins by entities differ in rows
 */
export function queryOf(
  job: Pick<JointJob, 'inputs' | 'sharing'>,
  { name, plan, statistic }: JointOperation,
): Query {
  if (plan.parameters.length > 0) throw refused('parameters', 'a job has no parameters: write the values')
  const reading = new Reading(job.inputs)
  const aggregate = statistic === undefined ? nodesAbove(plan.root).aggregate : undefined
  reading.relation(aggregate?.input ?? plan.root)
  const tables = reading.tables()
  for (const [first, ...others] of tables) {
    const other = others.find(input => input.rows !== first!.rows)
    if (other === undefined) continue
    throw invalid(
      `operations.${name}`,
      `the inputs "${first!.name}" and "${other.name}" differ in rows, and would have the same entities`,
    )
  }
  const inputs = tables.flat()
  const rows = inputs[0]!.rows
  const plain = tables.length === 1 && !sharesEntity(inputs[0]!)
  if (aggregate === undefined) {
    if (!plain)
      throw refused('statistic', 'a statistic is of inputs that are joined by their entities, one row each')
    const found = rowsOf(plan, reading, inputs)
    if (statistic === undefined || !totalledBy(statistic)) return found
    const at = `operations.${name}`
    const totalled =
      statistic.kind === 'histogram' || statistic.kind === 'score'
        ? binnedQuery(job, at, statistic, found)
        : derivedQuery(at, statistic, found)
    checkCells(totalled.keys.map(columnKey), totalled.bins?.labels.length)
    checkTotals(totalled.measures, rows)
    return totalled
  }
  const found = aggregate.keys.map(({ expression }) => keyOf(expression, reading.resolve))
  checkCells(found)
  const keys = listed(found)
  const totalled = new Totalled(plan, aggregate, reading.resolve, sharingOf(job).kind === 'replicated')
  const { measures, guards, outputs, cells, isComputed } = totalled
  checkTotals(measures, rows)
  if (isComputed) for (const cell of cells) checkScale(cell, found, measures)
  const guarded = {
    measures,
    ...(guards.some(isGuarding) && { guards }),
    cells,
    ...(isComputed && { computed: plan }),
  }
  if (plain && keys.length === found.length) {
    if (measures.length === 0)
      throw refused('shape', 'of public lists alone there is nothing to open: ask for an aggregate')
    return { inputs, rows, condition: reading.condition(), keys, ...guarded, outputs }
  }
  if (measures.some(measure => 'one' in measure))
    throw refused(
      'order',
      'a minimum, a maximum or a quantile of rows that secret keys group or bring together',
    )
  const { tables: joined, condition } = lookUps(reading.demanded(tables))
  checkRows(joined)
  const relation = { tables: joined, keys: found, entities: entitiesOf(joined) }
  return { inputs, rows, condition, keys: [], ...guarded, outputs, relation }
}

/** Cells of the keys that have a public list. */
export function cellsOf(keys: readonly Key[]): number {
  return keys.reduce(
    (product, key) => product * (key.kind === 'category' ? categoriesOf(key.source.column).length : 1),
    1,
  )
}

/** Whether every key has a public list, so that there are no more groups than cells. */
export function isListed(keys: readonly Key[]): boolean {
  return keys.every(({ kind }) => kind === 'category')
}

/** Rows of numbers, for a statistic of them; categories are its groups. */
function rowsOf(plan: Plan, reading: Reading, inputs: readonly JointInput[]): Query {
  const keys: Key[] = []
  const measures: Measure[] = []
  const outputs = plan.output.map(({ name, id }): Output => {
    const { type } = outputColumns(plan.root).find(column => column.id === id)!
    if (type.kind === 'text')
      return { name, is: 'key', at: keys.push(keyOf({ kind: 'column', id, type }, reading.resolve)) - 1 }
    const value = numericOf({ kind: 'column', id, type }, reading.resolve)
    if (sourcesOf(value).length === 0)
      throw refused('expression', 'a total of a constant is a count: count the rows')
    return { name, is: 'value', at: measures.push({ kind: 'values', value }) - 1 }
  })
  if (!isListed(keys)) throw refused('key', 'a statistic’s groups are by categories with public lists')
  checkCells(keys)
  const { rows } = inputs[0]!
  return { inputs, rows, condition: reading.condition(), keys: listed(keys), measures, outputs }
}

/** @throws SluiceError PARAMETER_INVALID `mpc.scale` where the plan's type of a key or a sum has fewer digits than it */
function checkScale({ is, at, type }: CellColumn, keys: readonly Key[], measures: readonly Measure[]): void {
  if (type.kind !== 'integer' && type.kind !== 'decimal') return
  const of = is === 'key' ? keys[at] : is === 'sum' || is === 'value' ? measures[at] : undefined
  const scale = of !== undefined && 'value' in of ? of.value.scale : 0
  if (scale > (type.kind === 'decimal' ? type.scale : 0)) throw tooFine()
}

function checkTotals(measures: readonly Measure[], rows: number): void {
  for (const measure of measures) {
    if (
      measure.kind === 'values' &&
      measure.one === undefined &&
      measure.value.bound * BigInt(rows) >= MAXIMUM_TOTAL
    )
      throw refused('bound', 'so many rows of this bound could wrap a total')
  }
}

/** Of the keys that have a public list, their columns. */
export function listed(keys: readonly Key[]): SourceColumn[] {
  return keys.flatMap(key => (key.kind === 'category' ? [key.source] : []))
}

function checkCells(keys: readonly Key[], bins = 1): void {
  const cells = bins * cellsOf(keys)
  if (cells > MAXIMUM_CELLS) throw refused('cells', `there are ${cells} cells, and at most ${MAXIMUM_CELLS}`)
}

/** What says which cell it is: a category of each key, and the edges of a bin; the last fastest. */
export function groupsOf({ keys, bins }: Pick<Query, 'keys' | 'bins'>): string[][] {
  const lists = keys.map(({ column }) => categoriesOf(column).map(category => [category]))
  const all: (readonly (readonly string[])[])[] = bins === undefined ? lists : [...lists, bins.labels]
  return all.reduce<string[][]>(
    (before, list) => before.flatMap(group => list.map(labels => [...group, ...labels])),
    [[]],
  )
}

export function categoriesOf({ type }: SourceColumn['column']): readonly string[] {
  return type.kind === 'category' ? type.categories : []
}

/** What a walk through a plan has gathered. */
class Reading {
  readonly #inputs: ReadonlyMap<string, JointInput>
  readonly #defined = new Map<number, ReturnType<Resolve>>()
  readonly #scanned: JointInput[] = []
  readonly #conditions: Expression[] = []
  /** pairs of inputs that are joined by their entities */
  readonly #pairs: [string, string][] = []
  readonly resolve: Resolve = id => this.#defined.get(id)!

  constructor(inputs: readonly JointInput[]) {
    this.#inputs = new Map(inputs.map(input => [input.name, input]))
  }

  relation(node: PlanNode): void {
    switch (node.kind) {
      case 'scan':
        this.#scan(node)
        return
      case 'filter':
        this.relation(node.input)
        this.#conditions.push(node.predicate)
        return
      case 'project':
        this.relation(node.input)
        for (const { id, expression } of node.columns) this.#defined.set(id, expression)
        return
      case 'join':
        if (node.type !== 'inner') throw refused('join', 'only inner joins run on shares')
        this.relation(node.left)
        this.relation(node.right)
        this.#conditions.push(node.condition)
        return
      case 'aggregate':
      case 'distinct':
      case 'union':
      case 'sort':
      case 'limit':
        throw refused('shape', `a ${node.kind} below the aggregate does not run on shares`)
      default:
        unreachable(node)
    }
  }

  /** The inputs, those together that are joined by their entities, once every condition was looked at for it. */
  tables(): readonly (readonly JointInput[])[] {
    const kept = this.#conditions.flatMap(conjuncts).filter(part => !this.#joins(part))
    this.#conditions.splice(0, Number.POSITIVE_INFINITY, ...kept)
    const tables: JointInput[][] = []
    for (const input of this.#scanned) {
      if (tables.flat().includes(input)) continue
      const together = new Set([input.name])
      for (let before = 0; before < together.size; ) {
        before = together.size
        for (const [a, b] of this.#pairs) if (together.has(a) || together.has(b)) together.add(a).add(b)
      }
      tables.push(this.#scanned.filter(({ name }) => together.has(name)))
    }
    for (const [id, found] of this.#defined) {
      if (!('input' in found)) continue
      const table = tables.findIndex(inputs => inputs.some(({ name }) => name === found.input))
      this.#defined.set(id, { ...found, table })
    }
    return tables
  }

  condition(expressions: readonly Expression[] = this.#conditions): Condition | null {
    const parts = expressions.map(expression => conditionOf(expression, this.resolve))
    return parts.length <= 1 ? (parts[0] ?? null) : { kind: 'and', parts }
  }

  demanded(tables: readonly (readonly JointInput[])[]): Demanded {
    return {
      tables,
      conjuncts: this.#conditions,
      resolve: this.resolve,
      tablesIn: expression => new Set(this.#tablesIn(expression)),
      conditionOf: expressions => this.condition(expressions),
    }
  }

  *#tablesIn(expression: Expression): Generator<number> {
    for (const id of columnsIn(expression)) {
      const found = this.resolve(id)
      if ('kind' in found) yield* this.#tablesIn(found)
      else if ('input' in found) yield found.table
    }
  }

  #scan({ dataset, columns }: Extract<PlanNode, { kind: 'scan' }>): void {
    const input = this.#inputs.get(dataset)
    if (input === undefined) throw invalid('inputs', `there is no input "${dataset}"`)
    if (this.#scanned.includes(input)) throw refused('join', `"${dataset}" is joined with itself`)
    this.#scanned.push(input)
    for (const { id, name, mask } of columns) {
      if (mask !== undefined) throw refused('mask', 'masks belong to the owner’s zone, before the input')
      const column = input.columns.find(candidate => candidate.name === name)
      if (column !== undefined)
        this.#defined.set(id, { input: dataset, owner: input.owner, table: 0, column })
      else if (name === input.entity) this.#defined.set(id, { entityOf: dataset })
      else throw invalid(`inputs.${dataset}`, `there is no column "${name}"`)
    }
  }

  /** An equality of two inputs' entities joins them and chooses no row: their rows are the same. */
  #joins(part: Expression): boolean {
    if (part.kind !== 'call' || part.function !== 'equal') return false
    const sides = part.arguments.map(side => this.#entityIn(side))
    if (sides.some(side => side === undefined) || sides[0] === sides[1]) return false
    this.#pairs.push(sides as [string, string])
    return true
  }

  #entityIn(expression: Expression): string | undefined {
    const found = expression.kind === 'column' ? this.resolve(expression.id) : expression
    if ('entityOf' in found) return found.entityOf
    return 'kind' in found && found.kind === 'column' ? this.#entityIn(found) : undefined
  }
}

function conjuncts(expression: Expression): Expression[] {
  return expression.kind === 'call' && expression.function === 'and'
    ? expression.arguments.flatMap(conjuncts)
    : [expression]
}

/** Does it count every row of the cell, and nothing else decide: the cell's own count is its. */
export function countsAll(query: Pick<Query, 'measures' | 'guards'>, place: number): boolean {
  const { kind, where } = query.measures[place]!
  const guard = query.guards?.[place]
  return kind === 'rows' && where === undefined && (guard === undefined || !isGuarding(guard))
}

/** An input as a SQL front end sees it: an entity that is not shared, categories and codes are text, numbers exact. */
export function schemaOf(form: Pick<JointInput, 'entity' | 'columns'>): ColumnSchema[] {
  return [
    ...(sharesEntity(form) ? [] : [{ name: form.entity, type: { kind: 'text' } as const }]),
    ...form.columns.map(({ name, type }): ColumnSchema => {
      if (type.kind !== 'number') return { name, type: { kind: 'text' } }
      return { name, type: { kind: 'decimal', precision: 18 + type.scale, scale: type.scale } }
    }),
  ]
}

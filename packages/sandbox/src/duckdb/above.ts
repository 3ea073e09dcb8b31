import { SluiceError } from '@sluice/core'
import {
  aggregatesBehind,
  type ColumnId,
  type Definitions,
  definitionsOf,
  type Plan,
  type SortKey,
  splitAtAggregate,
} from '@sluice/core/plan'
import { emitExpression } from '../sql/emit/expression.js'
import { columnName, quoteIdentifier } from '../sql/emit/names.js'
import { sqlType } from '../sql/emit/types.js'
import { CELLS } from './evidence/cells.js'

/** What stands above the aggregate, computed over all cells: nothing is dropped before the disclosure check. */
export interface Above {
  /**
   * the released columns, then `keep` (BOOLEAN) and `rank` (UINTEGER) where they are wanted, evidence, and last the
   * number of the cell (UINTEGER); in the cells' order
   */
  readonly sql: string
  /** columns before the evidence */
  readonly width: number
  readonly keeps: boolean
  readonly ranks: boolean
  readonly keepDependsOn: readonly ColumnId[]
  readonly rankDependsOn: readonly ColumnId[]
  readonly limit: { readonly count: number | null; readonly offset: number } | null
}

/**
 * Rows are ranked by the plan's sort keys, ties by the group keys ascending with nulls last: the order of the cells.
 *
 * @param evidence columns of the table of cells that are handed on
 */
export function aboveAggregate(plan: Plan, evidence: readonly string[] = []): Above {
  const definitions = definitionsOf(plan.root)
  const { above } = splitAtAggregate(plan.root, undefinedAbove)
  let sql = `SELECT * FROM ${CELLS}`
  let keeps: string[] = []
  let order: string[] | null = null
  const keepDependsOn = new Set<ColumnId>()
  let rankDependsOn = new Set<ColumnId>()
  let limit: Above['limit'] = null
  above.forEach((node, index) => {
    switch (node.kind) {
      case 'filter': {
        const name = `keep${index}`
        keeps = [...keeps, name]
        for (const id of aggregatesBehind(node.predicate, definitions)) keepDependsOn.add(id)
        sql = `SELECT *, coalesce(${emitExpression(node.predicate, columnName)}, FALSE) AS ${name} FROM (${sql})`
        return
      }
      case 'sort': {
        const names = node.keys.map((_, key) => `sort${index}_${key}`)
        order = node.keys.map((key, at) => `${names[at]} ${direction(key)}`)
        rankDependsOn = dependencies(node.keys, definitions)
        const keys = node.keys.map(
          ({ expression }, at) => `${emitExpression(expression, columnName)} AS ${names[at]}`,
        )
        sql = `SELECT ${['*', ...keys].join(', ')} FROM (${sql})`
        return
      }
      case 'project': {
        const columns = node.columns.map(
          ({ id, expression }) => `${emitExpression(expression, columnName)} AS ${columnName(id)}`,
        )
        sql = `SELECT ${['*', ...columns].join(', ')} FROM (${sql})`
        return
      }
      case 'limit':
        limit = { count: node.count, offset: node.offset }
    }
  })
  const released = plan.output.map(({ id, name }) => {
    const type = outputType(plan, id)
    return `CAST(${columnName(id)} AS ${type}) AS ${quoteIdentifier(name)}`
  })
  const keep = keeps.length === 0 ? [] : [`${keeps.join(' AND ')} AS keep`]
  const sorted = order as string[] | null
  const rank =
    sorted === null
      ? []
      : [`CAST(row_number() OVER (ORDER BY ${[...sorted, 'cell'].join(', ')}) - 1 AS UINTEGER) AS rank`]
  return {
    // the table lies in the cells' order, and a scan keeps it (DuckDB, preserve_insertion_order); a window does not
    sql: `SELECT ${[...released, ...keep, ...rank, ...evidence, 'cell'].join(', ')} FROM (${sql})${sorted === null ? '' : ' ORDER BY cell'}`,
    width: released.length + keep.length + rank.length,
    keeps: keeps.length > 0,
    ranks: sorted !== null,
    keepDependsOn: [...keepDependsOn],
    rankDependsOn: [...rankDependsOn],
    limit,
  }

  function outputType(of: Plan, id: ColumnId): string {
    const definition = definitions.get(id)
    if (definition === undefined || of !== plan) throw undefinedAbove()
    return sqlType(definition.type)
  }
}

function dependencies(keys: readonly SortKey[], definitions: Definitions): Set<ColumnId> {
  return new Set(keys.flatMap(({ expression }) => aggregatesBehind(expression, definitions)))
}

function direction({ descending, nullsFirst }: SortKey): string {
  return `${descending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`
}

function undefinedAbove(): SluiceError {
  return new SluiceError(
    'EVIDENCE_UNDEFINED',
    'what stands above the aggregate cannot be put off until the check',
    {
      rule: 'evidence.above-aggregate',
      remedy: 'Write one LIMIT, after every condition and ORDER BY, over a single aggregate.',
    },
  )
}

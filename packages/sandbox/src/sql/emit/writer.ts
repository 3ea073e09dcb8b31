import { SluiceError, unreachable } from '@sluice/core'
import type {
  Aggregate,
  AggregateColumn,
  ColumnId,
  Expression,
  Filter,
  Join,
  Limit,
  PlanNode,
  Project,
  Scan,
  Sort,
  Union,
} from '@sluice/core/plan'
import { columnsIn, expressionsIn, outputColumns } from '@sluice/core/plan'
import { HIDDEN_PREFIX } from '../../io/hidden.js'
import { aggregateCall } from './aggregate.js'
import { type Block, type BlockColumn, EMPTY, indent, render, type SelectItem } from './block.js'
import { type ColumnText, emitConjunct, emitExpression, emitOperand } from './expression.js'
import { lookupJoin, maskText } from './mask/mask.js'
import { columnName, quoteIdentifier, tableName } from './names.js'
import type { CarriedColumn, EmitNodeOptions } from './plan.js'

/** Builds blocks bottom-up; holds what is unique in one text: aliases, scan ordinals, the columns' names. */
export class Writer {
  readonly #options: EmitNodeOptions
  readonly #aliases = new Set<string>()
  readonly #names = new Map<ColumnId, string>()
  #source: number

  constructor(options: EmitNodeOptions) {
    this.#options = options
    this.#source = options.firstSource ?? 0
  }

  build(node: PlanNode): Block {
    const block = this.#build(node)
    for (const { id, name } of outputColumns(node)) this.#names.set(id, name)
    return block
  }

  /** The text, with exactly these columns. */
  finish(block: Block, items: readonly SelectItem[]): string {
    const shown = new Set(items.map(({ id }) => id))
    const hides = [...block.columns.keys()].some(id => !shown.has(id))
    return block.distinct && hides ? render(this.#wrap(block), items) : render(block, items)
  }

  #build(node: PlanNode): Block {
    switch (node.kind) {
      case 'scan':
        return this.#scan(node)
      case 'filter':
        return this.#filter(node)
      case 'project':
        return this.#project(node)
      case 'join':
        return this.#join(node)
      case 'aggregate':
        return this.#aggregate(node)
      case 'distinct': {
        const input = this.#withoutCarried(this.build(node.input))
        const block = input.distinct || isOrdered(input) ? this.#wrap(input) : input
        return { ...block, distinct: true }
      }
      case 'union':
        return this.#union(node)
      case 'sort':
        return this.#sort(node)
      case 'limit':
        return this.#limit(node)
      default:
        return unreachable(node)
    }
  }

  #scan(scan: Scan): Block {
    const source = this.#source++
    const alias = this.#alias(scan.dataset)
    const reference = (name: string) => `${quoteIdentifier(alias)}.${quoteIdentifier(name)}`
    const table = this.#options.table?.(source, scan) ?? tableName(scan.dataset)
    const carried = this.#options.carry?.(source, scan) ?? []
    if (scan.columns.some(({ mask }) => mask !== undefined)) return masked(scan, table, alias, carried)
    return {
      ...EMPTY,
      from: `${table} AS ${quoteIdentifier(alias)}`,
      columns: new Map(scan.columns.map(({ id, name }) => [id, plain(reference(name))])),
      carried: new Map(carried.map(({ column, as }) => [as, reference(column)])),
    }
  }

  #filter({ input, predicate }: Filter): Block {
    const built = this.build(input)
    const block = isOrdered(built) || built.distinct || !isPlain(built, predicate) ? this.#wrap(built) : built
    const text = emitConjunct(predicate, id => textOf(block, id))
    return block.group === null
      ? { ...block, where: [...block.where, text] }
      : { ...block, having: [...block.having, text] }
  }

  #project({ input, columns }: Project): Block {
    const built = this.build(input)
    const keep = !built.distinct && columns.every(({ expression }) => isPlain(built, expression))
    const block = keep ? built : this.#wrap(built)
    return {
      ...block,
      columns: new Map(columns.map(({ id, expression }) => [id, this.#computed(expression, block)])),
    }
  }

  #join({ type, left, right, condition }: Join): Block {
    const leftBuilt = this.build(left)
    const leftBlock = isRows(leftBuilt) ? leftBuilt : this.#wrap(leftBuilt)
    const rightBuilt = this.build(right)
    const alone = isRows(rightBuilt) && right.kind === 'scan'
    const rightBlock = alone ? rightBuilt : this.#wrap(rightBuilt)
    const joined: Block = {
      ...EMPTY,
      columns: new Map([...leftBlock.columns, ...rightBlock.columns]),
      carried: new Map([...leftBlock.carried, ...rightBlock.carried]),
      // A condition on the left side alone may stand after a left join as well as before it.
      where: [...leftBlock.where, ...rightBlock.where],
    }
    const on = emitExpression(condition, id => textOf(joined, id))
    const verb = type === 'inner' ? 'JOIN' : 'LEFT JOIN'
    return { ...joined, from: `${leftBlock.from}\n${verb} ${rightBlock.from} ON ${on}` }
  }

  #aggregate({ input, keys, aggregates }: Aggregate): Block {
    const built = this.#withoutCarried(this.build(input))
    let block = isRows(built) ? built : this.#wrap(built)
    let groups = keys.map(({ id, expression }) => ({
      id,
      text: emitOperand(expression, c => textOf(block, c)),
    }))
    if (keys.some(({ expression }) => !isGroupable(expression))) {
      // The engine reads a bare number as an ordinal and may not recognise a parameter: compute the keys below.
      const below = new Map(block.columns)
      for (const key of keys) below.set(key.id, this.#computed(key.expression, block))
      for (const { id, name } of keys) this.#names.set(id, name)
      block = this.#wrap({ ...block, columns: below })
      groups = keys.map(({ id }) => ({ id, text: textOf(block, id) }))
    }
    const rows = block
    return {
      ...rows,
      group: groups.map(({ text }) => text),
      columns: new Map<ColumnId, BlockColumn>([
        ...groups.map(({ id, text }) => [id, plain(text)] as const),
        ...aggregates.map(aggregate => {
          const text = aggregateText(aggregate, id => textOf(rows, id))
          return [aggregate.id, { text, plain: true, aggregated: true }] as const
        }),
      ]),
    }
  }

  #union({ inputs, columns }: Union): Block {
    const texts = inputs.map(input => {
      const block = this.#withoutCarried(this.build(input))
      const items = outputColumns(input).map(({ id }, index) => ({
        id,
        name: columnName(columns[index]!.id),
      }))
      const text = this.finish(block, items)
      return isOrdered(block) ? `(\n${indent(text)}\n)` : text
    })
    const alias = this.#alias('union')
    return {
      ...EMPTY,
      from: `(\n${indent(texts.join('\nUNION ALL\n'))}\n) AS ${quoteIdentifier(alias)}`,
      columns: new Map(
        columns.map(({ id }) => [id, plain(`${quoteIdentifier(alias)}.${quoteIdentifier(columnName(id))}`)]),
      ),
    }
  }

  #sort(sort: Sort): Block {
    const built = this.build(sort.input)
    const simple = sort.keys.every(({ expression }) => expression.kind === 'column')
    const block = isOrdered(built) || (built.distinct && !simple) ? this.#wrap(built) : built
    return {
      ...block,
      order: sort.keys.map(({ expression, descending, nullsFirst }) => ({
        text: emitExpression(expression, id => textOf(block, id)),
        id: expression.kind === 'column' ? expression.id : null,
        descending,
        nullsFirst,
      })),
    }
  }

  #limit({ input, count, offset }: Limit): Block {
    const built = this.#withoutCarried(this.build(input))
    const block = built.limit === null ? built : this.#wrap(built)
    return { ...block, limit: { count, offset } }
  }

  /** The block as a subquery, so that anything can be added. */
  #wrap(block: Block): Block {
    const alias = quoteIdentifier(this.#alias('q'))
    const items = this.#itemsOf(block)
    return {
      ...EMPTY,
      from: `(\n${indent(render(block, items))}\n) AS ${alias}`,
      columns: new Map(items.map(({ id, name }) => [id, plain(`${alias}.${quoteIdentifier(name)}`)])),
      carried: new Map([...block.carried.keys()].map(name => [name, `${alias}.${quoteIdentifier(name)}`])),
    }
  }

  #itemsOf(block: Block): SelectItem[] {
    const taken = new Set<string>([...block.carried.keys()].map(name => name.toLowerCase()))
    return [...block.columns.keys()].map(id => {
      let name = this.#names.get(id) ?? columnName(id)
      if (taken.has(name.toLowerCase())) name = `${name}_${id}`
      while (taken.has(name.toLowerCase())) name = `${name}_`
      taken.add(name.toLowerCase())
      return { id, name }
    })
  }

  #computed(expression: Expression, block: Block): BlockColumn {
    if (expression.kind === 'column') return block.columns.get(expression.id)!
    return {
      text: emitExpression(expression, id => textOf(block, id)),
      plain: false,
      aggregated: [...columnsIn(expression)].some(id => block.columns.get(id)!.aggregated),
    }
  }

  #withoutCarried(block: Block): Block {
    if (block.carried.size > 0) {
      throw new SluiceError('INTERNAL', 'columns can be carried through filters, projections and joins only')
    }
    return block
  }

  #alias(wanted: string): string {
    let alias = wanted
    for (let count = 2; this.#aliases.has(alias.toLowerCase()); count++) alias = `${wanted}_${count}`
    this.#aliases.add(alias.toLowerCase())
    return alias
  }
}

/** What is above the masks cannot name the columns below them. */
function masked(scan: Scan, table: string, alias: string, carried: readonly CarriedColumn[]): Block {
  const reference = (name: string) => `${quoteIdentifier(alias)}.${quoteIdentifier(name)}`
  const hidden = (as: string) => `${HIDDEN_PREFIX}${as}`
  const items = [
    ...scan.columns.map(({ id, name, mask }) => {
      const column = quoteIdentifier(name)
      return mask === undefined ? column : `${maskText(mask, `raw.${column}`, `looked_${id}`)} AS ${column}`
    }),
    ...carried.map(({ column, as }) => `raw.${quoteIdentifier(column)} AS ${quoteIdentifier(hidden(as))}`),
  ]
  const joins = scan.columns.map(({ id, name, mask }) =>
    mask === undefined ? '' : lookupJoin(mask, `raw.${quoteIdentifier(name)}`, `looked_${id}`),
  )
  const text = `SELECT ${items.join(',\n  ')}\nFROM ${table} AS raw${joins.join('')}`
  return {
    ...EMPTY,
    from: `(\n${indent(text)}\n) AS ${quoteIdentifier(alias)}`,
    columns: new Map(scan.columns.map(({ id, name }) => [id, plain(reference(name))])),
    carried: new Map(carried.map(({ as }) => [as, reference(hidden(as))])),
  }
}

function aggregateText(aggregate: AggregateColumn, column: ColumnText): string {
  const argument = aggregate.argument === null ? '*' : emitExpression(aggregate.argument, column)
  const { filter } = aggregate
  return aggregateCall(
    aggregate,
    argument,
    filter === null ? '' : ` FILTER (WHERE ${emitExpression(filter, column)})`,
  )
}

function plain(text: string): BlockColumn {
  return { text, plain: true, aggregated: false }
}

function textOf(block: Block, id: ColumnId): string {
  const column = block.columns.get(id)
  if (column === undefined)
    throw new SluiceError('INTERNAL', `the plan names a column that is not there (${id})`)
  return column.text
}

function isOrdered(block: Block): boolean {
  return block.order !== null || block.limit !== null
}

/** Nothing but rows of FROM and WHERE: a join or an aggregate can stand on it. */
function isRows(block: Block): boolean {
  return (
    block.group === null &&
    !block.distinct &&
    !isOrdered(block) &&
    [...block.columns.values()].every(c => c.plain)
  )
}

function isPlain(block: Block, expression: Expression): boolean {
  return [...columnsIn(expression)].every(id => block.columns.get(id)?.plain === true)
}

function isGroupable(expression: Expression): boolean {
  return (
    expression.kind !== 'literal' && [...expressionsIn(expression)].every(({ kind }) => kind !== 'parameter')
  )
}

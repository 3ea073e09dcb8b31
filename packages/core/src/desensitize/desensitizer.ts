import { SluiceError } from '../errors.js'
import type { ColumnSchema, ScalarType } from '../plan/types.js'
import { visibleText } from '../text.js'
import { type Column, nullsIn, sliceColumn } from './column.js'
import type { Applied, Applier, Binding, RuleCounts } from './rule.js'
import { definitionOf, type Rule } from './rules/registry.js'

/** What happens to a column: a rule, or `keep`, which has to be said. A column of which nothing is said is dropped. */
export type Treatment = Rule | 'keep'

export interface DesensitizeContext extends Pick<Binding, 'dataset' | 'key' | 'table' | 'random'> {
  /**
   * All values of a column, for rules of scope `column` (shuffle). Asked before the first chunk.
   */
  whole(column: string): Promise<Column>
}

/** What a column's rule did; `kind` is `keep` where it was kept as it is. */
export interface ColumnReport {
  readonly column: string
  readonly kind: Rule['kind'] | 'keep'
  /** false: the column was dropped because nothing was said of it */
  readonly said: boolean
  readonly counts: RuleCounts
}

interface Work {
  readonly index: number
  readonly name: string
  readonly treatment: Treatment | null
  readonly type: ScalarType | null
  readonly entity: number | null
  readonly apply: Applier | null
  counts: RuleCounts
}

/**
 * Applies rules to a table, a run of rows at a time and in order. Memory is bounded by the run, but for rules of scope
 * `column`.
 */
export class Desensitizer {
  /** the columns that come out, in the order of those that go in */
  readonly columns: readonly ColumnSchema[]
  readonly #works: readonly Work[]
  #row = 0

  /**
   * @throws SluiceError NAME_UNKNOWN where a treatment or a rule's entity names a column that is not there,
   * RULE_INVALID where a rule does not go with its column's type, and what the rules' `bind` throws
   */
  static async open(
    schema: readonly ColumnSchema[],
    treatments: ReadonlyMap<string, Treatment>,
    context: DesensitizeContext,
  ): Promise<Desensitizer> {
    const indexOf = indexer(schema)
    for (const name of treatments.keys()) indexOf(name)
    const works: Work[] = []
    for (const [index, { name, type }] of schema.entries()) {
      const treatment = treatments.get(name) ?? null
      works.push({ index, name, treatment, counts: NONE, ...(await prepare(name, type, treatment)) })
    }
    return new Desensitizer(works)

    async function prepare(
      name: string,
      type: ScalarType,
      treatment: Treatment | null,
    ): Promise<Pick<Work, 'type' | 'entity' | 'apply'>> {
      if (treatment === null) return { type: null, entity: null, apply: null }
      if (treatment === 'keep') return { type, entity: null, apply: null }
      const definition = definitionOf(treatment)
      const result = at(name, () => definition.resultType(treatment, type))
      const entityName = definition.entityColumn?.(treatment)
      const entity = entityName === undefined ? null : indexOf(entityName)
      if (result === null) return { type: null, entity, apply: null }
      const { dataset, key, table, random } = context
      const bound = await definition.bind(treatment, { dataset, column: name, type, key, table, random })
      if (definition.scope === 'chunk') return { type: result, entity, apply: bound }
      if (entity !== null) throw new SluiceError('INTERNAL', 'a rule of a whole column knows no entity')
      return {
        type: result,
        entity,
        apply: sliced(bound(await context.whole(name), { row: 0, entity: null })),
      }
    }
  }

  private constructor(works: readonly Work[]) {
    this.#works = works
    this.columns = works.flatMap(({ name, type }) => (type === null ? [] : [{ name, type }]))
  }

  /** @param chunk the next rows, a column for each of the schema's; the new ones come out as `columns` says */
  apply(chunk: readonly Column[]): Column[] {
    const out: Column[] = []
    for (const work of this.#works) {
      const before = chunk[work.index]!
      const entity = work.entity === null ? null : chunk[work.entity]!
      const applied =
        work.apply === null
          ? untouched(before, work.type === null)
          : work.apply(before, { row: this.#row, entity })
      work.counts = sum(work.counts, before, applied)
      if (work.type !== null) out.push(applied.column)
    }
    this.#row += chunk[0]?.length ?? 0
    return out
  }

  /** What was done so far, in the order of the columns that went in. */
  report(): ColumnReport[] {
    return this.#works.map(({ name, treatment, counts }) => ({
      column: name,
      kind: treatment === null ? 'drop' : treatment === 'keep' ? 'keep' : treatment.kind,
      said: treatment !== null,
      counts,
    }))
  }
}

const NONE: RuleCounts = { rows: 0, nulls: 0, changed: 0, hidden: 0, fixedPoints: 0 }

function sum(counts: RuleCounts, before: Column, applied: Omit<Applied, 'column'>): RuleCounts {
  return {
    rows: counts.rows + before.length,
    nulls: counts.nulls + nullsIn(before),
    changed: counts.changed + applied.changed,
    hidden: counts.hidden + applied.hidden,
    fixedPoints: counts.fixedPoints + applied.fixedPoints,
  }
}

/** A kept column keeps every value; a dropped one changes every value. */
function untouched(column: Column, dropped: boolean): Applied {
  const values = column.length - nullsIn(column)
  return { column, hidden: 0, changed: dropped ? values : 0, fixedPoints: dropped ? 0 : values }
}

/**
 * Hands out a column that was made at once, run by run. Its counts come with the first run: they are the column's.
 */
function sliced(all: Applied): Applier {
  let counted = false
  return (chunk, { row }) => {
    const { changed, hidden, fixedPoints } = counted ? NONE : all
    counted = true
    return { column: sliceColumn(all.column, row, row + chunk.length), changed, hidden, fixedPoints }
  }
}

function indexer(schema: readonly ColumnSchema[]): (name: string) => number {
  const indices = new Map(schema.map(({ name }, index) => [name, index]))
  return name => {
    const index = indices.get(name)
    if (index !== undefined) return index
    throw new SluiceError('NAME_UNKNOWN', `a rule names a column "${visibleText(name)}" that is not there`, {
      rule: `columns.${visibleText(name)}`,
      remedy: 'Name a column of the file.',
      facts: { columns: schema.map(column => visibleText(column.name)) },
    })
  }
}

/** Adds the column's name to what a rule refuses. */
function at<T>(column: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const { message, position, rule, remedy, facts } = error
    throw new SluiceError(error.code, `the column "${visibleText(column)}": ${message}`, {
      ...(position !== undefined && { position }),
      ...(rule !== undefined && { rule }),
      ...(remedy !== undefined && { remedy }),
      facts: { ...facts, column: visibleText(column) },
    })
  }
}

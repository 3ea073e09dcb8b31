import type { RecordBatch, Schema } from 'apache-arrow'
import { scalarTypeOf } from '../columns/types.js'
import { columnOfVector } from '../desensitize/arrow.js'
import { SluiceError } from '../errors.js'
import { printType } from '../plan/print.js'
import type { ScalarType } from '../plan/types.js'
import { highestGrade } from '../policy/grades.js'
import { visibleText } from '../text.js'
import { defaultCatalogue } from './catalogue/default.js'
import type { Catalogue, CatalogueEntity } from './catalogue/types.js'
import { NameIndex } from './column-name.js'
import { candidatesOf, RECOGNIZED } from './decide.js'
import { shareOf } from './interval.js'
import { NumericIdentityWatch } from './numeric-identity.js'
import type { Recognizer } from './recognizer.js'
import { ColumnScan } from './scan.js'
import { ShapeTable } from './shape.js'
import { suggest } from './suggest.js'
import type { Classification, ColumnClassification } from './types.js'

export interface ClassifierOptions {
  /** the package's own where absent */
  readonly catalogue?: Catalogue
  /** the rows that are added were drawn at random, each at most once, out of so many; null: nobody counted these */
  readonly sampledFrom?: number | null
  /** types that a zone gives to columns whose text is in the batches (of a CSV file) */
  readonly types?: ReadonlyMap<string, ScalarType>
}

interface WatchedColumn {
  readonly name: string
  readonly type: ScalarType
  readonly scan: ColumnScan
  readonly watch: NumericIdentityWatch
}

/**
 * Classifies the columns of a table batch by batch: memory does not grow with the rows.
 *
 * @example
 * const classifier = new Classifier(table.schema)
 * for (const batch of table.batches) classifier.add(batch)
 * const { grade, columns } = classifier.finish()
 */
export class Classifier {
  readonly #catalogue: Catalogue
  readonly #recognized: readonly (CatalogueEntity & { readonly recognizer: Recognizer })[]
  readonly #columns: readonly WatchedColumn[]
  readonly #options: ClassifierOptions
  #rows = 0

  /** @throws SluiceError SCHEMA_INVALID where a column's type is none that the plan language knows */
  constructor(schema: Schema, options: ClassifierOptions = {}) {
    this.#options = options
    this.#catalogue = options.catalogue ?? defaultCatalogue()
    this.#recognized = this.#catalogue.entities.filter(
      (entity): entity is CatalogueEntity & { recognizer: Recognizer } => entity.recognizer !== null,
    )
    const recognizers = this.#recognized.map(entity => entity.recognizer)
    const shapes = new ShapeTable(recognizers)
    // a drawn row has no number that would help to find it
    const rowsKnown = options.sampledFrom === undefined
    this.#columns = schema.fields.map(field => {
      const type = scalarTypeOf(field.type)
      if (type === null) throw unknownType(field.name)
      return {
        name: field.name,
        type,
        scan: new ColumnScan(field.name, recognizers, shapes, rowsKnown),
        watch: new NumericIdentityWatch(field.name, type, rowsKnown),
      }
    })
  }

  /** Rows that were added so far. */
  get rows(): number {
    return this.#rows
  }

  /**
   * @throws SluiceError FILE_FORMAT (text that is not UTF-8), FILE_TOO_LARGE (a cell above 1 MiB), each with column and
   * row in `facts`
   */
  add(batch: RecordBatch): void {
    this.#columns.forEach(({ scan, watch }, index) => {
      const column = columnOfVector(batch.getChildAt(index)!)
      scan.add(column)
      watch.add(column, this.#rows + 1)
    })
    this.#rows += batch.numRows
  }

  /** @throws SluiceError SCHEMA_INVALID where a numeric column holds identity numbers */
  finish(): Classification {
    for (const { watch } of this.#columns) watch.check()
    const { name, edition, standard, digest } = this.#catalogue
    const { sampledFrom } = this.#options
    const sampled = sampledFrom !== undefined && sampledFrom !== this.#rows
    const names = new NameIndex(
      this.#catalogue.entities.flatMap(entity => entity.names.map(text => [entity.name, text] as const)),
    )
    const columns = this.#columns.map(column =>
      this.#conclude(column, names, sampled ? (sampledFrom ?? null) : this.#rows),
    )
    return {
      catalogue: { name, edition, standard, digest },
      rows: { read: this.#rows, total: sampled ? (sampledFrom ?? null) : this.#rows, sampled },
      grade: highestGrade(columns.map(column => column.grade)),
      columns,
    }
  }

  #conclude(
    { name, type: ownType, scan }: WatchedColumn,
    names: NameIndex,
    population: number | null,
  ): ColumnClassification {
    const type = this.#options.types?.get(name) ?? ownType
    const candidates = candidatesOf(this.#catalogue, this.#recognized, scan, names.find(name), population)
    const present = scan.rows - scan.nulls - scan.blanks
    const { value: count, relativeError } = scan.distinct.count()
    const share = present === 0 ? 0 : Math.min(1, count / present)
    const [first, ...others] = candidates
    const recognized = first !== undefined && first.confidence >= RECOGNIZED
    return {
      name,
      type: printType(type),
      entity: recognized ? first : null,
      others: recognized ? others : candidates,
      nulls: shareOf(scan.nulls, scan.rows, population),
      blanks: shareOf(scan.blanks, scan.rows, population),
      embedded: shareOf(scan.embedded, scan.rows, population),
      distinct: { count, share, relativeError },
      ...suggest(this.#catalogue, candidates, {
        type,
        readableAs: [type, ownType],
        distinctShare: share,
        present,
      }),
    }
  }
}

function unknownType(name: string): SluiceError {
  return new SluiceError(
    'SCHEMA_INVALID',
    `column "${visibleText(name)}" has a type that cannot be classified`,
    {
      rule: 'column-type',
      remedy:
        'Give columns of booleans, integers, decimals, floats, text, dates, times or timestamps; flatten lists and structs.',
      facts: { column: visibleText(name) },
    },
  )
}

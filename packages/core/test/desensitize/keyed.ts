import {
  type Column,
  columnOfVector,
  Desensitizer,
  dataOfColumn,
  Rule,
  type RuleCounts,
  type TextColumn,
} from '@sluice/core/desensitize'
import { makeVector, Utf8, vectorFromArray } from 'apache-arrow'
import { seeded } from './cipher/vectors.ts'

export const SECRET = seeded(20_250_101)(32)
export const OTHER_SECRET = seeded(20_250_102)(32)

export const texts = (values: readonly (string | null)[]): TextColumn =>
  columnOfVector(vectorFromArray(values as string[], new Utf8())) as TextColumn
export const values = (column: Column): unknown[] => [...makeVector(dataOfColumn(column))]

interface Surroundings {
  readonly secret?: Uint8Array
  readonly dataset?: string
  readonly column?: string
  readonly entity?: Column
  readonly random?: (size: number) => Uint8Array
  readonly chunk?: number
}

export interface Outcome {
  readonly columns: readonly Column[]
  readonly values: readonly unknown[]
  readonly counts: RuleCounts
}

/** A rule, as a policy would state it, on a column: in one chunk, or in chunks of that many rows. */
export async function applied(
  description: object,
  column: Column,
  around: Surroundings = {},
): Promise<Outcome> {
  const { secret = SECRET, dataset = 'register', column: name = 'c', entity, random = seeded(99) } = around
  const schema = [
    { name, type: column.type },
    ...(entity === undefined ? [] : [{ name: 'person', type: entity.type }]),
  ]
  const desensitizer = await Desensitizer.open(schema, new Map([[name, Rule.parse(description)]]), {
    dataset,
    key: () => secret,
    table: () => new Map(),
    random,
    whole: async () => column,
  })
  const size = around.chunk ?? column.length
  const columns: Column[] = []
  for (let from = 0; from < column.length; from += size) {
    const part = (of: Column) =>
      columnOfVector(makeVector(dataOfColumn(of)).slice(from, Math.min(column.length, from + size)))
    columns.push(desensitizer.apply([part(column), ...(entity === undefined ? [] : [part(entity)])])[0]!)
  }
  return { columns, values: columns.flatMap(values), counts: desensitizer.report()[0]!.counts }
}

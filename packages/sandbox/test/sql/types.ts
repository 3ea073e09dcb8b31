import { type ColumnSchema, outputColumns, type Plan, type ScalarType } from '@sluice/core/plan'

/** A column of every scalar type, and of decimals of several widths. */
export function everyType(): readonly ColumnSchema[] {
  const integers = ([8, 16, 32, 64, 128] as const).flatMap(bits =>
    [true, false].map(signed => ({
      name: `${signed ? 'i' : 'u'}${bits}`,
      type: { kind: 'integer', bits, signed },
    })),
  )
  const decimals = (
    [
      [4, 1],
      [10, 2],
      [18, 4],
      [20, 0],
      [38, 6],
    ] as const
  ).map(([precision, scale]) => ({
    name: `d${precision}_${scale}`,
    type: { kind: 'decimal', precision, scale },
  }))
  return [
    ...integers,
    ...decimals,
    { name: 'f32', type: { kind: 'float', bits: 32 } },
    { name: 'f64', type: { kind: 'float', bits: 64 } },
    { name: 'bool', type: { kind: 'boolean' } },
    { name: 'txt', type: { kind: 'text' } },
    { name: 'dat', type: { kind: 'date' } },
    { name: 'tim', type: { kind: 'time' } },
    { name: 'stamp', type: { kind: 'timestamp' } },
  ] as ColumnSchema[]
}

/** The types of a plan's released columns. */
export function outputTypes(plan: Plan): readonly ScalarType[] {
  const types = new Map(outputColumns(plan.root).map(({ id, type }) => [id, type]))
  return plan.output.map(({ id }) => types.get(id)!)
}

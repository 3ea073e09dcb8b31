import type { Expression } from '@sluice/core/plan'
import type { InputForm } from '@sluice/mpc'
import fc from 'fast-check'
import type { Row } from './locally.js'
import { columnsOf } from './plans.js'

export const CATEGORIES = ['a', 'b', 'c']
const number = (name: string, nullable: boolean) =>
  ({ name, nullable, type: { kind: 'number', scale: 2, bound: '10000' } }) as const
const category = (name: string, nullable: boolean) =>
  ({ name, nullable, type: { kind: 'category', categories: CATEGORIES } }) as const

/** Every party owns a table; one of each has nulls. */
export const forms: InputForm[] = ['bureau', 'bank', 'operator'].map((owner, i) => ({
  name: `t${i}`,
  owner,
  entity: `e${i}`,
  columns: [number(`x${i}`, i !== 0), number(`y${i}`, i === 0), category(`k${i}`, i !== 1)],
}))
export const c = columnsOf(forms)

/** An expression over the tables, and what an ordinary evaluation makes of a row: three-valued, scaled by 100. */
export interface Meant<T> {
  readonly expression: Expression
  of(row: Row): T | null
}

const VALUES = ['x0', 'y0', 'x1', 'y1', 'x2', 'y2']
const valueColumn = fc.constantFrom(...VALUES)
const keyColumn = fc.constantFrom('k0', 'k1', 'k2')
const cents = fc.bigInt({ min: -300n, max: 300n })
const money = (value: bigint) =>
  `${value < 0n ? '-' : ''}${(value < 0n ? -value : value) / 100n}.${String((value < 0n ? -value : value) % 100n).padStart(2, '0')}`

/** A value over some of the columns. */
const numericOver = (names: readonly string[]) => {
  const column = fc.constantFrom(...names)
  return fc.oneof(
    {
      weight: 3,
      arbitrary: column.map(
        (name): Meant<bigint> => ({ expression: c.expression(name), of: row => row[name] as bigint | null }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(column, column, fc.constantFrom('add', 'subtract')).map(
        ([a, b, kind]): Meant<bigint> => ({
          expression: kind === 'add' ? c.add(a, b) : c.subtract(a, b),
          of: row => {
            const [left, right] = [row[a], row[b]] as (bigint | null)[]
            return left === null || right === null ? null : kind === 'add' ? left! + right! : left! - right!
          },
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(column, fc.integer({ min: -3, max: 3 })).map(
        ([a, factor]): Meant<bigint> => ({
          expression: c.multiply(a, factor),
          of: row => (row[a] === null ? null : (row[a] as bigint) * BigInt(factor)),
        }),
      ),
    },
  )
}

export const numeric = numericOver(VALUES)

const RELATIONS = {
  less: (d: bigint) => d < 0n,
  lessOrEqual: (d: bigint) => d <= 0n,
  equal: (d: bigint) => d === 0n,
  notEqual: (d: bigint) => d !== 0n,
  greaterOrEqual: (d: bigint) => d >= 0n,
  greater: (d: bigint) => d > 0n,
} as const

/** What is compared with what, and everything else that chooses rows. */
const leafOver = (sides: fc.Arbitrary<[Meant<bigint>, Meant<bigint> | bigint]>) =>
  fc.oneof(
    fc
      .tuple(sides, fc.constantFrom(...(Object.keys(RELATIONS) as (keyof typeof RELATIONS)[])))
      .map(([[left, right], relation]): Meant<boolean> => {
        const constant = typeof right === 'bigint'
        const literal = {
          kind: 'literal',
          type: { kind: 'decimal', precision: 18, scale: 2 },
          value: constant ? money(right) : '',
        } as const
        return {
          expression: c[relation](left.expression, constant ? literal : right.expression),
          of: row => {
            const [a, b] = [left.of(row), constant ? right : right.of(row)]
            return a === null || b === null ? null : RELATIONS[relation](a - b)
          },
        }
      }),
    fc.tuple(keyColumn, fc.subarray(CATEGORIES, { minLength: 1 })).map(
      ([key, list]): Meant<boolean> => ({
        expression: c.among(key, list),
        of: row => (row[key] === null ? null : list.includes(row[key] as string)),
      }),
    ),
    fc.tuple(fc.oneof(valueColumn, keyColumn), fc.boolean()).map(
      ([name, wanted]): Meant<boolean> => ({
        expression: wanted ? c.isNull(name) : c.isNotNull(name),
        of: row => (row[name] === null) === wanted,
      }),
    ),
  )

const conditionOver = (
  sides: fc.Arbitrary<[Meant<bigint>, Meant<bigint> | bigint]>,
): fc.Arbitrary<Meant<boolean>> =>
  fc.letrec<{ tree: Meant<boolean>; leaf: Meant<boolean> }>(tie => ({
    leaf: leafOver(sides),
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('leaf'),
      tie('tree').map(inner => ({
        expression: c.not(inner.expression),
        of: (row: Row) => (inner.of(row) === null ? null : !inner.of(row)),
      })),
      fc.tuple(tie('tree'), tie('tree'), fc.boolean()).map(([a, b, and]) => ({
        expression: and ? c.and(a.expression, b.expression) : c.or(a.expression, b.expression),
        of: (row: Row) => {
          const both = [a.of(row), b.of(row)]
          const decides = !and
          if (both.includes(decides)) return decides
          return both.includes(null) ? null : !decides
        },
      })),
    ),
  })).tree

export const condition = conditionOver(fc.tuple(numeric, fc.oneof(numeric, cents)))

/** Every comparison is of one owner's columns. */
export const ownCondition = conditionOver(
  fc.constantFrom(0, 1, 2).chain(owner => {
    const own = numericOver([`x${owner}`, `y${owner}`])
    return fc.tuple(own, fc.oneof(own, cents))
  }),
)

export const rowOf = fc.record(
  Object.fromEntries(
    forms.flatMap(({ columns }) =>
      columns.map(({ name, nullable, type }) => {
        const text: fc.Arbitrary<bigint | string> = fc.constantFrom(...CATEGORIES, 'other')
        const value = type.kind === 'number' ? cents : text
        return [name, nullable ? fc.option(value, { freq: 4 }) : value]
      }),
    ),
  ),
) as fc.Arbitrary<Row>

import { z } from 'zod'
import { type FixedColumn, isValid, TEXT, TextBuilder } from '../column.js'
import { exactly, mapNumbers, type NumericType, requireNumber } from '../numbers.js'
import type { Applier, RuleDefinition } from '../rule.js'
import { numberIn, numberText, positiveNumberText } from './number-text.js'

/** The form of its description. */
export const BandRule = z
  .strictObject({
    kind: z.literal('band'),
    width: positiveNumberText('the width of every band: a number above 0').optional(),
    from: numberIn('where a band of that width begins: a number; 0 where absent').optional(),
    edges: z
      .array(numberIn('a number'))
      .min(1)
      .max(100)
      .refine(isAscending, { message: 'is not ascending' })
      .optional()
      .describe('where bands of different width begin: a list of up to 100 numbers, ascending'),
  })
  .refine(({ width, edges }) => (width === undefined) !== (edges === undefined), {
    message: 'needs width or edges, and not both',
  })
  .refine(({ from, edges }) => from === undefined || edges === undefined, {
    message: 'from goes with width',
  })
  .describe('{kind: band, width, from} or {kind: band, edges}: numeric bands (泛化)')

export type BandRule = z.infer<typeof BandRule>

/**
 * Numeric bands. With `width`, a value becomes the least value of its band, in the column's type; one that is that
 * already is a fixed point. With `edges`, it becomes a text: `<18`, `[18,60)`, `>=60`.
 */
export const band: RuleDefinition<BandRule> = {
  keyed: false,
  scope: 'chunk',
  resultType(rule, type) {
    const numeric = requireNumber('band', type)
    for (const number of [rule.width, rule.from, ...(rule.edges ?? [])]) {
      if (number !== undefined) exactly('band', numberText(number), numeric)
    }
    return rule.edges === undefined ? type : TEXT
  },
  bind(rule, { type }) {
    const numeric = requireNumber('band', type)
    return rule.edges === undefined
      ? equalBands(numberText(rule.width!), numberText(rule.from ?? 0), numeric)
      : namedBands(rule.edges.map(numberText), numeric)
  },
}

function equalBands(widthText: string, fromText: string, type: NumericType): Applier {
  const width = exactly('band', widthText, type)
  const from = exactly('band', fromText, type)
  const [w, o] = [Number(width), Number(from)]
  if (type.kind === 'float') {
    const least = (x: number) => Math.floor((x - o) / w) * w + o + 0
    return chunk => mapNumbers(chunk, least, () => null, 0)
  }
  const [wide, origin] = [BigInt(width), BigInt(from)]
  const small = (x: number) => {
    const rest = (x - o) % w
    return x - (rest < 0 ? rest + w : rest) + 0
  }
  const large = (x: bigint) => {
    const rest = (x - origin) % wide
    return x - (rest < 0n ? rest + wide : rest)
  }
  const isExact = w <= 2 ** 50 && Math.abs(o) <= 2 ** 50
  return chunk => mapNumbers(chunk, small, large, isExact ? 2 ** 51 : 0)
}

/** The bands' names, from below the first edge to above the last: edges as the description writes them. */
export function bandNames(edges: readonly string[]): string[] {
  const inner = edges.slice(1).map((edge, index) => `[${edges[index]!},${edge})`)
  return [`<${edges[0]!}`, ...inner, `>=${edges.at(-1)!}`]
}

function namedBands(edges: readonly string[], type: NumericType): Applier {
  const names = bandNames(edges).map(name => new TextEncoder().encode(name))
  const bounds = edges.map(edge => exactly('band', edge, type))
  return chunk => {
    const builder = new TextBuilder(chunk.length, chunk.length * 8)
    let nulls = 0
    let hidden = 0
    const valueAt = reader(chunk as FixedColumn)
    for (let i = 0; i < chunk.length; i++) {
      if (!isValid(chunk, i)) {
        nulls++
        builder.appendNull()
        continue
      }
      const value = valueAt(i)
      if (typeof value === 'number' && !Number.isFinite(value)) {
        hidden++
        builder.appendNull()
        continue
      }
      let at = 0
      while (at < bounds.length && value >= bounds[at]!) at++
      builder.append(names[at]!)
    }
    return { column: builder.finish(), hidden, fixedPoints: 0, changed: chunk.length - nulls - hidden }
  }
}

function reader(column: FixedColumn): (index: number) => number | bigint {
  const { type, values } = column
  if (type.kind !== 'decimal') return i => values[i]!
  const words = new BigInt64Array(values.buffer, values.byteOffset, values.length / 2)
  return i => words[2 * i]!
}

function isAscending(edges: readonly (number | string)[]): boolean {
  return edges.every((edge, index) => index === 0 || Number(edges[index - 1]) < Number(edge))
}

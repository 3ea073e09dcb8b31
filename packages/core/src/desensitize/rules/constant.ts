import { z } from 'zod'
import { nullsIn, TEXT, type TextColumn } from '../column.js'
import { type RuleDefinition, wrongType } from '../rule.js'

/** The form of its description. */
export const ConstantRule = z
  .strictObject({
    kind: z.literal('constant'),
    value: z
      .string()
      .min(1)
      .max(256)
      .refine(value => value.isWellFormed() && !value.includes('\0'), { message: 'is no plain text' })
      .describe('the text that stands for every value: 1 to 256 characters'),
  })
  .describe('{kind: constant, value}: every value becomes this text, nulls too')

export type ConstantRule = z.infer<typeof ConstantRule>

/** Every value of a text column becomes one text, nulls too: that a value was missing is hidden with the rest. */
export const constant: RuleDefinition<ConstantRule> = {
  keyed: false,
  scope: 'chunk',
  resultType(_, type) {
    if (type.kind !== 'text') throw wrongType('constant', type, 'text; `kind: nullify` for others')
    return TEXT
  },
  bind({ value }) {
    const text = new TextEncoder().encode(value)
    return chunk => {
      const { length } = chunk
      const column = repeated(text, length)
      const nulls = nullsIn(chunk)
      const fixedPoints = occurrences(chunk as TextColumn, text)
      return { column, changed: length - nulls - fixedPoints, hidden: 0, fixedPoints }
    }
  },
}

function repeated(text: Uint8Array, length: number): TextColumn {
  const offsets = Int32Array.from({ length: length + 1 }, (_, i) => i * text.length)
  const bytes = new Uint8Array(length * text.length)
  for (let i = 0; i < length; i++) bytes.set(text, i * text.length)
  return { type: TEXT, length, validity: null, offsets, bytes }
}

/** How many values are that text already. A null has no bytes, and the text has some. */
function occurrences({ offsets, bytes, length }: TextColumn, text: Uint8Array): number {
  let count = 0
  for (let i = 0; i < length; i++) {
    const start = offsets[i]!
    if (offsets[i + 1]! - start !== text.length) continue
    let k = 0
    while (k < text.length && bytes[start + k] === text[k]) k++
    if (k === text.length) count++
  }
  return count
}

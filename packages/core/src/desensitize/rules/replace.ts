import { z } from 'zod'
import { SluiceError } from '../../errors.js'
import { TEXT } from '../column.js'
import { type RuleDefinition, wrongType } from '../rule.js'
import { lookup } from './lookup.js'
import { tableName } from './table-name.js'

const text = z
  .string()
  .max(256)
  .refine(value => value.isWellFormed() && !value.includes('\0'), { message: 'is no plain text' })

/** The form of its description. */
export const ReplaceRule = z
  .strictObject({
    kind: z.literal('replace'),
    values: z
      .record(
        text.refine(key => key !== '__proto__'),
        text,
      )
      .refine(values => Object.keys(values).length >= 1 && Object.keys(values).length <= 1000, {
        message: 'has no entry, or more than 1000',
      })
      .optional()
      .describe('{value: replacement}: up to 1000 of them'),
    table: tableName.optional(),
  })
  .refine(({ values, table }) => (values === undefined) !== (table === undefined), {
    message: 'needs values or table, and not both',
  })
  .describe('{kind: replace, values or table}: replacement from a dictionary')

export type ReplaceRule = z.infer<typeof ReplaceRule>

/**
 * Texts to what a dictionary has for them: written out in the rule, or the second column of a file. A value that it
 * does not have is hidden; one that it maps to itself is a fixed point.
 */
export const replace: RuleDefinition<ReplaceRule> = {
  keyed: false,
  scope: 'chunk',
  resultType(_, type) {
    if (type.kind !== 'text') throw wrongType('replace', type, 'text')
    return TEXT
  },
  bind({ values, table }, { table: tableOf }) {
    if (values !== undefined) return lookup(new Map(Object.entries(values)))
    const rows = [...tableOf(table!)].map(([from, to]) => {
      if (to[0] !== undefined) return [from, to[0]] as const
      throw new SluiceError('RULE_INVALID', 'the dictionary has one column only', {
        rule: 'rule.replace.table',
        remedy: 'two columns: value and replacement',
      })
    })
    return lookup(new Map(rows))
  },
}

import { z } from 'zod'
import { nullColumn, nullsIn } from '../column.js'
import type { RuleDefinition } from '../rule.js'

/** The form of its description. */
export const NullifyRule = z
  .strictObject({ kind: z.literal('nullify') })
  .describe('{kind: nullify}: every value becomes null; the column stays')

export type NullifyRule = z.infer<typeof NullifyRule>

/** Every value becomes null. The column stays, so that a query that names it still runs. */
export const nullify: RuleDefinition<NullifyRule> = {
  keyed: false,
  scope: 'chunk',
  resultType: (_, type) => type,
  bind: () => chunk => ({
    column: nullColumn(chunk.type, chunk.length),
    changed: chunk.length - nullsIn(chunk),
    hidden: 0,
    fixedPoints: 0,
  }),
}

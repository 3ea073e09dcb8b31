import { z } from 'zod'
import { SluiceError } from '../../errors.js'
import type { RuleDefinition } from '../rule.js'

/** The form of its description. */
export const DropRule = z
  .strictObject({ kind: z.literal('drop') })
  .describe('{kind: drop}: the column is left out')

export type DropRule = z.infer<typeof DropRule>

/** The column is left out. */
export const drop: RuleDefinition<DropRule> = {
  keyed: false,
  scope: 'chunk',
  resultType: () => null,
  bind: () => () => {
    throw new SluiceError('INTERNAL', 'a dropped column has no values')
  },
}

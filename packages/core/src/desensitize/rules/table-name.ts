import { z } from 'zod'

/** The name under which whoever applies a rule hands in a table from a file. */
export const tableName = z
  .string()
  .regex(/^[^/\\\p{Cc}]{1,120}$/u)
  .describe('the name of a table’s file beside the policy, such as occupations.csv')

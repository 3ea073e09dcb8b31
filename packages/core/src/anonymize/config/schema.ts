import { z } from 'zod'

/**
 * The configuration as people write it. As in a policy, `description`s are the remedy of an error and the reference.
 * Every object is strict, and every column of the file has to be named.
 */
const columnName = z
  .string()
  .min(1)
  .max(256)
  .refine(name => name !== '__proto__')
  .describe('a column’s name, 1 to 256 characters')

const hierarchy = z
  .union([
    z.strictObject({
      file: z.string().min(1).describe('path of a CSV file: the value, then its label a level'),
    }),
    z.strictObject({
      intervals: z
        .array(z.number().positive())
        .min(1)
        .max(16)
        .refine(
          widths => widths.every((width, level) => level === 0 || isMultiple(width, widths[level - 1]!)),
          {
            message: 'every width has to be a multiple of the one before it',
          },
        )
        .describe('widths of the bands a level, each a multiple of the one before, such as [5, 10, 20]'),
      from: z.number().optional().describe('where a band begins; 0 where absent'),
      min: z.number().optional().describe('values below are one band'),
      max: z.number().optional().describe('values from here on are one band'),
    }),
    z.strictObject({
      date: z
        .array(z.enum(['month', 'quarter', 'year', 'decade']))
        .min(1)
        .refine(
          parts => parts.every((part, at) => at === 0 || ORDER.indexOf(part) > ORDER.indexOf(parts[at - 1]!)),
          {
            message: 'parts have to become coarser',
          },
        )
        .describe('parts of a date a level, each coarser: month, quarter, year, decade'),
    }),
    z.strictObject({
      prefix: z
        .array(z.int().min(1).max(256))
        .min(1)
        .max(32)
        .refine(lengths => lengths.every((length, at) => at === 0 || length < lengths[at - 1]!), {
          message: 'lengths have to fall',
        })
        .describe('how many characters stay a level, falling, such as [4, 2]'),
    }),
  ])
  .describe('{file}, {intervals, from, min, max}, {date} or {prefix}')

const ORDER = ['month', 'quarter', 'year', 'decade']

function isMultiple(width: number, of: number): boolean {
  const times = width / of
  return times > 1 && Math.abs(times - Math.round(times)) < 1e-9
}

const column = z
  .strictObject({
    role: z
      .enum(['quasi', 'sensitive', 'identifier', 'attribute'])
      .describe(
        'quasi is generalized, sensitive is protected, identifier is left out, attribute is kept as it is',
      ),
    hierarchy: hierarchy.optional(),
  })
  .describe('{role, hierarchy}')

const sensitive = columnName.describe('a column of role sensitive')

const diversity = z
  .union([
    z.strictObject({
      column: sensitive,
      kind: z.literal('distinct'),
      l: z.int().min(2).max(1_000_000).describe('values a class has at least: a whole number, 2 or more'),
    }),
    z.strictObject({
      column: sensitive,
      kind: z.literal('entropy'),
      l: z.number().gt(1).max(1_000_000).describe('the entropy of a class is at least log l: above 1'),
    }),
    z.strictObject({
      column: sensitive,
      kind: z.literal('recursive'),
      l: z.int().min(2).max(1_000_000).describe('a whole number, 2 or more'),
      c: z
        .number()
        .positive()
        .describe('the most frequent value is less than c times the l-th and rarer ones'),
    }),
  ])
  .describe('{column, kind: distinct|entropy|recursive, l, c}')

const closeness = z
  .strictObject({
    column: sensitive,
    t: z.number().min(0).max(1).describe('from 0 to 1'),
    distance: z
      .enum(['equal', 'hierarchical'])
      .optional()
      .describe('equal (the default), or hierarchical along the column’s hierarchy'),
  })
  .describe('{column, t, distance}')

export const ConfigFile = z
  .strictObject({
    version: z.literal(1).describe('the version of this file form: 1'),
    columns: z.record(columnName, column).describe('every column of the file: {NAME: {role, hierarchy}}'),
    k: z.int().min(2).max(1_000_000_000).describe('rows a class has at least: a whole number, 2 or more'),
    suppression: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('share of the rows that may be left out, from 0 to 1; 0 where absent'),
    diversity: z.array(diversity).max(16).optional().describe('a list of {column, kind, l, c}'),
    closeness: z.array(closeness).max(16).optional().describe('a list of {column, t, distance}'),
    presence: z
      .strictObject({
        population: z
          .string()
          .min(1)
          .describe('path of a file with the quasi columns of the whole population'),
        min: z.number().min(0).max(1).optional().describe('from 0 to 1; 0 where absent'),
        max: z.number().gt(0).max(1).describe('above 0, at most 1'),
      })
      .optional()
      .describe('{population, min, max}: δ-presence'),
    method: z
      .enum(['optimal', 'mondrian'])
      .optional()
      .describe('optimal (global recoding, the default), or mondrian (for large data)'),
    measure: z
      .enum(['non-uniform-entropy', 'discernibility', 'average-class-size'])
      .optional()
      .describe('what is least: non-uniform-entropy (the default), discernibility or average-class-size'),
    population: z
      .int()
      .min(1)
      .optional()
      .describe('how many the population is that the rows are a sample of: for estimates of uniqueness'),
  })
  .describe('a configuration of sluice anonymize')

export type ConfigFile = z.infer<typeof ConfigFile>
export type HierarchyDeclaration = z.infer<typeof hierarchy>

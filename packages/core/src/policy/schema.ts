import { z } from 'zod'
import { Rule } from '../desensitize/rules/registry.js'
import { USES } from '../plan/review-types.js'
import { COLUMN_ROLES, GRADES } from './types.js'

/**
 * The policy file as people write it. `description`s serve three readers: the JSON Schema that editors show, the
 * remedy of an error, and the reference. Every object is strict.
 */
const principal = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/)
  .describe('a principal’s name as enrolled: lower-case letters, digits, dots, hyphens and underscores')

const columnName = z
  .string()
  .min(1)
  .max(256)
  .refine(name => name !== '__proto__')
  .describe('a column’s name, 1 to 256 characters')

const percent = z.number().gt(0).max(100)

const decimal = z
  .union([z.number(), z.string().regex(/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/)])
  .describe('a number; in quotes where it has more than 15 digits')

const grade = z
  .union([z.literal([1, 2, 3, 4]), z.enum(GRADES)])
  .describe('1, 2, 3 or 4 for general data, important, or core (GB/T 43697-2024)')

const purpose = z
  .string()
  .min(1)
  .max(200)
  .describe('a purpose, as requests state it: text of 1 to 200 characters')

const distinct = <T extends z.ZodType>(item: T, most: number) =>
  z
    .array(item)
    .max(most)
    .refine(items => new Set(items).size === items.length, { message: 'an item stands twice' })

const entityColumn = z
  .strictObject({
    column: columnName.describe('the column whose distinct values are the entities'),
    not: distinct(z.union([z.string().max(1024), z.int()]).describe('text, or a whole number'), 1000)
      .optional()
      .describe('values of the column that are nobody, such as a category; null is nobody always'),
  })
  .describe('{column: NAME, not: [values that are no entity]}')

const column = z
  .strictObject({
    role: z.enum(COLUMN_ROLES).describe('what the column says about somebody'),
    grade: grade
      .optional()
      .describe('the column’s own grade: 1, 2, 3, 4, important or core; the dataset’s where absent'),
    uses: distinct(z.enum(USES).describe('a use'), USES.length)
      .optional()
      .describe('a list of join, group, filter, aggregate, order, extreme and output; none where absent'),
    values: z
      .enum(['public', 'private'])
      .optional()
      .describe('public: everybody knows which values the column can take; private where absent'),
    bounds: z
      .strictObject({
        min: decimal.optional().describe('least value, inclusive: a number'),
        max: decimal.optional().describe('greatest value, inclusive: a number'),
      })
      .optional()
      .describe('inclusive bounds of the column’s values: {min, max}'),
    rule: Rule.optional(),
  })
  .describe('{role, grade, uses, values, bounds, rule}')

export const PolicyFile = z
  .strictObject({
    version: z.literal(1).describe('the version of this file form: 1'),
    owner: principal.describe(
      'the provider who owns the dataset and approves every request: a principal’s name',
    ),
    standard: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('the standard that the grades follow; GB/T 43697-2024 where absent'),
    grade: grade.describe(
      'the dataset’s grade, at least its highest column’s: 1, 2, 3, 4, important or core',
    ),
    entity: z
      .union([z.enum(['row', 'none']), entityColumn])
      .describe('who is protected: {column: NAME}, row, or none for public reference data'),
    release: z
      .enum(['aggregate', 'rows'])
      .optional()
      .describe('what may leave: aggregate (the default), or rows where the grades of the columns allow it'),
    disclosure: z
      .strictObject({
        minimumEntities: z
          .int()
          .min(1)
          .max(1_000_000)
          .optional()
          .describe('a cell needs at least this many distinct entities: a whole number from 1 to 1000000'),
        dominance: z
          .union([
            z.literal('none'),
            z.strictObject({
              n: z.int().min(1).max(16).describe('how many of the largest contributions: 1 to 16'),
              percent: percent.describe('above 0, at most 100'),
            }),
          ])
          .optional()
          .describe('{n, percent}: a cell is unsafe if its n largest contributions exceed percent; or none'),
        pPercent: z
          .union([z.literal('none'), percent])
          .optional()
          .describe(
            'a number above 0, at most 100: a cell is unsafe if the rest is less than this share of the largest; or none',
          ),
        onFailure: z
          .enum(['suppress', 'refuse'])
          .optional()
          .describe('suppress unsafe cells (the default), or refuse the whole run'),
        contributors: z
          .strictObject({
            minimum: z
              .int()
              .min(3)
              .max(200_000)
              .describe('organizations behind a total at least: a whole number from 3 to 200000'),
            inPlaceOfDominance: z
              .boolean()
              .optional()
              .describe(
                'accept their number as evidence where nobody can see the largest contribution; false where absent',
              ),
          })
          .optional()
          .describe('{minimum, inPlaceOfDominance}: what totals over encrypted contributions are held to'),
        anonymity: z
          .strictObject({
            k: z.int().min(2).max(1_000_000).describe('rows a class has at least: a whole number, 2 or more'),
            l: z
              .int()
              .min(1)
              .max(1_000_000)
              .optional()
              .describe(
                'values of each sensitive column a class has at least: a whole number; 2 where absent',
              ),
          })
          .optional()
          .describe('{k, l}: what every equivalence class of released rows is held to'),
        step: z
          .strictObject({
            rows: z.int().min(1).max(1_000_000_000).optional().describe('a whole number; 100 where absent'),
            milliseconds: z
              .int()
              .min(1)
              .max(3_600_000)
              .optional()
              .describe('a whole number; 100 where absent'),
          })
          .optional()
          .describe('what row counts and times outside of results are rounded up to: {rows, milliseconds}'),
      })
      .optional()
      .describe('limits of the disclosure check; the grade’s defaults where absent'),
    approvals: z
      .strictObject({
        reviewer: z.boolean().optional().describe('true if a reviewer has to approve besides the owner'),
        named: z
          .strictObject({
            count: z.int().min(1).max(32).describe('how many of them have to approve: a whole number'),
            of: distinct(principal, 32).min(1).describe('a list of principals’ names'),
          })
          .optional()
          .describe('{count, of: [names]}: so many of these principals, besides'),
      })
      .optional()
      .describe('who has to approve besides the owner'),
    purposes: distinct(purpose, 1000)
      .optional()
      .describe('a list of purposes; none where absent, which denies all'),
    consumers: distinct(principal, 10_000)
      .optional()
      .describe('a list of principals who may ask (企业白名单); none where absent, which denies all'),
    expires: z.iso
      .datetime({ offset: false })
      .optional()
      .describe('when the policy ends, in UTC, such as 2027-01-01T00:00:00Z; never where absent'),
    sample: z
      .strictObject({
        mode: z
          .enum(['none', 'rows', 'synthetic'])
          .describe('none (the default), rows: drawn and desensitized, or synthetic: made up from marginals'),
        rows: z.int().min(1).max(10_000).optional().describe('rows at most: a whole number, 1 to 10000'),
      })
      .optional()
      .describe('{mode, rows}: the stand-in that a consumer may be given to develop against (可用不可见)'),
    laterVersions: z
      .boolean()
      .optional()
      .describe('true if an approval can stand for later versions of the dataset with the same schema'),
    columns: z
      .record(columnName, column)
      .refine(columns => Object.keys(columns).length <= 10_000, { message: 'more than 10000 columns' })
      .describe('the columns by name; one that is not named here has no use'),
  })
  .describe('A Sluice dataset policy')

export type PolicyFile = z.infer<typeof PolicyFile>

/** The JSON Schema (2020-12) of the policy file, for editors. */
export function policyJsonSchema(): Record<string, unknown> {
  return {
    $id: 'urn:sluice:policy:1',
    title: 'Sluice dataset policy',
    ...z.toJSONSchema(PolicyFile, { io: 'input', target: 'draft-2020-12' }),
  }
}

import { z } from 'zod'
import { Rule } from '../../desensitize/rules/registry.js'
import { USES } from '../../plan/review-types.js'
import { COLUMN_ROLES, GRADES } from '../../policy/types.js'
import { RECOGNIZERS, type RecognizerName } from '../recognizers/registry.js'
import { DEGREES } from './types.js'

/**
 * The catalogue file as people write it. `description`s serve the JSON Schema and the remedies of errors. Every object
 * is strict.
 */
const name = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/)
  .describe('lower-case letters, digits and hyphens, at most 64')
const text = z.string().min(1).max(200).describe('text of 1 to 200 characters')

const grade = z
  .union([z.literal([1, 2, 3, 4]), z.enum(GRADES)])
  .describe('1, 2, 3 or 4 for general data, important, or core')

const degree = z.enum(DEGREES).describe(DEGREES.join(', '))
const impact = z
  .strictObject({ object: name.describe('an object of the table `grading`'), degree })
  .describe('{object, degree}: who would be harmed, and how much')

export const CHARACTERS = ['digit', 'upper', 'lower', 'space', 'hyphen', 'dot', 'other', 'wide'] as const

const format = z
  .strictObject({
    characters: z
      .array(z.enum(CHARACTERS))
      .min(1)
      .max(CHARACTERS.length)
      .describe(`of which a value consists: ${CHARACTERS.join(', ')}`),
    length: z
      .strictObject({
        min: z.int().min(1).max(4096).describe('a whole number of characters from 1 on'),
        max: z.int().min(1).max(4096).describe('a whole number of characters, at least `min`'),
      })
      .describe('{min, max}: characters of a value, inclusive'),
    prefixes: z
      .array(z.string().min(1).max(64))
      .min(1)
      .max(1000)
      .optional()
      .describe('with one of which a value begins'),
    weight: z
      .number()
      .gt(0)
      .max(0.95)
      .describe('how much the format says by itself, above 0 to 0.95; from 0.5 on it needs no name'),
  })
  .describe('{characters, length, prefixes, weight}: a form of values of your own')

const entity = z
  .strictObject({
    label: z.strictObject({ en: text, zh: text }).describe('{en, zh}: how people call it'),
    recognizer: z
      .enum(Object.keys(RECOGNIZERS) as [RecognizerName, ...RecognizerName[]])
      .optional()
      .describe(`one of ${Object.keys(RECOGNIZERS).join(', ')}`),
    format: format.optional(),
    names: z
      .array(text.describe('a name of columns; `=name` where nothing may stand beside it'))
      .max(500)
      .describe('a list of names that columns of it have, in Chinese, pinyin and English'),
    impact,
    role: z.enum(COLUMN_ROLES).describe(COLUMN_ROLES.join(', ')),
    uses: z
      .array(z.enum(USES))
      .max(USES.length)
      .optional()
      .describe(`of ${USES.join(', ')}, what a draft policy suggests; none where absent`),
    rule: Rule.optional().describe('the desensitization rule that is suggested; none where absent'),
  })
  .describe('{label, recognizer or format, names, impact, role, uses, rule}')

export const CatalogueFile = z
  .strictObject({
    version: z.literal(1).describe('the version of this file form: 1'),
    name: name.describe('the catalogue’s name'),
    edition: text.describe('which edition of it this is, such as a date'),
    standard: text.describe('the standard that the grades follow, as policies name it'),
    grading: z
      .record(
        name,
        z
          .strictObject({ none: grade, general: grade, serious: grade, special: grade })
          .describe('the grade by degree: {none, general, serious, special}'),
      )
      .describe('grades by object and degree'),
    unrecognized: impact.describe('{object, degree} of columns that nothing recognizes'),
    entities: z
      .record(name, entity)
      .refine(entities => Object.keys(entities).length <= 500, { message: 'more than 500 entities' })
      .describe('what columns can hold, by name'),
  })
  .describe('A Sluice catalogue of classification and grades')

export type CatalogueFile = z.infer<typeof CatalogueFile>
export type FormatForm = z.infer<typeof format>

/** The JSON Schema (2020-12) of the catalogue file, for editors. */
export function catalogueJsonSchema(): Record<string, unknown> {
  return {
    $id: 'urn:sluice:catalogue:1',
    title: 'Sluice classification catalogue',
    ...z.toJSONSchema(CatalogueFile, { io: 'input', target: 'draft-2020-12' }),
  }
}

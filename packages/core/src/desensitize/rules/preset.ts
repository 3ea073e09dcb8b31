import { z } from 'zod'
import { TEXT, type TextColumn } from '../column.js'
import { ADDRESS_LEVELS, addressTransform } from '../presets/address.js'
import { emailTransform } from '../presets/email.js'
import { nameTransform } from '../presets/name.js'
import { plateTransform } from '../presets/plate.js'
import { shapesTransform } from '../presets/shape.js'
import { SHAPES } from '../presets/shapes.js'
import { type RuleDefinition, wrongType } from '../rule.js'
import { mapText, type TextTransform } from '../text-map.js'

export const PRESETS = [
  'name',
  'identity-number',
  'mobile',
  'landline',
  'bank-card',
  'email',
  'address',
  'plate',
  'credit-code',
  'passport',
] as const
export type Preset = (typeof PRESETS)[number]

/** The form of its description. */
export const PresetRule = z
  .strictObject({
    kind: z.literal('preset'),
    preset: z.enum(PRESETS).describe(`what the values are: ${PRESETS.join(', ')}`),
    level: z
      .enum(ADDRESS_LEVELS)
      .optional()
      .describe('of an address, what stays: province, city or district'),
  })
  .refine(({ preset, level }) => (preset === 'address') === (level !== undefined), {
    message: 'an address needs a level, and nothing else has one',
  })
  .describe('{kind: preset, preset, level}: the mask that is usual for such values')

export type PresetRule = z.infer<typeof PresetRule>

/**
 * The partial mask that is usual for a kind of value (遮盖). What is not of that form is hidden whole, full-width
 * digits and separators between digits included.
 */
export const preset: RuleDefinition<PresetRule> = {
  keyed: false,
  scope: 'chunk',
  resultType(_, type) {
    if (type.kind !== 'text') {
      throw wrongType('preset', type, 'text: numbers lose leading zeros, and identity numbers their digits')
    }
    return TEXT
  },
  bind(rule) {
    const transform = transformOf(rule)
    return chunk => mapText(chunk as TextColumn, transform, 'hide')
  },
}

function transformOf({ preset: name, level }: PresetRule): TextTransform {
  switch (name) {
    case 'name':
      return nameTransform
    case 'email':
      return emailTransform
    case 'address':
      return addressTransform(level!)
    case 'plate':
      return plateTransform
    case 'identity-number':
    case 'mobile':
    case 'landline':
    case 'bank-card':
    case 'credit-code':
    case 'passport':
      return shapesTransform(SHAPES[name])
  }
}

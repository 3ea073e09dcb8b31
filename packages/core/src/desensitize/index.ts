export { columnOfVector, dataOfColumn } from './arrow.js'
export { CHARACTER_PATTERN, charactersOf } from './characters.js'
export type { Column, FixedColumn, FixedType, FixedValues, TextColumn, TextType } from './column.js'
export {
  type ColumnReport,
  type DesensitizeContext,
  Desensitizer,
  type Treatment,
} from './desensitizer.js'
export { keyedText, needsText } from './needs-text.js'
export { exactly } from './numbers.js'
export { ADDRESS_LONGEST, ADDRESS_MARKS, ADDRESS_PATTERNS } from './presets/address.js'
export { EMAIL_MARKS, EMAIL_PATTERN } from './presets/email.js'
export { NAME_LONGEST, NAME_PATTERN } from './presets/name.js'
export { PLATE_PATTERN } from './presets/plate.js'
export { MARK, type Shape, shapeLength, shapePattern } from './presets/shape.js'
export { SHAPES } from './presets/shapes.js'
export { type Revealed, revealCells, revealTokens } from './reveal.js'
export type {
  Applied,
  Applier,
  Binding,
  ChunkPosition,
  RuleCounts,
  RuleDefinition,
} from './rule.js'
export { bandNames } from './rules/band.js'
export { WRITTEN_DATE } from './rules/date-part.js'
export { DIVISION_DIGITS } from './rules/division.js'
export type { CellCipher, CellPlace } from './rules/encrypt.js'
export { type Mask, maskOf } from './rules/mask.js'
export { definitionOf, Rule, type RuleKind, ruleJsonSchema } from './rules/registry.js'
export { randomPermutation } from './rules/shuffle.js'
export { lookedUp, ScanRule, scanRule } from './scan.js'

export { columnOfVector, dataOfColumn } from './arrow.js'
export { CHARACTER_PATTERN, charactersOf } from './characters.js'
export type { Column, FixedColumn, FixedType, FixedValues, TextColumn, TextType } from './column.js'
export {
  type ColumnReport,
  type DesensitizeContext,
  Desensitizer,
  type Treatment,
} from './desensitizer.js'
export { type Revealed, revealCells, revealTokens } from './reveal.js'
export type {
  Applied,
  Applier,
  Binding,
  ChunkPosition,
  RuleCounts,
  RuleDefinition,
} from './rule.js'
export type { CellCipher, CellPlace } from './rules/encrypt.js'
export { definitionOf, Rule, type RuleKind, ruleJsonSchema } from './rules/registry.js'
export { randomPermutation } from './rules/shuffle.js'
export { ScanRule, scanRule } from './scan.js'

export { columnOfVector, dataOfColumn } from './arrow.js'
export { CHARACTER_PATTERN, charactersOf } from './characters.js'
export type { Column, FixedColumn, FixedType, FixedValues, TextColumn, TextType } from './column.js'
export {
  type ColumnReport,
  type DesensitizeContext,
  Desensitizer,
  type Treatment,
} from './desensitizer.js'
export type {
  Applied,
  Applier,
  Binding,
  ChunkPosition,
  RuleCounts,
  RuleDefinition,
} from './rule.js'
export { definitionOf, Rule, type RuleKind, ruleJsonSchema } from './rules/registry.js'

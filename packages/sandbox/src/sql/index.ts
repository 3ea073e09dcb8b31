export type { CatalogueTable } from './catalogue.js'
export { type ColumnText, emitConjunct, emitExpression, emitOperand } from './emit/expression.js'
export {
  ATTACH_STATEMENTS,
  columnName,
  lookupName,
  quoteIdentifier,
  quoteText,
  tableName,
  ZONE_CATALOG,
  ZONE_SCHEMA,
} from './emit/names.js'
export {
  type CarriedColumn,
  type EmitNodeOptions,
  type EmittedNode,
  emitNode,
  emitPlan,
} from './emit/plan.js'
export { sqlType } from './emit/types.js'
export { type Compiled, type CompileInput, Gate, type GateOptions } from './gate.js'
export { ENGINE_VERSION } from './parser/protocol.js'
export { type FunctionReference, SQL_FUNCTIONS } from './reference.js'

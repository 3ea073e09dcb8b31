export { type AboveNode, splitAtAggregate } from './above.js'
export { type ApprovalInput, approvePlan, type RequestFacts, type VerifiedApproval } from './approve.js'
export { type ApprovedContents, ApprovedPlan } from './approved.js'
export { decodeColumnSchemas } from './decode.js'
export {
  type BaseColumn,
  type Definition,
  type Definitions,
  definitionOf,
  definitionsOf,
} from './definitions.js'
export { decodePlan, encodePlan, PLAN_LIMIT, planDigest } from './encode.js'
export type * from './executor.js'
export type * from './expression.js'
export * from './functions.js'
export { aggregatesBehind, baseColumnsOf, type SourceUse, usesOf } from './lineage.js'
export { compareLiterals, isLiteralText } from './literal.js'
export { hasTable, type MaskedColumn, maskedColumn, type ScanMask, type TableFingerprints } from './mask.js'
export * from './node.js'
export { HIGHEST_RANK, leastEntities, type OrderBound } from './order-statistics.js'
export {
  checkParameterSchema,
  checkParameters,
  describeParameter,
  type ParameterRange,
  type ParameterRanges,
  type ParameterValues,
  parseParameters,
} from './parameters.js'
export type { PlanPart, PositionOf } from './positions.js'
export { printPlan, printType } from './print.js'
export { type ReviewContext, reviewPlan } from './review.js'
export * from './review-types.js'
export { type Selection, selectionsOf } from './selections.js'
export { type Shape, shapeOf } from './shape.js'
export * from './states.js'
export { requestStatesPage } from './states-page.js'
export type * from './types.js'
export { sameType, validatePlan } from './validate.js'
export * from './visit.js'

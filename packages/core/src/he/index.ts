export { type AddInput, add } from './add.js'
export {
  AGGREGATION_BYTES,
  type Aggregation,
  type AggregationDraft,
  aggregationBytes,
  aggregationDigest,
  createAggregation,
  type Groups,
  HE_ENGINE,
  type NewAggregation,
  type Party,
  parseAggregation,
  type Shape,
  shapeOf,
} from './aggregation.js'
export { type AuditInput, audit } from './audit.js'
export { type CellsOptions, cellsOf, type Rows } from './cells.js'
export { type ByteSink, type ByteSource, MemorySink, memorySource } from './container.js'
export {
  type Cells,
  type ContributeInput,
  contribute,
  type SlotValues,
  type WorkOptions,
} from './contribute.js'
export { assertOpenable, HeExecutor, type HeInputs } from './executor.js'
export type { DeclaredRanges } from './intervals.js'
export { type Layout, layoutOf } from './layout.js'
export {
  chooseParameters,
  ciphertextBytes,
  largestTotal,
  mostContributions,
  PARAMETER_SETS,
  type ParameterSet,
  parameterSet,
} from './parameters.js'
export type {
  AuditStatement,
  ContributionStatement,
  Signed,
  Signer,
  SumStatement,
  VerifySignature,
} from './statement.js'

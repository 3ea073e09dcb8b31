export {
  type AnonymizeConfig,
  type Closeness,
  checkColumns,
  type Diversity,
  MEASURES,
  type MeasureName,
  type PrivacyModel,
  parseAnonymizeConfig,
  type Role,
} from './config/config.js'
export type { HierarchyDeclaration } from './config/schema.js'
export { type Dictionary, hierarchyFor, orderedColumn } from './encode.js'
export { type HierarchyTable, parseHierarchy } from './hierarchy/csv.js'
export { type Hierarchy, hierarchyOf, valueOrAny } from './hierarchy/hierarchy.js'
export { reportHtml } from './report/html.js'
export { type AnonymityReport, anonymityReport, type ClassSummary } from './report/report.js'
export { type Anonymized, anonymizeRecords, SUPPRESSED, type Utility } from './result.js'
export { type PopulationUniqueness, populationUniqueness } from './risk/population.js'
export { type Risk, riskOf } from './risk/risk.js'
export { type MondrianOptions, partitionMondrian, type Regions } from './search/mondrian.js'
export { type Optimum, type SearchOptions, searchOptimum } from './search/search.js'
export type { QuasiColumn, Records, SensitiveColumn } from './table.js'

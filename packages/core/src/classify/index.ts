export { defaultCatalogue, defaultCatalogueText } from './catalogue/default.js'
export { CATALOGUE_LIMIT, type ParseCatalogueOptions, parseCatalogue } from './catalogue/parse.js'
export { catalogueJsonSchema } from './catalogue/schema.js'
export {
  type Catalogue,
  type CatalogueEntity,
  DEGREES,
  type Degree,
  type Impact,
  type Label,
} from './catalogue/types.js'
export { Classifier, type ClassifierOptions } from './classifier.js'
export { type ClassifyOptions, classify } from './classify.js'
export { type DraftOptions, draftPolicy } from './draft.js'
export type { Share } from './interval.js'
export { NumericIdentityWatch } from './numeric-identity.js'
export { TIERS, type Tier } from './recognizer.js'
export { CELL_LIMIT } from './scan.js'
export type { Candidate, Classification, ColumnClassification, EvidenceKind } from './types.js'

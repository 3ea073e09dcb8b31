/** Columns that registration writes beside a provider's; no provider's column may begin so. */
export const HIDDEN_PREFIX = '__sluice_'

/** The dense code of a row's entity (UINTEGER, null where it has none). */
export const ENTITY_COLUMN = `${HIDDEN_PREFIX}entity`

/** The entity's bucket (UTINYINT, 0 to 63, null with the code). */
export const BUCKET_COLUMN = `${HIDDEN_PREFIX}bucket`

export const BUCKETS = 64

/** Whether a row is kept, while rows are chosen. */
export const KEPT_COLUMN = `${HIDDEN_PREFIX}kept`

/** What the engine calls a Parquet row's number. */
export const ROW_NUMBER = 'file_row_number'

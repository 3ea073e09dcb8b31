/** How a released table is written. `table` is for people, and for a terminal only. */
export const FORMATS = ['table', 'csv', 'json', 'arrow', 'parquet'] as const
export type Format = (typeof FORMATS)[number]

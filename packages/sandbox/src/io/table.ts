/** What a program needs that reads one table and puts one file in its place: loaded in a moment, without Arrow. */
export { canHold, type HoldTableOptions, holdTable } from './held-table.js'
export { placeTable } from './place-table.js'
export { type ReadTableOptions, readTable, type TableFile } from './table-reader.js'
export { contentDigest, fileVersion, requireVersion } from './version.js'

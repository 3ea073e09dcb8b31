export { type AnonymizeFileOptions, anonymizeFile } from './anonymize/anonymize.js'
export { cellJson, cellText, isNumeric } from './cell.js'
export { ENCODINGS, type Encoding } from './encoding.js'
export { detectFormat, type FileFormat } from './format.js'
export { canHold, holdTable } from './held-table.js'
export { placeTable } from './place-table.js'
export {
  type RegisteredFile,
  type RegisterLimits,
  type RegisterOptions,
  registerFile,
} from './register.js'
export { type ReadTableOptions, readTable, type TableFile } from './table-reader.js'
export { TableWriter, type WriteTableOptions, writeTable } from './table-writer.js'
export { csvText, encodeTable, type WriteOptions } from './write.js'

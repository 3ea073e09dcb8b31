export { cellJson, cellText, isNumeric } from './cell.js'
export { detectFormat, type FileFormat } from './format.js'
export {
  type RegisteredFile,
  type RegisterLimits,
  type RegisterOptions,
  registerFile,
} from './register.js'
export { csvText, encodeTable, type WriteOptions } from './write.js'

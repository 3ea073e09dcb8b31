export { type DesensitizedFile, type DesensitizeFileOptions, desensitizeFile } from './file.js'
export { readTables } from './tables.js'

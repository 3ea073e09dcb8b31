export * from './canonical.js'
export * from './errors.js'
export * from './names.js'
export * from './text.js'

export { gather } from './gather.js'
export { arrowSchemaOf, arrowTypeOf, columnSchemasOf, scalarTypeOf } from './types.js'

import { unreachable } from '@sluice/core'
import type { ScalarType } from '@sluice/core/plan'

const SIGNED = { 8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT', 128: 'HUGEINT' } as const
const UNSIGNED = { 8: 'UTINYINT', 16: 'USMALLINT', 32: 'UINTEGER', 64: 'UBIGINT', 128: 'UHUGEINT' } as const

/** A type as DuckDB writes it. */
export function sqlType(type: ScalarType): string {
  switch (type.kind) {
    case 'boolean':
      return 'BOOLEAN'
    case 'integer':
      return (type.signed ? SIGNED : UNSIGNED)[type.bits]
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`
    case 'float':
      return type.bits === 32 ? 'FLOAT' : 'DOUBLE'
    case 'text':
      return 'VARCHAR'
    case 'date':
      return 'DATE'
    case 'time':
      return 'TIME'
    case 'timestamp':
      return 'TIMESTAMP'
    default:
      return unreachable(type)
  }
}

import type { ScalarType } from '@sluice/core/plan'
import { type Ast, isAst, refuse, text } from '../syntax/ast.js'

/** A type of the syntax tree or of a bound plan. `at` is what a refusal points at. */
export function translateType(ast: Ast, at: Ast): ScalarType {
  const type = knownType(ast)
  if (type !== null) return type
  return refuse(
    'sql.type',
    at,
    `the type ${printable(text(ast, 'id'))} is not understood`,
    'Use BOOLEAN, an integer type, DECIMAL(p, s), DOUBLE, VARCHAR, DATE, TIME or TIMESTAMP.',
  )
}

/** The scalar type that an engine's type stands for, or null. */
export function knownType(ast: Ast): ScalarType | null {
  const id = text(ast, 'id')
  const info = ast.type_info
  if (id === 'DECIMAL') {
    // What is zero may have been left out.
    if (!isAst(info)) return { kind: 'decimal', precision: 18, scale: 3 }
    const precision = Number(info.width)
    const scale = Number(info.scale ?? 0)
    return Number.isInteger(precision) && Number.isInteger(scale)
      ? { kind: 'decimal', precision, scale }
      : null
  }
  if (info !== null && info !== undefined) return null
  return INTEGERS[id] ?? OTHERS[id] ?? null
}

const INTEGERS: Readonly<Record<string, ScalarType>> = Object.fromEntries(
  (
    [
      ['TINYINT', 8],
      ['SMALLINT', 16],
      ['INTEGER', 32],
      ['BIGINT', 64],
      ['HUGEINT', 128],
    ] as const
  ).flatMap(([name, bits]) => [
    [name, { kind: 'integer', bits, signed: true }],
    [`U${name}`, { kind: 'integer', bits, signed: false }],
  ]),
)
const OTHERS: Readonly<Record<string, ScalarType>> = {
  BOOLEAN: { kind: 'boolean' },
  FLOAT: { kind: 'float', bits: 32 },
  DOUBLE: { kind: 'float', bits: 64 },
  VARCHAR: { kind: 'text' },
  DATE: { kind: 'date' },
  TIME: { kind: 'time' },
  TIMESTAMP: { kind: 'timestamp' },
}

function printable(id: string): string {
  return /^[A-Z_ ]{1,40}$/.test(id) ? id : 'given'
}

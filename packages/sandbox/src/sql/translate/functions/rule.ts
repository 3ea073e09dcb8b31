import type { Expression, Literal } from '@sluice/core/plan'
import { type Ast, refuse } from '../../syntax/ast.js'

/** One scalar function or operator of the dialect. */
export interface FunctionRule {
  /** how the documentation shows it */
  readonly signature: string
  /** what it gives, in a sentence */
  readonly meaning: string
  readonly least: number
  readonly most: number
  readonly translate: (operands: readonly Expression[], at: Ast) => Expression
}

export type Translate = FunctionRule['translate']

/** Most arguments of a function that takes any number. */
export const MANY = 64

/** A function under its names. */
export function rule(
  names: readonly string[],
  signature: string,
  meaning: string,
  least: number,
  most: number,
  translate: Translate,
): [string, FunctionRule][] {
  return names.map(name => [name, { signature, meaning, least, most, translate }])
}

/** @throws Refusal `sql.null` for NULL written out */
export function notNull(operand: Expression, at: Ast): void {
  if (operand.kind === 'literal' && operand.value === null) {
    refuse('sql.null', at, 'the result is always null', 'Leave the expression out, or write another operand.')
  }
}

/** The literal with the other sign. */
export function negated(literal: Literal): Literal {
  const value = String(literal.value)
  return { ...literal, value: value.startsWith('-') ? value.slice(1) : value === '0' ? value : `-${value}` }
}

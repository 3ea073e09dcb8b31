import type { Position } from '@sluice/core'
import { positionAt } from '../parser/text.js'

/** A node of the engine's syntax tree as it came: its numbers are text (see `parseNumbersAsText`). */
export interface Ast {
  readonly [key: string]: unknown
}

/** A query says something that the gate does not understand. The translation turns it into a SluiceError. */
export class Refusal extends Error {
  readonly rule: string
  readonly remedy: string
  readonly at: Ast
  constructor(rule: string, at: Ast, message: string, remedy: string) {
    super(message)
    this.rule = rule
    this.remedy = remedy
    this.at = at
  }
}

export function refuse(rule: string, at: Ast, message: string, remedy: string): never {
  throw new Refusal(rule, at, message, remedy)
}

export function isAst(value: unknown): value is Ast {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * A node's fields, each accounted for: those asked for by name, those that must have their neutral value, and the
 * location. A field that is neither, missing, or not neutral means something that the gate does not know.
 */
export function fields<K extends string>(
  ast: Ast,
  wanted: readonly K[],
  neutral: Readonly<Record<string, unknown>> = {},
): Record<K, unknown> {
  for (const key of Object.keys(ast)) {
    if (key === 'query_location' || (wanted as readonly string[]).includes(key)) continue
    if (!Object.hasOwn(neutral, key)) unknownSyntax(ast, key)
    if (!same(ast[key], neutral[key])) unknownSyntax(ast, key)
  }
  for (const key of wanted) if (!Object.hasOwn(ast, key)) unknownSyntax(ast, key)
  return ast as Record<K, unknown>
}

export function child(parent: Ast, key: string): Ast {
  const value = parent[key]
  return isAst(value) ? value : unknownSyntax(parent, key)
}

export function children(parent: Ast, key: string): readonly Ast[] {
  const value = parent[key]
  return Array.isArray(value) && value.every(isAst) ? value : unknownSyntax(parent, key)
}

export function text(parent: Ast, key: string): string {
  const value = parent[key]
  return typeof value === 'string' ? value : unknownSyntax(parent, key)
}

export function texts(parent: Ast, key: string): readonly string[] {
  const value = parent[key]
  return Array.isArray(value) && value.every(item => typeof item === 'string')
    ? value
    : unknownSyntax(parent, key)
}

export function flag(parent: Ast, key: string): boolean {
  const value = parent[key]
  return typeof value === 'boolean' ? value : unknownSyntax(parent, key)
}

export function unknownSyntax(ast: Ast, key: string): never {
  return refuse(
    'sql.unknown',
    ast,
    `this is not understood (${String(ast.type ?? ast.class ?? 'node')}, ${key})`,
    'Write it with what docs/sql.md lists.',
  )
}

/** Where a node stands in the text: its own location, else its first part's, else that of what it is part of. */
export function locate(root: unknown, at: Ast, bytes: Uint8Array): Position | undefined {
  const path: unknown[] = []
  if (!find(root, at, path)) return undefined
  for (const ast of path.reverse()) {
    const offset = ownOffset(ast) ?? firstOffset(ast)
    if (offset !== undefined && offset <= bytes.length) return positionAt(bytes, offset)
  }
  return undefined
}

function find(value: unknown, wanted: Ast, path: unknown[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  path.push(value)
  if (value === wanted) return true
  for (const part of Object.values(value)) if (find(part, wanted, path)) return true
  path.pop()
  return false
}

function ownOffset(ast: unknown): number | undefined {
  const location = isAst(ast) ? ast.query_location : undefined
  return typeof location === 'string' && /^\d{1,9}$/.test(location) ? Number(location) : undefined
}

function firstOffset(ast: unknown): number | undefined {
  if (typeof ast !== 'object' || ast === null) return undefined
  const offsets = Object.values(ast)
    .map(part => ownOffset(part) ?? firstOffset(part))
    .filter(offset => offset !== undefined)
  return offsets.length === 0 ? undefined : Math.min(...offsets)
}

function same(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right)
}

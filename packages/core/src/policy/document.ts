import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
} from 'yaml'
import type { Position } from '../errors.js'
import { visibleText } from '../text.js'
import type { Path, Problem } from './problems.js'

/** A policy text as plain values, and where each of them stands. */
export interface ParsedDocument {
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** where the problem stands in the text: at its value or key, or at what should have held it where it is missing */
  offsetOf(problem: Problem): number
  positionAt(offset: number): Position
}

/**
 * Reads YAML 1.2 (core schema), of which JSON is a part, as one document without aliases, tags, merge keys or
 * duplicate keys: what a reader sees is what is meant.
 */
export function parseDocument(text: string, source: string | undefined): ParsedDocument {
  const lines = new LineCounter()
  const problems: Problem[] = []
  const places = new Map<string, { key: number; value: number }>()
  const add = (path: Path, offset: number, message: string, remedy: string) =>
    problems.push({ code: 'POLICY_INVALID', path, at: 'value', offset, message, remedy })

  // the library compares every key with every other where it checks for duplicates; `entries` does that in one pass
  const documents = tooDeep(text) ? null : parseAllDocuments(text, OPTIONS(lines))
  let value: unknown
  if (documents === null) {
    add([], 0, 'the text is nested too deeply', 'no more than six levels')
  } else if (!Array.isArray(documents) || documents.length !== 1) {
    add([], 0, 'the text holds no document or more than one', 'one document a file')
  } else {
    const document = documents[0]!
    for (const error of [...document.errors, ...document.warnings]) {
      add(
        [],
        error.pos[0],
        `not valid YAML: ${SYNTAX[error.code] ?? 'the text cannot be read'}`,
        'YAML 1.2 or JSON',
      )
    }
    if (problems.length === 0) value = convert(document.contents, [])
  }

  function convert(node: Node | null, path: Path): unknown {
    const offset = node?.range?.[0] ?? places.get(keyOf(path))?.key ?? 0
    const place = places.get(keyOf(path))
    places.set(keyOf(path), { key: place?.key ?? offset, value: offset })
    if (node === null) return null
    if (isAlias(node)) {
      add(path, offset, 'aliases are not allowed', 'the value itself')
      return undefined
    }
    if (node.tag !== undefined && !PLAIN_TAGS.has(node.tag)) {
      add(path, offset, 'tags are not allowed', 'the plain value')
    }
    if ('anchor' in node && node.anchor !== undefined) {
      add(path, offset, 'anchors are not allowed', 'the value where it is used')
    }
    if (isMap(node)) return entries(node.items as Pair<Node, Node | null>[], path)
    if (isSeq(node)) return node.items.map((item, index) => convert(item as Node, [...path, index]))
    if (isScalar(node)) return scalar(node)
    return undefined
  }

  function entries(pairs: readonly Pair<Node, Node | null>[], path: Path): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    for (const pair of pairs) {
      const offset = pair.key?.range?.[0] ?? 0
      if (!isScalar(pair.key) || pair.key.value === null || typeof pair.key.value === 'object') {
        add(path, offset, 'a key has to be a word', 'a plain key followed by a colon')
        continue
      }
      const key =
        typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? String(pair.key.value))
      const inner = [...path, key]
      if (key === '__proto__' || key === '<<') {
        add(inner, offset, `"${key}" cannot be a key`, 'another name; merge keys are not supported')
      } else if (Object.hasOwn(object, key)) {
        add(inner, offset, `the key "${visibleText(key)}" stands twice`, 'each key once')
      } else {
        places.set(keyOf(inner), { key: offset, value: offset })
        object[key] = convert(pair.value, inner)
      }
    }
    return object
  }

  return {
    value,
    problems,
    offsetOf({ path, at, offset }) {
      if (offset !== undefined) return offset
      for (let length = path.length; length >= 0; length--) {
        const place = places.get(keyOf(path.slice(0, length)))
        if (place !== undefined) return at === 'key' || length < path.length ? place.key : place.value
      }
      return 0
    },
    positionAt: offset => positionAt(text, lines, offset, source),
  }
}

/** Positions of the library count UTF-16 code units; ours count characters. */
function positionAt(text: string, lines: LineCounter, offset: number, source: string | undefined): Position {
  const { line, col } = lines.linePos(Math.min(offset, text.length))
  const start = offset - (col - 1)
  const column = [...text.slice(Math.max(0, start), offset)].length + 1
  return { line: Math.max(1, line), column, ...(source !== undefined && { source }) }
}

const OPTIONS = (lineCounter: LineCounter) =>
  ({
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
    logLevel: 'silent',
    keepSourceTokens: false,
    lineCounter,
  }) as const

const PLAIN_TAGS = new Set(
  ['map', 'seq', 'str', 'int', 'float', 'bool', 'null'].map(name => `tag:yaml.org,2002:${name}`),
)

const SYNTAX: Partial<Record<string, string>> = {
  BAD_INDENT: 'the indentation does not match',
  BLOCK_AS_IMPLICIT_KEY: 'a nested map has to start on a line of its own',
  DUPLICATE_KEY: 'a key stands twice',
  MISSING_CHAR: 'a character is missing, such as a quote, a bracket or a comma',
  TAB_AS_INDENT: 'a tab cannot indent',
  UNEXPECTED_TOKEN: 'this was not expected here',
}

/** Numbers keep the digits that a double would lose, as text. */
function scalar(node: Scalar): unknown {
  const { value, source } = node
  if (typeof value === 'number' && source !== undefined && !keepsDigits(value, source)) return source
  return typeof value === 'bigint' ? value.toString() : value
}

function keepsDigits(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false
  return (
    source
      .replace(/[eE].*$/, '')
      .replace(/[^0-9]/g, '')
      .replace(/^0+/, '').length <= 15
  )
}

/** Would a recursive parser go deeper than a policy has reason to? By brackets, and by what a line starts with. */
function tooDeep(text: string): boolean {
  let depth = 0
  for (const character of text) {
    if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1)
    if (depth > 32) return true
  }
  return /^[ ?:-]{128}/m.test(text)
}

function keyOf(path: Path): string {
  return JSON.stringify(path)
}

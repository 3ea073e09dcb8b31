import { SluiceError, unreachable } from '@sluice/core'
import { combine, type Words } from '../ring/kernels.js'
import type { CategoryColumn, CodeColumn, NumberColumn, PreparedColumn } from './columns.js'
import {
  type Condition,
  isNullable,
  type Numeric,
  type Relation,
  type SourceColumn,
  sourcesOf,
} from './expression.js'

/** Some of an owner's rows, column by column, as the protocols share them. */
export interface Chunk {
  readonly rows: number
  readonly columns: ReadonlyMap<SourceColumn['column'], PreparedColumn>
}

/** An owner's values, computed in the clear; 0 where one of the columns has none. */
export function valuesOf(value: Numeric, chunk: Chunk): Words {
  const values = computed(value, chunk)
  return value.kind !== 'column' && isNullable(value)
    ? combine('mul', values, presenceOf(value, chunk))
    : values
}

/** 1 where all columns in it have a value. */
export function presenceOf(value: Numeric, chunk: Chunk): Words {
  return sourcesOf(value)
    .map(source => numbers(source, chunk).present)
    .reduce((all, present) => combine('mul', all, present))
}

/** 1 where it is true, 0 where it is false or null. */
export function flagsOf(condition: Condition, chunk: Chunk): Words {
  switch (condition.kind) {
    case 'compare':
      return combine(
        'mul',
        related(condition.is, computed(condition.difference, chunk)),
        presenceOf(condition.difference, chunk),
      )
    case 'category': {
      const { codes } = categories(condition.source, chunk)
      const wanted = new Set(condition.places)
      return where(codes.length, row => codes[row] !== -1 && wanted.has(codes[row]!) === condition.among)
    }
    case 'code': {
      const { values, width, present } = codes(condition.source, chunk)
      const wanted = condition.codes
      return where(chunk.rows, row => {
        const at = row * width
        const among = wanted.some(code => code.every((word, place) => values[at + place] === word))
        return present[row] === 1n && among === condition.among
      })
    }
    case 'present': {
      const column = prepared(condition.source, chunk)
      return column.kind === 'category'
        ? where(chunk.rows, row => (column.codes[row] !== -1) === condition.wanted)
        : where(chunk.rows, row => (column.present[row] === 1n) === condition.wanted)
    }
    case 'and':
      return condition.parts.map(part => flagsOf(part, chunk)).reduce((a, b) => combine('and', a, b))
    case 'or': {
      const none = condition.parts
        .map(part => combine('sub', ones(chunk.rows), flagsOf(part, chunk)))
        .reduce((a, b) => combine('and', a, b))
      return combine('sub', ones(chunk.rows), none)
    }
    case 'otherwise':
      return combine('sub', ones(chunk.rows), flagsOf(condition.part, chunk))
    default:
      return unreachable(condition)
  }
}

/** 1 where the category is that of this place in its list. */
export function placesOf(source: SourceColumn, place: number, chunk: Chunk): Words {
  const { codes } = categories(source, chunk)
  return where(codes.length, row => codes[row] === place)
}

/** What stands for a text as part of a key: a word of its code, or its place in the list; 0 where there is none. */
export function wordOf(source: SourceColumn, word: number, chunk: Chunk): Words {
  const column = prepared(source, chunk)
  const words = new BigUint64Array(chunk.rows)
  if (column.kind === 'code') {
    for (let row = 0; row < words.length; row++) words[row] = column.values[row * column.width + word]!
  } else {
    const places = categories(source, chunk).codes
    for (let row = 0; row < words.length; row++) words[row] = BigInt(Math.max(0, places[row]!))
  }
  return words
}

export function ones(rows: number): Words {
  return new BigUint64Array(rows).fill(1n)
}

function computed(value: Numeric, chunk: Chunk): Words {
  switch (value.kind) {
    case 'column':
      return numbers(value.source, chunk).values
    case 'constant':
      return new BigUint64Array(chunk.rows).fill(BigInt.asUintN(64, value.value))
    case 'add':
    case 'subtract':
    case 'multiply':
      return combine(KERNELS[value.kind], computed(value.left, chunk), computed(value.right, chunk))
    default:
      return unreachable(value)
  }
}

const KERNELS = { add: 'add', subtract: 'sub', multiply: 'mul' } as const

/** Read as lanes of 32 bits: what a value is to zero, its higher lane says and whether both are zero. */
function related(is: Relation, difference: Words): Words {
  const lanes = new Int32Array(difference.buffer, difference.byteOffset, 2 * difference.length)
  const [below, equal, above] = HOLDS[is]
  return where(difference.length, row => {
    const high = lanes[2 * row + 1]!
    if (high < 0) return below
    return (high | lanes[2 * row]!) === 0 ? equal : above
  })
}

/** Of a difference below zero, of zero, and above it. */
const HOLDS: Readonly<Record<Relation, readonly [boolean, boolean, boolean]>> = {
  '<': [true, false, false],
  '<=': [true, true, false],
  '=': [false, true, false],
  '!=': [true, false, true],
  '>=': [false, true, true],
  '>': [false, false, true],
}

function where(rows: number, test: (row: number) => boolean): Words {
  const flags = new BigUint64Array(rows)
  const lanes = new Uint32Array(flags.buffer)
  for (let row = 0; row < rows; row++) if (test(row)) lanes[2 * row] = 1
  return flags
}

function numbers(source: SourceColumn, chunk: Chunk): NumberColumn {
  const column = prepared(source, chunk)
  if (column.kind === 'number') return column
  throw new SluiceError('INTERNAL', 'a category is taken for a number')
}

function categories(source: SourceColumn, chunk: Chunk): CategoryColumn {
  const column = prepared(source, chunk)
  if (column.kind === 'category') return column
  throw new SluiceError('INTERNAL', 'a number is taken for a category')
}

function codes(source: SourceColumn, chunk: Chunk): CodeColumn {
  const column = prepared(source, chunk)
  if (column.kind === 'code') return column
  throw new SluiceError('INTERNAL', 'another column is taken for one of codes')
}

function prepared({ column }: SourceColumn, { columns }: Chunk): PreparedColumn {
  const found = columns.get(column)
  if (found === undefined)
    throw new SluiceError('INTERNAL', 'a column is evaluated by another than its owner')
  return found
}

import { type Column, isText, isValid, stride, type TextColumn } from './column.js'
import type { Applied } from './rule.js'

/**
 * Counts what became of a column's values by comparing it with its successor, value for value. For rules whose
 * kernel does not count by itself.
 */
export function compared(before: Column, after: Column): Applied {
  let hidden = 0
  let fixedPoints = 0
  let nulls = 0
  const same = sameness(before, after)
  for (let i = 0; i < before.length; i++) {
    if (!isValid(before, i)) nulls++
    else if (!isValid(after, i)) hidden++
    else if (same(i)) fixedPoints++
  }
  return { column: after, hidden, fixedPoints, changed: before.length - nulls - hidden - fixedPoints }
}

/** Is value i the same in both? Values of two types never are. */
function sameness(before: Column, after: Column): (index: number) => boolean {
  if (isText(before)) return isText(after) ? i => sameText(before, after, i) : () => false
  if (isText(after) || before.type.kind !== after.type.kind) return () => false
  const { values: a } = before
  const { values: b } = after
  if (before.type.kind === 'boolean') {
    return i => ((Number(a[i >> 3]) ^ Number(b[i >> 3])) & (1 << (i & 7))) === 0
  }
  const step = stride(before.type)
  return i => {
    for (let k = i * step; k < (i + 1) * step; k++) if (!Object.is(a[k], b[k])) return false
    return true
  }
}

function sameText(a: TextColumn, b: TextColumn, index: number): boolean {
  const start = a.offsets[index]!
  const size = a.offsets[index + 1]! - start
  const other = b.offsets[index]!
  if (b.offsets[index + 1]! - other !== size) return false
  for (let k = 0; k < size; k++) if (a.bytes[start + k] !== b.bytes[other + k]) return false
  return true
}

import { z } from 'zod'
import { charactersOf, TOO_MANY, UNFIT } from '../characters.js'
import { TEXT, type TextColumn } from '../column.js'
import { type RuleDefinition, wrongType } from '../rule.js'
import { mapText, type TextOutput, type TextTransform } from '../text-map.js'

const count = z.int().min(1).max(64).describe('a number of characters: 1 to 64')
const one = (what: string) =>
  z
    .string()
    .refine(text => isOneCharacter(text), { message: 'is not one plain character' })
    .describe(what)

/** The part of a value that is spoken of. Characters are those that people see, counted from 1. */
const part = z
  .strictObject({
    first: count.optional(),
    last: count.optional(),
    from: count.optional(),
    to: count.optional(),
    before: one('the separator: one character').optional(),
    after: one('the separator: one character').optional(),
  })
  .refine(isOnePart, { message: 'says no part, or more than one' })
  .describe('{first: n}, {last: n}, {first: n, last: m}, {from: n, to: m}, {before: C} or {after: C}')

/** The form of its description. */
export const MaskRule = z
  .strictObject({
    kind: z.literal('mask'),
    keep: part.optional(),
    hide: part.optional(),
    with: one('what stands for a hidden character: one character; * where absent').optional(),
    width: z
      .int()
      .min(1)
      .max(64)
      .optional()
      .describe('how many of them stand for each hidden part, 1 to 64; one a character where absent'),
    least: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe(
        'percent of a value’s characters that are hidden at least: 1 to 100; 33, or 0 with a separator, where absent',
      ),
  })
  .refine(({ keep, hide }) => (keep === undefined) !== (hide === undefined), {
    message: 'needs keep or hide, and not both',
  })
  .describe('{kind: mask, keep or hide, with, width, least}: hides a part of a text (遮盖)')

export type MaskRule = z.infer<typeof MaskRule>

/**
 * Hides a part of a text (遮盖), by characters as people see them. What does not fit is hidden whole: a text too short
 * for something to be kept and something to be hidden, one of which less than a third (or `least`) would be hidden, one without exactly one separator, one with characters whose
 * bounds are in doubt (see `characters.ts`), and one that the mask would give back.
 */
export const mask: RuleDefinition<MaskRule> = {
  keyed: false,
  scope: 'chunk',
  resultType(_, type) {
    if (type.kind !== 'text') throw wrongType('mask', type, 'text')
    return TEXT
  },
  bind(rule) {
    const transform = transformOf(maskOf(rule))
    return chunk => mapText(chunk as TextColumn, transform, 'hide')
  },
}

/** A mask in three spans of characters: before the cut, between the cuts, after them. */
export interface Mask {
  readonly cut: Cut
  /** which spans are hidden: the one between, or the two around */
  readonly hidden: 'inner' | 'outer'
  readonly mark: string
  /** marks for each hidden span that is not empty; null: one a character */
  readonly width: number | null
  /** percent of a value's characters: one of which less would be hidden does not fit */
  readonly least: number
}

export type Cut =
  /** after the first `first` and before the last `last`; something has to be left between them */
  | { readonly kind: 'ends'; readonly first: number; readonly last: number }
  /** characters `from` to `to`, which have to be there, and at least one other */
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  /** inner is the separator, which stands there once, with what is before (or after) it */
  | { readonly kind: 'separator'; readonly separator: string; readonly side: 'before' | 'after' }

/**
 * Where characters are counted, a third: a middle character of three is enough, and one of eight is not. What stands on
 * one side of a separator is hidden as a whole, however short it is.
 */
const LEAST = 33

export function maskOf({ keep, hide, with: mark = '*', width, least }: MaskRule): Mask {
  const { first, last, from, to, before, after } = (keep ?? hide)!
  const counted = before === undefined && after === undefined
  const shared = { mark, width: width ?? null, least: least ?? (counted ? LEAST : 0) }
  if (from !== undefined && to !== undefined) {
    return { ...shared, cut: { kind: 'range', from, to }, hidden: keep === undefined ? 'inner' : 'outer' }
  }
  const separator = before ?? after
  if (separator !== undefined) {
    const spoken = before === undefined ? 'after' : 'before'
    const other = before === undefined ? 'before' : 'after'
    const side = keep === undefined ? other : spoken
    return { ...shared, cut: { kind: 'separator', separator, side }, hidden: 'outer' }
  }
  const cut = { kind: 'ends', first: first ?? 0, last: last ?? 0 } as const
  return { ...shared, cut, hidden: keep === undefined ? 'outer' : 'inner' }
}

const LONGEST = 4096

/** What a mask does to one value. */
export function transformOf({ cut, hidden, mark, width, least }: Mask): TextTransform {
  const markBytes = new TextEncoder().encode(mark)
  const locate = locatorOf(cut)
  let starts = new Int32Array(LONGEST + 1)
  const bounds: Bounds = { a: 0, b: 0 }
  const stars = (out: TextOutput, characters: number) => {
    if (characters > 0) out.repeat(markBytes, width ?? characters)
  }
  return (bytes, start, end, out) => {
    let count = charactersOf(bytes, start, end, starts)
    if (count === TOO_MANY) {
      starts = new Int32Array(end - start + 1)
      count = charactersOf(bytes, start, end, starts)
    }
    if (count === UNFIT || !locate(bytes, starts, count, bounds)) return false
    const { a, b } = bounds
    if (100 * (hidden === 'inner' ? b - a : count - (b - a)) < least * count) return false
    if (hidden === 'inner') {
      out.copy(bytes, start, starts[a]!)
      stars(out, b - a)
      out.copy(bytes, starts[b]!, end)
    } else {
      stars(out, a)
      out.copy(bytes, starts[a]!, starts[b]!)
      stars(out, count - b)
    }
    return true
  }
}

interface Bounds {
  a: number
  b: number
}

/** Finds the inner span `a … b` of a value's characters; false where the value does not fit. */
function locatorOf(
  cut: Cut,
): (bytes: Uint8Array, starts: Int32Array, count: number, bounds: Bounds) => boolean {
  switch (cut.kind) {
    case 'ends': {
      const { first, last } = cut
      return (_, __, count, bounds) => {
        bounds.a = first
        bounds.b = count - last
        return count > first + last
      }
    }
    case 'range': {
      const { from, to } = cut
      return (_, __, count, bounds) => {
        bounds.a = from - 1
        bounds.b = to
        return count >= to && count > to - from + 1
      }
    }
    case 'separator': {
      const separator = new TextEncoder().encode(cut.separator)
      return (bytes, starts, count, bounds) => {
        const at = onlyOccurrence(bytes, starts, count, separator)
        if (at <= 0 || at === count - 1) return false
        bounds.a = cut.side === 'before' ? 0 : at
        bounds.b = cut.side === 'before' ? at + 1 : count
        return true
      }
    }
  }
}

/** Which character the separator is; -1 where there is none, or more than one. */
function onlyOccurrence(bytes: Uint8Array, starts: Int32Array, count: number, separator: Uint8Array): number {
  let found = -1
  for (let i = 0; i < count; i++) {
    const at = starts[i]!
    if (bytes[at] !== separator[0] || !begins(bytes, at, separator)) continue
    // the separator with a mark on it is another character: whoever reads it would cut it elsewhere
    if (found >= 0 || starts[i + 1]! - at !== separator.length) return -1
    found = i
  }
  return found
}

function begins(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let k = 1; k < text.length; k++) if (bytes[at + k] !== text[k]) return false
  return true
}

/** One letter or symbol without marks; no pictograph, which may be a part of another character. */
function isOneCharacter(text: string): boolean {
  if ([...text].length !== 1 || text.codePointAt(0)! >= 0x1f000) return false
  const bytes = new TextEncoder().encode(text)
  return charactersOf(bytes, 0, bytes.length, new Int32Array(2)) === 1
}

function isOnePart({
  first,
  last,
  from,
  to,
  before,
  after,
}: {
  [key in 'first' | 'last' | 'from' | 'to']?: number | undefined
} & { before?: string | undefined; after?: string | undefined }): boolean {
  const ends = first !== undefined || last !== undefined
  const range = from !== undefined || to !== undefined
  const whole = from !== undefined && to !== undefined && from <= to
  const said = [ends, range, before !== undefined, after !== undefined].filter(Boolean).length
  return said === 1 && (!range || whole)
}

/**
 * Characters as people see them: extended grapheme clusters (UAX #29), of those scripts whose clusters are beyond
 * doubt in every version of Unicode. A text fits if it is made of such clusters from end to end:
 *
 *     cluster = flag flag | picture extend* (joiner picture extend*)* | letter extend*
 *
 * Anything else (control and format characters, lone marks, conjoining jamo, scripts with other rules, unassigned)
 * does not fit, so that two engines can never cut a text at two places. The ranges are ours to state: a regular
 * expression made of them means the same here and in a database.
 */
type Range = readonly [first: number, last: number]

/** Regional indicators: two make a flag. */
const FLAGS: readonly Range[] = [[0x1f1e6, 0x1f1ff]]

/** Pictographs: what a joiner may join. */
const PICTURES: readonly Range[] = [
  [0x1f300, 0x1f3fa],
  [0x1f400, 0x1f53d],
  [0x1f546, 0x1f64f],
  [0x1f680, 0x1f6d7],
  [0x1f90c, 0x1f93a],
  [0x1f93c, 0x1f945],
  [0x1f947, 0x1f9ff],
  [0x1fa70, 0x1fa7c],
]

/** Combining marks, emoji modifiers and variation selectors, also the ideographic ones (IVS). */
const EXTENDS: readonly Range[] = [
  [0x0300, 0x036f],
  [0x0483, 0x0489],
  [0x064b, 0x065f],
  [0x0670, 0x0670],
  [0x06d6, 0x06dc],
  [0x06df, 0x06e4],
  [0x06e7, 0x06e8],
  [0x06ea, 0x06ed],
  [0x0f71, 0x0f84],
  [0x0f8d, 0x0f97],
  [0x0f99, 0x0fbc],
  [0x1dc0, 0x1df5],
  [0x20d0, 0x20f0],
  [0x302a, 0x302f],
  [0x3099, 0x309a],
  [0xfe00, 0xfe0f],
  [0xfe20, 0xfe2f],
  [0xff9e, 0xff9f],
  [0x1f3fb, 0x1f3ff],
  [0xe0100, 0xe01ef],
]

/** Latin, Greek, Cyrillic, Arabic and Tibetan letters, symbols, kana, bopomofo, Han, Yi, Hangul, full-width forms. */
const LETTERS: readonly Range[] = [
  [0x20, 0x7e],
  [0xa1, 0xac],
  [0xae, 0x2ff],
  [0x370, 0x377],
  [0x37b, 0x37f],
  [0x384, 0x386],
  [0x388, 0x38a],
  [0x38e, 0x3a1],
  [0x3a3, 0x482],
  [0x48a, 0x52f],
  [0x620, 0x64a],
  [0x660, 0x66f],
  [0x671, 0x6d5],
  [0x6ee, 0x6ff],
  [0xf00, 0xf17],
  [0xf20, 0xf34],
  [0xf40, 0xf47],
  [0xf49, 0xf6c],
  [0x1e00, 0x1f15],
  [0x2010, 0x2027],
  [0x2030, 0x205e],
  [0x2070, 0x2071],
  [0x2074, 0x208e],
  [0x20a0, 0x20bf],
  [0x2100, 0x218b],
  [0x2190, 0x23ff],
  [0x2460, 0x2b73],
  [0x2e80, 0x2e99],
  [0x2f00, 0x2fd5],
  [0x3001, 0x3029],
  [0x3030, 0x303f],
  [0x3041, 0x3096],
  [0x309b, 0x30ff],
  [0x3105, 0x312f],
  [0x3131, 0x318e],
  [0x3190, 0x31e3],
  [0x31f0, 0x321e],
  [0x3220, 0xa48c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfa6d],
  [0xfa70, 0xfad9],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe52],
  [0xff01, 0xff9d],
  [0xffe0, 0xffe6],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2ebe0],
  [0x2f800, 0x2fa1d],
  [0x30000, 0x323af],
]

const JOINER = 0x200d

const OTHER = 0
const LETTER = 1
const EXTEND = 2
const PICTURE = 3
const FLAG = 4
const JOIN = 5

/** Kinds of the code points of planes 0 and 1, where most ranges are; the other planes are looked up. */
const KINDS = new Uint8Array(0x20000)
for (const [ranges, kind] of [
  [LETTERS, LETTER],
  [EXTENDS, EXTEND],
  [PICTURES, PICTURE],
  [FLAGS, FLAG],
] as const) {
  for (const [first, last] of ranges) if (first < KINDS.length) KINDS.fill(kind, first, last + 1)
}
KINDS[JOINER] = JOIN

function kindOf(point: number): number {
  if (point < KINDS.length) return KINDS[point]!
  if (within(LETTERS, point)) return LETTER
  return within(EXTENDS, point) ? EXTEND : OTHER
}

function within(ranges: readonly Range[], point: number): boolean {
  return ranges.some(([first, last]) => point >= first && point <= last)
}

/**
 * Where the characters of a UTF-8 text begin.
 *
 * @param starts takes the positions of the characters and, after the last, `end`; filled up to its length
 * @returns how many characters there are; `TOO_MANY` where `starts` is too short; `UNFIT` where the text does not fit
 */
export function charactersOf(bytes: Uint8Array, start: number, end: number, starts: Int32Array): number {
  let count = 0
  let before = OTHER
  let flags = 0
  for (let at = start; at < end; ) {
    const from = at
    const lead = bytes[at]!
    let kind: number
    if (lead < 0x80) {
      kind = lead >= 0x20 && lead < 0x7f ? LETTER : OTHER
      at += 1
    } else if (lead < 0xc2) {
      return UNFIT
    } else if (lead < 0xe0) {
      kind = KINDS[((lead & 0x1f) << 6) | (bytes[at + 1]! & 0x3f)]!
      at += 2
    } else if (lead < 0xf0) {
      kind = KINDS[((lead & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f)]!
      at += 3
    } else {
      kind = kindOf(
        ((lead & 0x07) << 18) |
          ((bytes[at + 1]! & 0x3f) << 12) |
          ((bytes[at + 2]! & 0x3f) << 6) |
          (bytes[at + 3]! & 0x3f),
      )
      at += 4
    }
    if (kind === OTHER || at > end) return UNFIT
    // a flag that has not found its second half lets nothing else come in between
    if ((flags & 1) === 1 && kind !== FLAG) return UNFIT
    if (kind === EXTEND) {
      // a mark after a whole flag would belong to it; flags carry none here
      if (before === OTHER || before === FLAG || before === JOIN) return UNFIT
      if (before !== PICTURE && before !== EXTENDED_PICTURE) continue
      before = EXTENDED_PICTURE
      continue
    }
    if (kind === JOIN) {
      if (before !== PICTURE && before !== EXTENDED_PICTURE) return UNFIT
      before = JOIN
      continue
    }
    if (before === JOIN) {
      if (kind !== PICTURE) return UNFIT
      before = PICTURE
      continue
    }
    flags = kind === FLAG ? flags + 1 : 0
    before = kind
    if (kind === FLAG && (flags & 1) === 0) continue
    if (count >= starts.length) return TOO_MANY
    starts[count++] = from
  }
  if (before === JOIN || (flags & 1) === 1) return UNFIT
  if (count >= starts.length) return TOO_MANY
  starts[count] = end
  return count
}

const EXTENDED_PICTURE = 6

export const UNFIT = -1
export const TOO_MANY = -2

/** One character as a regular expression of RE2: `charactersOf` and this mean the same. */
export const CHARACTER_PATTERN = [
  `[${classOf(FLAGS)}]{2}`,
  `[${classOf(PICTURES)}][${classOf(EXTENDS)}]*(?:\\x{${JOINER.toString(16)}}[${classOf(PICTURES)}][${classOf(EXTENDS)}]*)*`,
  `[${classOf(LETTERS)}][${classOf(EXTENDS)}]*`,
].join('|')

function classOf(ranges: readonly Range[]): string {
  return ranges
    .map(([first, last]) => `${escaped(first)}${first === last ? '' : `-${escaped(last)}`}`)
    .join('')
}

function escaped(point: number): string {
  return `\\x{${point.toString(16)}}`
}

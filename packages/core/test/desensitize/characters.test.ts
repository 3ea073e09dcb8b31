import { CHARACTER_PATTERN, charactersOf } from '@sluice/core/desensitize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
const whole = new RegExp(`^(?:${CHARACTER_PATTERN.replaceAll('\\x{', '\\u{')})*$`, 'u')

function characters(text: string): string[] | null {
  const bytes = encoder.encode(text)
  const starts = new Int32Array(bytes.length + 1)
  const count = charactersOf(bytes, 0, bytes.length, starts)
  if (count < 0) return null
  return Array.from({ length: count }, (_, i) => decoder.decode(bytes.subarray(starts[i], starts[i + 1])))
}

/** Code points that matter to clusters, and any others. */
const point = fc.oneof(
  fc.constantFrom(
    0x41,
    0x5f20,
    0x4e09,
    0x20bb7,
    0xb7,
    0x1f468,
    0x1f469,
    0x200d,
    0xfe0f,
    0xe0101,
    0x301,
    0x3099,
  ),
  fc.constantFrom(
    0x1f1e8,
    0x1f1f3,
    0x1f3fd,
    0x1100,
    0x1161,
    0xac00,
    0xff11,
    0x0d,
    0x0a,
    0x200b,
    0x202e,
    0x2764,
    0x605,
  ),
  fc.integer({ min: 0x20, max: 0x33ff }),
  fc.integer({ min: 0xd, max: 0x10ffff }).filter(p => p < 0xd800 || p > 0xdfff),
)
const text = fc.array(point, { maxLength: 12 }).map(points => String.fromCodePoint(...points))

describe('characters', () => {
  it('are the grapheme clusters of Unicode wherever a text fits', () => {
    fc.assert(
      fc.property(text, value => {
        const found = characters(value)
        if (found !== null) expect(found).toEqual([...segmenter.segment(value)].map(part => part.segment))
      }),
      { numRuns: 20_000, seed: 1 },
    )
  })

  it('mean the same as the pattern', () => {
    fc.assert(
      fc.property(text, value => {
        expect(characters(value) !== null).toBe(whole.test(value))
      }),
      { numRuns: 20_000, seed: 2 },
    )
  })

  it('every code point that fits is a character between others', () => {
    const fitting: string[] = []
    for (let p = 0; p < 0x110000; p++) {
      const value = `张${String.fromCodePoint(p >= 0xd800 && p <= 0xdfff ? 0 : p)}三`
      if (characters(value) !== null) fitting.push(value)
    }
    expect(fitting.length).toBeGreaterThan(90_000)
    for (let at = 0; at < fitting.length; at += 500) {
      const value = fitting.slice(at, at + 500).join('')
      const expected = [...segmenter.segment(value)].map(part => part.segment)
      expect(characters(value)).toEqual(expected)
    }
  })

  it.each([
    ['𠮷野家', ['𠮷', '野', '家']],
    ['👨‍👩‍👧张', ['👨‍👩‍👧', '张']],
    ['🇨🇳🇭🇰', ['🇨🇳', '🇭🇰']],
    ['葛\u{e0101}城', ['葛\u{e0101}', '城']],
    ['e\u0301a', ['e\u0301', 'a']],
    ['', []],
  ])('%s', (value, expected) => {
    expect(characters(value)).toEqual(expected)
  })

  it.each([
    '\u0301a',
    '🇨',
    '🇨🇳🇭',
    'a\u200bb',
    'a\r\nb',
    '\u202eabc',
    '👨‍',
    '👨‍a',
    '\u1100\u1161',
    'ក្រ',
    '\u{e000}',
  ])('what is in doubt does not fit: %j', value => {
    expect(characters(value)).toBeNull()
  })

  it('bytes that are no UTF-8 do not fit, and nothing beyond the value is read', () => {
    const starts = new Int32Array(8)
    for (const bytes of [[0x80], [0xc1, 0x81], [0xe5, 0xbc], [0xf0, 0xa0, 0xae], [0xe5], [0xff]]) {
      const buffer = Uint8Array.from([...bytes, 0xbc, 0xa0, 0x41])
      expect(charactersOf(buffer, 0, bytes.length, starts)).toBeLessThan(0)
    }
  })
})

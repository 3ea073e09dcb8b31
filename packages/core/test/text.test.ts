import { nearestNames, visibleText } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { cpuSeconds } from './cpu.ts'

describe('visibleText', () => {
  it.each([
    ['plain text, 数闸 and 😀', 'plain text, 数闸 and 😀'],
    ['a\u001b[2Kb', 'a\\u{1b}[2Kb'],
    ['line\nbreak\r\ttab', 'line\\u{a}break\\u{d}\\u{9}tab'],
    ['\u202egnirts', '\\u{202e}gnirts'],
    ['a\u200bb\ufeff', 'a\\u{200b}b\\u{feff}'],
    ['no\u00a0break\u3000wide', 'no\\u{a0}break\\u{3000}wide'],
    ['\u3164\u{e0041}\ufe0f', '\\u{3164}\\u{e0041}\\u{fe0f}'],
    ['lone \ud800', 'lone \\u{d800}'],
    ['\\u{a}', '\\\\u{a}'],
    ['\u2028', '\\u{2028}'],
  ])('%j', (text, visible) => {
    expect(visibleText(text)).toBe(visible)
  })

  it('writes no two texts alike', () => {
    expect(visibleText('\n')).not.toBe(visibleText('\\u{a}'))
  })
})

describe('nearestNames', () => {
  it('finds what was meant, nearest first, and nothing that is far', () => {
    expect(nearestNames('opertaor', ['operator', 'operators', 'cost'])).toEqual(['operator', 'operators'])
    expect(nearestNames('COST', ['cost', 'costs'])).toEqual(['cost', 'costs'])
    expect(nearestNames('cost', ['airline', 'phase'])).toEqual([])
    expect(
      nearestNames(
        'a',
        Array.from({ length: 9 }, (_, i) => `${i}`),
      ),
    ).toHaveLength(3)
  })

  it('is quick for long names', () => {
    const far = Array.from({ length: 1000 }, (_, i) => `${'y'.repeat(1000)}${i}`)
    expect(cpuSeconds(() => nearestNames('x'.repeat(100_000), far))).toBeLessThan(5)
  })
})

import type { TextColumn } from '@sluice/core/desensitize'
import { describe, expect, it } from 'vitest'
import { applied, texts } from './keyed.ts'

const FPE = { kind: 'fpe', key: 'k', domain: 'credit', length: 11 }

describe('fpe', () => {
  it('keeps length, characters and what it is told to keep, and is injective', async () => {
    const phones = Array.from({ length: 20_000 }, (_, i) => `138${String(i * 4999).padStart(8, '0')}`)
    const { values, counts } = await applied({ ...FPE, keepFirst: 3 }, texts(phones), { chunk: 7001 })
    expect(counts).toEqual({ rows: 20_000, nulls: 0, changed: 20_000, hidden: 0, fixedPoints: 0 })
    expect(new Set(values).size).toBe(20_000)
    for (const [i, value] of values.entries()) {
      expect(value).toMatch(/^138\d{8}$/)
      expect(value).not.toBe(phones[i])
    }
  })

  it('hides what has another length or other characters, and counts it', async () => {
    const misfits = [
      '1380013800',
      '138001380001',
      '1380013800x',
      '１３８００１３８０００',
      '138 0138000',
      '',
      '😀😀😀',
    ]
    const { values, counts, columns } = await applied(FPE, texts([...misfits, null, '13800138000']))
    expect(values.slice(0, -1)).toEqual([...misfits.map(() => null), null])
    expect(counts).toEqual({ rows: 9, nulls: 1, changed: 1, hidden: 7, fixedPoints: 0 })
    expect((columns[0] as { bytes: Uint8Array }).bytes).toHaveLength(11)
  })

  it.each([
    ['alphanumeric', 'A1B2C3D4', /^[0-9A-Z]{8}$/],
    ['uppercase', 'ABCDEFGH', /^[A-Z]{8}$/],
    ['lowercase', 'abcdefgh', /^[a-z]{8}$/],
  ] as const)('of %s', async (alphabet, value, form) => {
    const rule = { ...FPE, alphabet, length: { min: 6, max: 20 } }
    const { values } = await applied(rule, texts([value, value.slice(2)]))
    for (const out of values) expect(out).toMatch(alphabet === 'uppercase' ? /^[A-Z]+$/ : /^[0-9A-Za-z]+$/)
    expect(values[0]).toMatch(form)
    expect(values[0]).not.toBe(value)
  })

  it('differs by domain and by cipher', async () => {
    const column = texts(['13800138000'])
    const all = await Promise.all([
      applied(FPE, column),
      applied({ ...FPE, domain: 'health' }, column),
      applied({ ...FPE, cipher: 'sm4' }, column),
    ])
    expect(new Set(all.map(({ values }) => values[0])).size).toBe(3)
  })

  it('hides the value that the permutation leaves as it is: it would come out in clear', async () => {
    const column = sixDigits()
    // a permutation has one fixed point on average, and this domain's has some
    const { columns, counts } = await applied({ ...FPE, domain: 'b', length: 6 }, column)
    const after = columns[0] as TextColumn
    const seen = new Set<number>()
    let same = 0
    for (let row = 0; row < column.length; row++) {
      const at = after.offsets[row]!
      if (after.offsets[row + 1] === at) continue
      const value = Number(Buffer.from(after.bytes.subarray(at, at + 6)).toString())
      seen.add(value)
      if (value === row) same++
    }
    expect(same).toBe(0)
    expect(seen.size).toBe(counts.changed)
    expect(counts.hidden).toBe(1_000_000 - counts.changed)
    expect(counts.hidden).toBeGreaterThan(0)
    expect(counts.hidden).toBeLessThan(10)
  })

  it('refuses a domain below a million, halves that are too long, numbers, and a range that is none', async () => {
    const column = texts(['1'])
    for (const rule of [
      { length: 4 },
      { length: 11, keepFirst: 7 },
      { length: 11, keepFirst: 3, keepLast: 3 },
      { length: { min: 5, max: 11 } },
      { length: 11, keepFirst: 11 },
      { length: 4, alphabet: 'uppercase' },
    ]) {
      await expect(applied({ ...FPE, ...rule }, column)).toThrowWithCode('RULE_INVALID', 'ff1.domain')
    }
    await expect(applied({ ...FPE, length: 31 }, column)).toThrowWithCode('RULE_INVALID', 'ff1.length')
    await expect(applied({ ...FPE, length: { min: 11, max: 10 } }, column)).toThrowWithCode(
      'RULE_INVALID',
      'rule.fpe.length',
    )
    const flags = { type: { kind: 'boolean' } as const, length: 0, validity: null, values: new Uint8Array(0) }
    await expect(applied(FPE, flags)).toThrowWithCode('RULE_INVALID', 'rule.fpe.type')
  })
})

/** All values of six digits. */
function sixDigits(): TextColumn {
  const length = 1_000_000
  const offsets = Int32Array.from({ length: length + 1 }, (_, i) => 6 * i)
  const bytes = new Uint8Array(6 * length)
  for (let i = 0; i < length; i++) {
    for (let k = 5, rest = i; k >= 0; k--, rest = Math.floor(rest / 10)) bytes[6 * i + k] = 48 + (rest % 10)
  }
  return { type: { kind: 'text' }, length, validity: null, offsets, bytes }
}

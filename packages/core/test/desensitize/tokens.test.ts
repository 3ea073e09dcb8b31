import {
  type Column,
  columnOfVector,
  revealCells,
  revealTokens,
  type TextColumn,
} from '@sluice/core/desensitize'
import { DateDay, Float64, Int32, Int64, Uint8, vectorFromArray } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { applied, OTHER_SECRET, SECRET, texts, values } from './keyed.ts'

const TOKEN = { kind: 'token', key: 'k', domain: 'credit' }
const REVERSIBLE = { kind: 'reversible-token', key: 'k', domain: 'credit' }
const ENCRYPT = { kind: 'encrypt', key: 'k' }
const PHONES = ['13800138000', '13800138001', null, '', '13800138000', '１３８００１３８０００', '😀']

describe('token', () => {
  it.each([
    ['aes-cmac', 32],
    ['sm4-cmac', 32],
    ['hmac-sha256', 64],
    ['hmac-sm3', 64],
  ] as const)(
    '%s: equal values have equal tokens, others do not, and nothing else comes out',
    async (algorithm, digits) => {
      const { values: tokens, counts } = await applied({ ...TOKEN, algorithm }, texts(PHONES))
      expect(counts).toEqual({ rows: 7, nulls: 1, changed: 5, hidden: 1, fixedPoints: 0 })
      expect(tokens.map(token => token === null)).toEqual([false, false, true, true, false, false, false])
      expect(tokens[0]).toBe(tokens[4])
      expect(new Set(tokens).size).toBe(5)
      for (const token of tokens)
        if (token !== null) expect(token).toMatch(new RegExp(`^[0-9a-f]{${digits}}$`))
    },
  )

  it('joins inside a domain and not across, nor across keys, algorithms and rules', async () => {
    const phone = texts(['13800138000'])
    const tokens = await Promise.all([
      applied(TOKEN, phone),
      applied({ ...TOKEN, domain: 'health' }, phone),
      applied({ ...TOKEN, algorithm: 'sm4-cmac' }, phone),
      applied(TOKEN, phone, { secret: OTHER_SECRET }),
    ])
    expect(new Set(tokens.map(({ values }) => values[0])).size).toBe(4)
    const elsewhere = await applied(TOKEN, phone, { dataset: 'loans', column: 'mobile' })
    expect(elsewhere.values).toEqual(tokens[0]!.values)
  })

  it('is the same in any chunks, and for an integer of any width', async () => {
    const phones = Array.from({ length: 1000 }, (_, i) => (i % 7 === 0 ? null : `1380013${i}`))
    const whole = await applied(TOKEN, texts(phones))
    const chunked = await applied(TOKEN, texts(phones), { chunk: 37 })
    expect(chunked.values).toEqual(whole.values)
    expect(chunked.counts).toEqual(whole.counts)
    const wide = await applied(TOKEN, columnOfVector(vectorFromArray([7n, -7n, null], new Int64())))
    const narrow = await applied(TOKEN, columnOfVector(vectorFromArray([7, -7, null], new Int32())))
    expect(wide.values).toEqual(narrow.values)
    const seven = await applied(TOKEN, texts(['7']))
    expect(seven.values[0]).not.toBe(wide.values[0])
    const day = await applied(TOKEN, columnOfVector(vectorFromArray([new Date('1990-01-02')], new DateDay())))
    expect(day.values[0]).not.toBe((await applied(TOKEN, texts(['1990-01-02']))).values[0])
    expect(day.counts.changed).toBe(1)
  })

  it('refuses a type that it cannot spell, and a secret that is none', async () => {
    const amounts = columnOfVector(vectorFromArray([1.5], new Float64()))
    await expect(applied(TOKEN, amounts)).toThrowWithCode('RULE_INVALID', 'rule.token.type')
    for (const size of [0, 16, 31, 33]) {
      await expect(applied(TOKEN, texts(['x']), { secret: new Uint8Array(size) })).toThrowWithCode(
        'KEY_INVALID',
        'key.length',
      )
    }
  })
})

describe('reversible tokens', () => {
  it('open with their key and domain, and with nothing else', async () => {
    const { columns, values: tokens, counts } = await applied(REVERSIBLE, texts(PHONES))
    expect(counts).toEqual({ rows: 7, nulls: 1, changed: 5, hidden: 1, fixedPoints: 0 })
    expect(tokens[0]).toBe(tokens[4])
    expect(tokens[0]).toMatch(/^rt1\.[0-9a-f]{56}$/)
    const column = columns[0] as TextColumn
    const opened = revealTokens(column, SECRET, 'credit')
    expect(values(opened.column)).toEqual(PHONES.map(phone => phone || null))
    expect([opened.opened, opened.refused]).toEqual([5, 0])
    for (const [secret, domain] of [
      [SECRET, 'health'],
      [OTHER_SECRET, 'credit'],
    ] as const) {
      const closed = revealTokens(column, secret, domain)
      expect([closed.opened, closed.refused]).toEqual([0, 5])
      expect(closed.column.bytes).toHaveLength(0)
    }
  })

  it('that were changed are refused, and so is what is no token', async () => {
    const { values: tokens } = await applied(REVERSIBLE, texts(['13800138000']))
    const token = tokens[0] as string
    const forged = [
      `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`,
      token.slice(0, -2),
      `${token}00`,
      token.toUpperCase(),
      token.slice(4),
      'rt1.',
      'rt1.zz',
      '13800138000',
      '',
    ]
    const opened = revealTokens(texts([...forged, token]), SECRET, 'credit')
    expect(values(opened.column)).toEqual([...forged.map(() => null), '13800138000'])
    expect([opened.opened, opened.refused]).toEqual([1, forged.length])
  })

  it('open to the text of integers and dates', async () => {
    const column = columnOfVector(vectorFromArray([1, 255], new Uint8()))
    const { columns } = await applied(REVERSIBLE, column)
    expect(values(revealTokens(columns[0] as TextColumn, SECRET, 'credit').column)).toEqual(['1', '255'])
  })
})

describe('encrypted cells', () => {
  const PLACE = { dataset: 'register', column: 'c' }

  it.each([
    ['aes-256-gcm', 'ec1a.'],
    ['sm4-gcm', 'ec1s.'],
  ] as const)('%s: open where they stand, and nowhere else', async (cipher, mark) => {
    const { columns, values: cells, counts } = await applied({ ...ENCRYPT, cipher }, texts(PHONES))
    expect(counts).toEqual({ rows: 7, nulls: 1, changed: 5, hidden: 1, fixedPoints: 0 })
    expect(cells[0]).not.toBe(cells[4])
    expect(String(cells[0]).startsWith(mark)).toBe(true)
    const column = columns[0] as TextColumn
    const opened = await revealCells(column, SECRET, PLACE, cipher, 0)
    expect(values(opened.column)).toEqual(PHONES.map(phone => phone || null))
    expect(opened.opened).toBe(5)
    const elsewhere = [
      revealCells(column, SECRET, { ...PLACE, dataset: 'loans' }, cipher, 0),
      revealCells(column, SECRET, { ...PLACE, column: 'd' }, cipher, 0),
      revealCells(column, SECRET, PLACE, cipher, 1),
      revealCells(column, OTHER_SECRET, PLACE, cipher, 0),
      revealCells(column, SECRET, PLACE, cipher === 'sm4-gcm' ? 'aes-256-gcm' : 'sm4-gcm', 0),
      revealCells(texts([...cells.slice(1, 2), ...cells.slice(0, 1)] as string[]), SECRET, PLACE, cipher, 0),
    ]
    for (const closed of await Promise.all(elsewhere)) {
      expect(closed.opened).toBe(0)
      expect(closed.column.bytes).toHaveLength(0)
    }
  })

  it('of every run of rows have a key of their own, so that no nonce comes twice under one', async () => {
    const column = texts(Array.from({ length: 300 }, () => 'same'))
    const { columns, values: cells } = await applied(ENCRYPT, column, { chunk: 100 })
    expect(new Set(cells).size).toBe(300)
    const salts = new Set(cells.map(cell => String(cell).slice(5, 37)))
    expect(salts.size).toBe(3)
    for (const [i, run] of columns.entries()) {
      const opened = await revealCells(run as TextColumn, SECRET, PLACE, 'aes-256-gcm', i * 100)
      expect(opened.opened).toBe(100)
    }
  })

  it('that were changed in any place are refused', async () => {
    const { values: cells } = await applied(ENCRYPT, texts(['13800138000']))
    const cell = cells[0] as string
    const changed = Array.from({ length: cell.length }, (_, i) => {
      const digit = cell[i] === '0' ? '1' : '0'
      return `${cell.slice(0, i)}${digit}${cell.slice(i + 1)}`
    })
    for (const other of [...changed, cell.slice(0, -2), 'ec1a.', 'ec1a.00', '']) {
      const { opened, refused } = await revealCells(texts([other]), SECRET, PLACE, 'aes-256-gcm', 0)
      expect([opened, refused]).toEqual([0, 1])
    }
  })
})

it('no key and no value is in what a rule refuses', async () => {
  const column: Column = columnOfVector(vectorFromArray([13_800_138_000.5], new Float64()))
  const error = await applied(TOKEN, column).catch(String)
  expect(error).not.toContain('13800138000')
})

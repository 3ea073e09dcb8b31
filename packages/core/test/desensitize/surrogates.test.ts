import type { Column, TextColumn } from '@sluice/core/desensitize'
import { describe, expect, it } from 'vitest'
import { generator } from './apply.ts'
import { seeded } from './cipher/vectors.ts'
import { applied, texts } from './keyed.ts'

const IDENTITY = { kind: 'surrogate-identity-number', key: 'k', domain: 'credit' }
const CREDIT = { kind: 'surrogate-credit-code', key: 'k', domain: 'credit' }

/** ISO 7064, section 6, MOD 11-2, by its recursion over ASCII digits: a second way to the check character. */
function mod112(digits: Uint8Array): string {
  let rest = 0
  for (const digit of digits) rest = ((rest + digit - 48) * 2) % 11
  return '0123456789X'[(12 - rest) % 11]!
}

/** A body of 17 digits with its check character. */
const checked = (body: string) => body + mod112(Buffer.from(body))

/** GB 32100-2015, appendix B. */
function mod31(code: string): string {
  const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY'
  const sum = [...code].reduce(
    (total, character, i) => total + alphabet.indexOf(character) * (3 ** i % 31),
    0,
  )
  return alphabet[(31 - (sum % 31)) % 31]!
}

/** GB 11714-1997. */
function mod11(code: string): string {
  const weights = [3, 7, 9, 10, 5, 8, 4, 2]
  const sum = [...code].reduce(
    (total, character, i) => total + Number.parseInt(character, 36) * weights[i]!,
    0,
  )
  return '0123456789X'[(11 - (sum % 11)) % 11]!
}

const PROVINCES = /^(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])/
const UNISSUED = /^(?:1[6-9]|2[04-9]|3[089]|4[07-9]|5[5-9]|6[07-9]|7[02-9]|8[04-9])/

const PROVINCE_CODES = Array.from({ length: 100 }, (_, i) => i).filter(i => PROVINCES.test(String(i)))
const FIRST_DAY = Date.UTC(1900, 0, 1)
/** Every date of birth that the rule knows unless told otherwise, as eight digits, and its place among them. */
const DATES = Array.from({ length: (Date.UTC(2050, 0, 1) - FIRST_DAY) / 86_400_000 }, (_, day) =>
  Number(new Date(FIRST_DAY + day * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '')),
)
const DAYS = new Map(DATES.map((date, day) => [date, day]))
const NUMBER = checked('11010519491231100')

describe('surrogate identity numbers', () => {
  it('know the check characters of the standards', async () => {
    // the examples of GB 11643-1999
    const examples = ['11010519491231002X', '440524188001010014']
    for (const example of examples) expect(checked(example.slice(0, 17))).toBe(example)
    const born = { bornFrom: '1880-01-01', bornTo: '1949-12-31' }
    const { counts } = await applied({ ...IDENTITY, ...born }, texts(examples))
    expect(counts.changed).toBe(2)
    expect(mod31('91350100M000100Y4')).toBe('3')
    expect(mod11('M000100Y')).toBe('4')
  })

  it('a million of them: injective, valid in date and check character, and nobody’s', async () => {
    const column = millionIdentityNumbers()
    const { columns, counts } = await applied(IDENTITY, column, { chunk: 250_000 })
    expect(counts).toEqual({
      rows: column.length,
      nulls: 0,
      changed: column.length,
      hidden: 0,
      fixedPoints: 0,
    })
    const distinct = (of: readonly Column[]) =>
      new Set(of.flatMap(part => numbersOf(part as TextColumn))).size
    expect(distinct(columns)).toBe(distinct([column]))
  })

  it('are the same in a domain, and others in another', async () => {
    const all = await Promise.all([
      applied(IDENTITY, texts([NUMBER])),
      applied(IDENTITY, texts([null, NUMBER]), { dataset: 'loans' }),
      applied({ ...IDENTITY, domain: 'health' }, texts([NUMBER])),
    ])
    const [a, b, c] = all.map(({ values }) => values.at(-1))
    expect(a).toBe(b)
    expect(c).not.toBe(a)
  })

  it('hide what is none, and count it', async () => {
    const again = await applied(IDENTITY, texts([NUMBER]))
    const misfits = [
      '',
      NUMBER.slice(0, 17),
      `${NUMBER}0`,
      '110105491231002',
      NUMBER.slice(0, 17) + (NUMBER.endsWith('1') ? '2' : '1'),
      '11010519491231002x',
      '１１０１０５１９４９１２３１００２Ｘ',
      checked('11010519490229100'),
      checked('11010519491301100'),
      checked('11010519490031100'),
      checked('11010520500101100'),
      checked('11010518991231100'),
      checked('10010519491231100'),
      checked('66010519491231100'),
      checked('01010519491231100'),
      checked('99010519491231100'),
      String(again.values[0]),
      '😀😀😀😀😀😀😀😀😀',
    ]
    const { values: out, counts, columns } = await applied(IDENTITY, texts([...misfits, null, NUMBER]))
    expect(out.slice(0, -1)).toEqual([...misfits.map(() => null), null])
    expect(counts).toMatchObject({ nulls: 1, changed: 1, hidden: misfits.length })
    expect((columns[0] as { bytes: Uint8Array }).bytes).toHaveLength(18)
  })

  it('refuse dates that are none, and a column of numbers', async () => {
    const rule = { ...IDENTITY, bornFrom: '2000-01-01', bornTo: '1999-12-31' }
    await expect(applied(rule, texts(['x']))).toThrowWithCode(
      'RULE_INVALID',
      'rule.surrogate-identity-number.born',
    )
    await expect(applied({ ...IDENTITY, bornFrom: '2000-02-30' }, texts(['x']))).rejects.toThrow()
    const whole = { kind: 'integer', bits: 64, signed: true } as const
    const column = { type: whole, length: 0, validity: null, values: new BigInt64Array(0) }
    await expect(applied(IDENTITY, column)).toThrowWithCode(
      'RULE_INVALID',
      'rule.surrogate-identity-number.type',
    )
  })
})

/** A million in one column: every province, a foreign resident now and then, any area, date and sequence. */
function millionIdentityNumbers(): TextColumn {
  const random = generator(42)
  const length = 1_000_000
  const bytes = new Uint8Array(18 * length)
  for (let row = 0, at = 0; row < length; row++, at += 18) {
    const province = PROVINCE_CODES[random(PROVINCE_CODES.length)]!
    const area =
      random(50) === 0 ? 900_000 + province * 1000 + random(1000) : province * 10_000 + random(10_000)
    put(bytes, at, area, 6)
    put(bytes, at + 6, DATES[random(DATES.length)]!, 8)
    put(bytes, at + 14, random(1000), 3)
    bytes[at + 17] = mod112(bytes.subarray(at, at + 17)).charCodeAt(0)
  }
  const offsets = Int32Array.from({ length: length + 1 }, (_, i) => 18 * i)
  return { type: { kind: 'text' }, length, validity: null, offsets, bytes }
}

/** The numbers that the first 17 digits spell, each exactly: area, then the date's place in the calendar, then sequence. */
function numbersOf({ offsets, bytes, length }: TextColumn): number[] {
  return Array.from({ length }, (_, row) => {
    const at = offsets[row]!
    const area = get(bytes, at, 6)
    const day = DAYS.get(get(bytes, at + 6, 8))
    if (day === undefined) expect.fail('a date that is none')
    if (
      offsets[row + 1]! - at !== 18 ||
      mod112(bytes.subarray(at, at + 17)).charCodeAt(0) !== bytes[at + 17]
    ) {
      expect.fail('a wrong check character')
    }
    const pair = String(Math.floor(area / 10_000))
    // what went in is somebody's, what came out is nobody's
    if (UNISSUED.test(pair) === (PROVINCES.test(pair) || area >= 900_000))
      expect.fail('an area that is neither')
    return (area * DATES.length + day) * 1000 + get(bytes, at + 14, 3)
  })
}

function put(bytes: Uint8Array, at: number, number: number, size: number): void {
  for (let i = at + size - 1, rest = number; i >= at; i--, rest = Math.floor(rest / 10))
    bytes[i] = 48 + (rest % 10)
}

function get(bytes: Uint8Array, at: number, size: number): number {
  let number = 0
  for (let i = at; i < at + size; i++) number = number * 10 + bytes[i]! - 48
  return number
}

function creditCodes(count: number, seed: number): string[] {
  const random = seeded(seed)
  const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY'
  const divisions = ['110105', '330106', '100000', '659001', '460100', '500000', '810000']
  return Array.from({ length: count }, () => {
    const bytes = random(10)
    const organization = Array.from(bytes.subarray(0, 8), byte => alphabet[byte % 31]).join('')
    const head = ['91', '92', '12', '52', 'N2', 'Y1'][bytes[8]! % 6]!
    const body = head + divisions[bytes[9]! % divisions.length]! + organization + mod11(organization)
    return body + mod31(body)
  })
}

describe('surrogate credit codes', () => {
  it('are injective, valid in both check characters, and nobody’s', async () => {
    const codes = [...new Set([...creditCodes(200_000, 43), '91350100M000100Y43'])]
    const { values: out, counts } = await applied(CREDIT, texts(codes), { chunk: 99_991 })
    expect(counts).toMatchObject({ changed: codes.length, hidden: 0, fixedPoints: 0 })
    expect(new Set(out).size).toBe(codes.length)
    let wrong = 0
    for (const [i, surrogate] of (out as string[]).entries()) {
      const rightly =
        mod31(surrogate.slice(0, 17)) === surrogate[17] && mod11(surrogate.slice(8, 16)) === surrogate[16]
      const nobody =
        UNISSUED.test(surrogate.slice(2)) && /^\d{6}[0-9A-HJ-NPQRTUWXY]{8}/.test(surrogate.slice(2))
      if (!(rightly && nobody && surrogate.slice(0, 2) === codes[i]!.slice(0, 2))) wrong++
    }
    expect(wrong).toBe(0)
  })

  it('hide what is none, and count it', async () => {
    const [code] = creditCodes(1, 5)
    const again = await applied(CREDIT, texts([code!]))
    const other = (at: number) =>
      `${code!.slice(0, at)}${code![at] === '1' ? '2' : '1'}${code!.slice(at + 1)}`
    const misfits = [
      '',
      code!.slice(1),
      code!.toLowerCase(),
      ...Array.from({ length: 18 }, (_, at) => other(at)),
      code!.replace(/.$/, 'I'),
      'Ｎ21101050000000000',
      String(again.values[0]),
    ]
    const { values: out, counts } = await applied(CREDIT, texts([...misfits, null, code!]))
    expect(out.slice(0, misfits.length).filter(value => value !== null)).toEqual([])
    expect(counts).toMatchObject({ nulls: 1, changed: 1, hidden: misfits.length })
  })
})

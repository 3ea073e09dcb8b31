import { describe, expect, it } from 'vitest'
import { seeded } from './cipher/vectors.ts'
import { applied, texts } from './keyed.ts'

const IDENTITY = { kind: 'surrogate-identity-number', key: 'k', domain: 'credit' }
const CREDIT = { kind: 'surrogate-credit-code', key: 'k', domain: 'credit' }

/** ISO 7064, section 6, MOD 11-2, by its recursion: a second way to the check character. */
function mod112(digits: string): string {
  let rest = 0
  for (const digit of digits) rest = ((rest + Number(digit)) * 2) % 11
  return '0123456789X'[(12 - rest) % 11]!
}

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

/** Numbers that are well formed and, as for what is behind area, date and sequence, drawn at random. */
function identityNumbers(count: number, seed: number): string[] {
  const random = seeded(seed)
  const below = (limit: number) => {
    const [a, b, c] = random(3)
    return (a! * 65_536 + b! * 256 + c!) % limit
  }
  const provinces = [
    ...'11,12,13,14,15,21,22,23,31,32,33,34,35,36,37,41,42,43,44,45,46,50,51,52,53,54,61,62,63,64,65,71,81,82,83'.split(
      ',',
    ),
  ]
  return Array.from({ length: count }, (_, i) => {
    const province = provinces[below(provinces.length)]!
    const area = i % 50 === 0 ? `9${province}${digits(below(1000), 3)}` : province + digits(below(10_000), 4)
    const date = new Date(Date.UTC(1900, 0, 1 + below(54_000))).toISOString().slice(0, 10).replaceAll('-', '')
    const body = area + date + digits(below(1000), 3)
    return body + mod112(body)
  })
}

const digits = (number: number, size: number) => String(number).padStart(size, '0')

describe('surrogate identity numbers', () => {
  it('know the check characters of the standards', async () => {
    // the examples of GB 11643-1999
    const examples = ['11010519491231002X', '440524188001010014']
    for (const example of examples) expect(mod112(example.slice(0, 17))).toBe(example[17])
    const born = { bornFrom: '1880-01-01', bornTo: '1949-12-31' }
    const { counts } = await applied({ ...IDENTITY, ...born }, texts(examples))
    expect(counts.changed).toBe(2)
    expect(mod31('91350100M000100Y4')).toBe('3')
    expect(mod11('M000100Y')).toBe('4')
  })

  it('a million of them: injective, valid in date and check character, and nobody’s', async () => {
    const numbers = [...new Set(identityNumbers(1_000_000, 42))]
    const { values: out, counts } = await applied(IDENTITY, texts(numbers), { chunk: 250_000 })
    expect(counts).toEqual({
      rows: numbers.length,
      nulls: 0,
      changed: numbers.length,
      hidden: 0,
      fixedPoints: 0,
    })
    expect(new Set(out).size).toBe(numbers.length)
    let wrong = 0
    for (const surrogate of out as string[]) {
      const day = `${surrogate.slice(6, 10)}-${surrogate.slice(10, 12)}-${surrogate.slice(12, 14)}`
      const real = !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day)
      const inRange = day >= '1900-01-01' && day <= '2049-12-31'
      const nobody = UNISSUED.test(surrogate) && !PROVINCES.test(surrogate)
      const checked = surrogate.length === 18 && mod112(surrogate.slice(0, 17)) === surrogate[17]
      if (!(real && inRange && nobody && checked)) wrong++
    }
    expect(wrong).toBe(0)
  }, 60_000)

  it('are the same in a domain, and others in another', async () => {
    const [number] = identityNumbers(1, 3)
    const all = await Promise.all([
      applied(IDENTITY, texts([number!])),
      applied(IDENTITY, texts([null, number!]), { dataset: 'loans' }),
      applied({ ...IDENTITY, domain: 'health' }, texts([number!])),
    ])
    const [a, b, c] = all.map(({ values }) => values.at(-1))
    expect(a).toBe(b)
    expect(c).not.toBe(a)
  })

  it('hide what is none, and count it', async () => {
    const [number] = identityNumbers(3, 4).slice(1)
    const again = await applied(IDENTITY, texts([number!]))
    const body = (text: string) => text + mod112(text)
    const misfits = [
      '',
      number!.slice(0, 17),
      `${number}0`,
      '110105491231002',
      number!.slice(0, 17) + (number!.endsWith('1') ? '2' : '1'),
      '11010519491231002x',
      '１１０１０５１９４９１２３１００２Ｘ',
      body('11010519490229100'),
      body('11010519491301100'),
      body('11010519490031100'),
      body('11010520500101100'),
      body('11010518991231100'),
      body('10010519491231100'),
      body('66010519491231100'),
      body('01010519491231100'),
      body('99010519491231100'),
      String(again.values[0]),
      '😀😀😀😀😀😀😀😀😀',
    ]
    const { values: out, counts, columns } = await applied(IDENTITY, texts([...misfits, null, number!]))
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
      const checked =
        mod31(surrogate.slice(0, 17)) === surrogate[17] && mod11(surrogate.slice(8, 16)) === surrogate[16]
      const nobody =
        UNISSUED.test(surrogate.slice(2)) && /^\d{6}[0-9A-HJ-NPQRTUWXY]{8}/.test(surrogate.slice(2))
      if (!(checked && nobody && surrogate.slice(0, 2) === codes[i]!.slice(0, 2))) wrong++
    }
    expect(wrong).toBe(0)
  }, 60_000)

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

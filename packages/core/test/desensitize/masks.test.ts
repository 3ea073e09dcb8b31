import { Rule } from '@sluice/core/desensitize'
import { describe, expect, it } from 'vitest'
import { applied, columnOf, INTEGER, texts } from './apply.ts'

describe('mask', () => {
  it.each([
    [{ keep: { first: 1 } }, '张三丰', '张**'],
    [{ keep: { last: 2 } }, 'abcde', '***de'],
    [{ keep: { first: 1, last: 1 } }, '欧阳锋锋', '欧**锋'],
    [{ hide: { first: 2 } }, 'abcde', '**cde'],
    [{ hide: { first: 1, last: 1 } }, 'abcde', '*bcd*'],
    [{ hide: { from: 2, to: 3 } }, 'abcde', 'a**de'],
    [{ keep: { from: 2, to: 3 } }, 'abcde', '*bc**'],
    [{ keep: { from: 1, to: 2 } }, 'abc', 'ab*'],
    [{ hide: { before: '@' } }, 'li@example.cn', '**@example.cn'],
    [{ hide: { after: '@' } }, 'li@b.c', 'li@***'],
    [{ keep: { before: '-' } }, '0571-88', '0571-**'],
    [{ keep: { after: '·' } }, '阿·迪', '*·迪'],
    [{ keep: { first: 1 }, width: 3 }, 'a very long one', 'a***'],
    [{ hide: { first: 1, last: 1 }, width: 2 }, 'abc', '**b**'],
    [{ hide: { from: 1, to: 1 }, with: '×' }, '𠮷野', '×野'],
    [{ keep: { first: 1 } }, '👨‍👩‍👧爸妈', '👨‍👩‍👧**'],
    [{ keep: { last: 1 } }, 'e\u0301a\u0301', '*a\u0301'],
    [{ keep: { first: 1 } }, '１２３', '１**'],
    [{ keep: { first: 7 } }, 'ab345678', null],
    [{ keep: { first: 5 } }, 'ab345678', 'ab345***'],
    [{ keep: { first: 6 } }, 'ab345678', null],
    [{ keep: { first: 7 }, least: 12 }, 'ab345678', 'ab34567*'],
    [{ hide: { first: 1 }, least: 50 }, '张三', '*三'],
    [{ hide: { before: '@' }, least: 20 }, 'li@example.cn', null],
  ])('%o on %s', async (how, value, expected) => {
    expect(await texts({ kind: 'mask', ...how }, [value])).toEqual([expected])
  })

  it.each([
    ['too short to hide anything', { keep: { first: 3 } }, 'abc'],
    ['too short for both ends', { keep: { first: 2, last: 2 } }, 'abcd'],
    ['too short to keep anything', { hide: { first: 2, last: 1 } }, 'abc'],
    ['shorter than the range', { hide: { from: 2, to: 4 } }, 'abc'],
    ['all of it in the range', { hide: { from: 1, to: 3 } }, 'abc'],
    ['empty', { keep: { first: 1 } }, ''],
    ['without the separator', { hide: { before: '@' } }, 'abc'],
    ['two separators', { hide: { before: '@' } }, 'a@b@c'],
    ['nothing before the separator', { hide: { before: '@' } }, '@b'],
    ['nothing after the separator', { hide: { before: '@' } }, 'a@'],
    ['a mark on the separator', { hide: { before: '@' } }, 'a@\u0301b'],
    ['hidden characters that are marks already', { keep: { first: 1 } }, '张**'],
    ['the same at a fixed width', { keep: { first: 1 }, width: 3 }, 'x***'],
    ['a line break', { keep: { first: 1 } }, 'ab\ncd'],
    ['a zero-width space', { keep: { first: 1 } }, 'a\u200bcd'],
    ['half a flag', { keep: { first: 1 } }, '🇨abc'],
  ])('%s is hidden whole', async (_, how, value) => {
    const { column, hidden, changed, fixedPoints } = await applied(
      { kind: 'mask', ...how },
      columnOf([value]),
    )
    expect({ hidden, changed, fixedPoints }).toEqual({ hidden: 1, changed: 0, fixedPoints: 0 })
    expect('bytes' in column && column.bytes.length).toBe(0)
  })

  it('a value of ten million characters is masked as any other', async () => {
    const long = 'x'.repeat(10_000_000)
    const [out] = await texts({ kind: 'mask', keep: { first: 1, last: 1 } }, [long])
    expect(out).toBe(`x${'*'.repeat(9_999_998)}x`)
  })

  it.each([
    {},
    { keep: { first: 1 }, hide: { last: 1 } },
    { keep: {} },
    { keep: { first: 0 } },
    { keep: { first: 1, from: 1, to: 2 } },
    { keep: { from: 2 } },
    { keep: { from: 3, to: 2 } },
    { hide: { before: 'ab' } },
    { hide: { before: '\u0301' } },
    { keep: { first: 1 }, with: '' },
    { keep: { first: 1 }, width: 0 },
    { keep: { first: 1 }, widht: 3 },
  ])('%o is no mask', how => {
    expect(Rule.safeParse({ kind: 'mask', ...how }).success).toBe(false)
  })

  it('goes with text only', async () => {
    const rule = { kind: 'mask', keep: { first: 1 } }
    await expect(applied(rule, columnOf([1], INTEGER))).toThrowWithCode('RULE_INVALID', 'rule.mask.type')
  })
})

/** Per preset: what goes in and comes out, and what is hidden whole. */
const PRESETS: Record<string, { shown: Record<string, string>; hidden: string[]; level?: string }> = {
  name: {
    shown: { 张三: '张*', 欧阳修文: '欧***', 𠮷田: '𠮷*', 阿卜杜·热西提: '阿******' },
    hidden: [
      '张',
      '张*',
      'Zhang San',
      '张 三',
      '张3',
      '·张三',
      '张三·',
      '张··三',
      '张三\u0301',
      '张'.repeat(33),
      '',
      '三㉑',
    ],
  },
  'identity-number': {
    shown: {
      '110101190001010015': '110101************',
      '11010119000101001X': '110101************',
      '110101900101001': '110101*********',
    },
    hidden: [
      '11010119000101001',
      '1101011900010100155',
      '１１０１０１１９０００１０１００１５',
      '110101 19000101 0015',
      '010101190001010015',
      '110101**********15',
      '110101190001010Z15',
      '',
    ],
  },
  mobile: {
    shown: { '13800138000': '138****8000', '19912345678': '199****5678' },
    hidden: [
      '12800138000',
      '1380013800',
      '138001380000',
      '+8613800138000',
      '138-0013-8000',
      '１３８００１３８０００',
      '138****8000',
      '',
    ],
  },
  landline: {
    shown: {
      '0571-88888888': '0571-********',
      '057188888888': '0571********',
      '010-66666666': '010-********',
      '02166666666': '021********',
      '0371-6666666': '0371-*******',
    },
    hidden: ['88888888', '0571 88888888', '010-6666666', '0571-18888888', '0571-888888', '057-88888888', ''],
  },
  'bank-card': {
    shown: { '6222020000000000000': '***************0000', '4000000000000002': '************0002' },
    hidden: ['400000000000000', '0222020000000000', '6222 0200 0000 0000', '62220200000000000001', ''],
  },
  email: {
    shown: { 'zhang.san@example.com': 'z***@example.com', 'ab@x.cn': 'a***@x.cn' },
    hidden: [
      'a@example.com',
      'zhang@localhost',
      'zhang@@x.cn',
      'zhang@x..cn',
      'zhang@-x.cn',
      '张三@x.cn',
      'zhang',
      '@x.cn',
      '',
    ],
  },
  plate: {
    shown: { 浙A12345: '浙A*****', 京AD12345: '京A******', 粤Z1234港: '粤Z*****', 沪B1234学: '沪B*****' },
    hidden: [
      '浙A1234',
      '浙A1234567',
      '浙I12345',
      '浙A1234O',
      '张A12345',
      '浙a12345',
      '浙A·12345',
      'WJ01-1234',
      '',
    ],
  },
  'credit-code': {
    shown: { '91330106MA00000000': '91330106**********' },
    hidden: ['91330106MA0000000', '91330106MA0000000I', '91330106ma00000000', '91330106 MA00000000', ''],
  },
  passport: {
    shown: { E12345678: 'E********', EA1234567: 'E********' },
    hidden: ['e12345678', 'E1234567', 'EAB123456', 'E123456789', ''],
  },
}

const ADDRESSES: Record<string, { shown: Record<string, string>; hidden: string[] }> = {
  province: {
    shown: {
      浙江省杭州市西湖区文三路1号: '浙江省***',
      北京市朝阳区: '北京市***',
      内蒙古自治区呼和浩特市: '内蒙古自治区***',
    },
    hidden: ['杭州市西湖区', '浙江省', '中国浙江省杭州市', '浙江杭州市西湖区', ''],
  },
  city: {
    shown: {
      浙江省杭州市西湖区文三路1号: '浙江省杭州市***',
      北京市朝阳区建国路1号: '北京市***',
      四川省阿坝藏族羌族自治州汶川县某处: '四川省阿坝藏族羌族自治州***',
      广东省东莞市南城街道1号: '广东省东莞市***',
      内蒙古自治区锡林郭勒盟锡林浩特市: '内蒙古自治区锡林郭勒盟***',
    },
    hidden: ['浙江省文三路城市花园3幢', '浙江省杭州市', '浙江省杭州市1号', '浙江省西湖区文三路', ''],
  },
  district: {
    shown: {
      浙江省杭州市西湖区文三路1号: '浙江省杭州市西湖区***',
      北京市朝阳区建国路1号: '北京市朝阳区***',
      浙江省金华市义乌市某路: '浙江省金华市义乌市***',
    },
    hidden: ['浙江省杭州市西湖区', '浙江省杭州市文三路1号小区', '北京市建国路1号社区', ''],
  },
}

describe('preset', () => {
  const cases = [
    ...Object.entries(PRESETS).map(([preset, of]) => [preset, { kind: 'preset', preset }, of] as const),
    ...Object.entries(ADDRESSES).map(
      ([level, of]) => [`address to ${level}`, { kind: 'preset', preset: 'address', level }, of] as const,
    ),
  ]

  it.each(cases)('%s', async (_, rule, { shown, hidden }) => {
    expect(await texts(rule, Object.keys(shown))).toEqual(Object.values(shown))
    expect(await texts(rule, [...hidden, null])).toEqual([...hidden, null].map(() => null))
  })

  it.each(cases)('%s never masks what it masked already', async (_, rule, { shown }) => {
    expect(await texts(rule, Object.values(shown))).toEqual(Object.values(shown).map(() => null))
  })

  it('an address needs a level, nothing else has one', () => {
    expect(Rule.safeParse({ kind: 'preset', preset: 'address' }).success).toBe(false)
    expect(Rule.safeParse({ kind: 'preset', preset: 'mobile', level: 'city' }).success).toBe(false)
  })

  it('refuses numbers', async () => {
    const rule = { kind: 'preset', preset: 'mobile' }
    const column = columnOf([1n], { kind: 'integer', bits: 64, signed: true })
    await expect(applied(rule, column)).toThrowWithCode('RULE_INVALID', 'rule.preset.type')
  })
})

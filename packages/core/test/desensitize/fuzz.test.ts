import type { TextColumn } from '@sluice/core/desensitize'
import { describe, expect, it } from 'vitest'
import { applied } from './apply.ts'
import { equalAt, fuzzed, textAt, VALUES } from './fuzzed.ts'

const HAN =
  '[\\u3007\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufa6d\\ufa70-\\ufad9\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2ebe0}\\u{2f800}-\\u{2fa1d}\\u{30000}-\\u{323af}]'
const CREDIT = '[0-9A-HJ-NPQRTUWXY]'

/**
 * Each rule, what a value has to look like to fit it, and what a result has to look like. Written here once more, and
 * by other means than the rules have.
 */
const MASKS: [object, fits: RegExp, shown: RegExp][] = [
  [{ preset: 'name' }, new RegExp(`^${HAN}+(·${HAN}+)*$`, 'u'), new RegExp(`^${HAN}\\*{1,31}$`, 'u')],
  [{ preset: 'identity-number' }, /^[1-9](\d{14}|\d{16}[\dXx])$/, /^[1-9]\d{5}(\*{9}|\*{12})$/],
  [{ preset: 'mobile' }, /^1[3-9]\d{9}$/, /^1[3-9]\d\*{4}\d{4}$/],
  [{ preset: 'landline' }, /^0(10|2\d|[3-9]\d\d)-?[2-8]\d{6,7}$/, /^0\d{2,3}-?\*{7,8}$/],
  [{ preset: 'bank-card' }, /^[1-9]\d{15,18}$/, /^\*{12,15}\d{4}$/],
  [{ preset: 'email' }, /^[^@\s*]{2,64}@[A-Za-z0-9.-]+$/, /^[^@]\*\*\*@[A-Za-z0-9.-]+$/],
  [
    { preset: 'plate' },
    /^\p{Script=Han}[A-HJ-NP-Z][0-9A-HJ-NP-Z]{4}([0-9A-HJ-NP-Z]{1,2}|[挂学警港澳])$/u,
    /^\p{Script=Han}[A-Z]\*{5,6}$/u,
  ],
  [
    { preset: 'credit-code' },
    new RegExp(`^${CREDIT}{2}\\d{6}${CREDIT}{10}$`),
    new RegExp(`^${CREDIT}{2}\\d{6}\\*{10}$`),
  ],
  [{ preset: 'passport' }, /^[A-Z]([A-Z]\d{7}|\d{8})$/, /^[A-Z]\*{8}$/],
  [
    { preset: 'address', level: 'province' },
    /^.{2,9}(省|市|自治区|特别行政区)./u,
    /^.{2,9}(省|市|自治区|特别行政区)\*{3}$/u,
  ],
  [
    { preset: 'address', level: 'city' },
    /^.{2,9}(省|市|自治区|特别行政区)./u,
    /(市|地区|州|盟|特别行政区)\*{3}$/u,
  ],
  [{ preset: 'address', level: 'district' }, /^.{2,9}(省|市|自治区|特别行政区)./u, /[区县市旗]\*{3}$/u],
  [{ keep: { first: 1 } }, /^.{2,}$/u, /^.(\p{M}|\u{200d}|\u{1f468}|\u{1f469}|\u{1f467})*\*+$/u],
  [{ keep: { first: 1, last: 4 } }, /^.{6,}$/u, /\*/],
  [{ hide: { first: 2, last: 1 } }, /^.{4,}$/u, /^\*\*.+\*$/u],
  [{ hide: { from: 2, to: 5 } }, /^.{5,}$/u, /\*{4}/],
  [{ keep: { from: 2, to: 5 }, width: 2, with: '○' }, /^.{5,}$/u, /○○/],
  [{ hide: { before: '@' } }, /^[^@]+@[^@]+$/u, /^\*+@[^@]+$/u],
  [{ hide: { after: '·' }, width: 3 }, /^[^·]+·[^·]+$/u, /^[^·]+·\*{3}$/u],
]

const GENERALIZATIONS: [object, fits: RegExp, shown: RegExp][] = [
  [{ kind: 'date-part', to: 'month' }, /^[1-9]\d{3}(-\d\d-\d\d|\d{4})$/, /^\d{4}-\d\d$/],
  [{ kind: 'date-part', to: 'year' }, /^[1-9]\d{3}(-\d\d-\d\d|\d{4})$/, /^\d{4}$/],
  [{ kind: 'division', to: 'city' }, /^[1-9](\d{5}|\d{8}|\d{11})$/, /^\d{4}00(0{3}){0,2}$/],
  [{ kind: 'replace', values: { '13800138000': 'a', 张三: 'b' } }, /^(13800138000|张三)$/, /^[ab]$/],
]

describe('a million fuzzed values', () => {
  const column = fuzzed()

  it.each(MASKS)(
    '%o never gives its input back, and passes nothing that does not fit',
    async (how, fits, shown) => {
      const rule = 'preset' in how ? { kind: 'preset', ...how } : { kind: 'mask', ...how }
      const { fixedPoints, hidden, changed } = await check(rule, fits, shown)
      expect(fixedPoints).toBe(0)
      expect(hidden + changed).toBe(VALUES)
    },
  )

  it.each(GENERALIZATIONS)('%o passes nothing that does not fit', async (rule, fits, shown) => {
    await check(rule, fits, shown)
  })

  async function check(rule: object, fits: RegExp, shown: RegExp) {
    const outcome = await applied(rule, column)
    const after = outcome.column as TextColumn
    let same = 0
    let hidden = 0
    let looked = 0
    for (let i = 0; i < VALUES; i++) {
      if (after.validity !== null && ((after.validity[i >> 3]! >> (i & 7)) & 1) === 0) {
        hidden++
        if (after.offsets[i + 1] !== after.offsets[i]) expect.fail('a hidden value left bytes')
        continue
      }
      if (equalAt(column, after, i)) same++
      // the expressions are slow: every value that passed is looked at, until there were enough
      if (looked >= 20_000) continue
      looked++
      if (!fits.test(textAt(column, i))) expect.fail('a value passed that does not fit')
      if (!shown.test(textAt(after, i))) expect.fail('a result looks otherwise')
    }
    expect(looked).toBeGreaterThan(50)
    expect(same).toBe(outcome.fixedPoints)
    expect(hidden).toBe(outcome.hidden)
    return outcome
  }
})

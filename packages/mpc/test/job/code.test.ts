import { type InputForm, parseInputForm } from '@sluice/mpc'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bitsOf, codeBits, decodeCode, digitsOf, encodeCode } from '../../dist/job/code.js'
import { described } from './parties.js'

const alphabets = fc.constantFrom('A', '01', '0123456789', '0123456789ABCDEFGHJKLMNPQRTUWXY', '京沪粤𠮷ab')
const types = fc
  .record({ alphabet: alphabets, length: fc.integer({ min: 1, max: 40 }) })
  .map(type => ({ kind: 'code' as const, ...type }))
const typed = types.chain(type =>
  fc.tuple(
    fc.constant(type),
    fc.array(fc.constantFrom(...type.alphabet), { minLength: 1, maxLength: type.length }),
    fc.array(fc.constantFrom(...type.alphabet), { minLength: 1, maxLength: type.length }),
  ),
)
const words = (text: string, type: Parameters<typeof encodeCode>[1]) => {
  const out = new BigUint64Array(codeBits(type).length)
  return encodeCode(text, type, digitsOf(type), out, 0) ? [...out] : undefined
}

describe('a code', () => {
  it('is exact, and in the order of its texts', () => {
    fc.assert(
      fc.property(typed, ([type, one, other]) => {
        const [a, b] = [one, other].map(characters => words(characters.join(''), type)!)
        expect(decodeCode(a!, type)).toBe(one.join(''))
        codeBits(type).forEach((bits, place) => {
          expect(bits).toBeLessThanOrEqual(62)
          expect(bitsOf(a![place]!)).toBeLessThanOrEqual(bits)
        })
        const places = (characters: string[]) =>
          characters.map(character => [...type.alphabet].indexOf(character))
        const difference = compare(places(one), places(other))
        expect(Math.sign(compare(a!, b!))).toBe(Math.sign(difference))
      }),
      { numRuns: 400, seed: 20261123 },
    )
  })

  it('is none of a text that is empty, too long or of other characters', () => {
    const type = { kind: 'code', alphabet: '01', length: 3 } as const
    for (const text of ['', '0000', '2', '0 ', '01a']) expect(words(text, type)).toBeUndefined()
    expect(words('01', type)).toEqual([1n * 9n + 2n * 3n])
  })

  it('is refused of an alphabet that repeats, or of too many bits', async () => {
    const form = (alphabet: string, length: number) => () =>
      parseInputForm({
        ...entries,
        columns: [{ ...entries.columns[0], type: { kind: 'code', alphabet, length } }],
      })
    expect(form('0123456789', 64)).not.toThrow()
    await expect(form('00', 3)).toThrowWithCode('JOB_INVALID')
    await expect(form('0123456789ABCDEFGHJKLMNPQRTUWXY', 64)).toThrowWithCode('JOB_INVALID')
  })
})

const entries: InputForm = {
  name: 'entries',
  owner: 'bank',
  entity: 'who',
  columns: [{ name: 'who', nullable: false, type: { kind: 'code', alphabet: '0123456789X', length: 4 } }],
}
const table = (...values: (string | null)[]) => new Table({ who: vectorFromArray(values, new Utf8()) })

describe('an input whose entity is shared', () => {
  it('has its rows in any order, many to an entity, and its fingerprint is of that order', async () => {
    const one = await described(entries, table('12', '7X', '12'))
    expect(one.rows).toBe(3)
    expect((await described(entries, table('12', '7X', '12'))).fingerprint).toBe(one.fingerprint)
    for (const other of [table('12', '12', '7X'), table('12', '7X', '13')])
      expect((await described(entries, other)).fingerprint).not.toBe(one.fingerprint)
  })

  it('is refused where a row has none, and no value is shown', async () => {
    await expect(described(entries, table('12', null))).toThrowWithCode('SCHEMA_INVALID', 'job.columns')
    for (const wrong of ['', '12345', 'SECRET']) {
      const refused = described(entries, table(wrong))
      await expect(refused).toThrowWithCode('PARAMETER_INVALID', 'job.code')
      await refused.catch(error => expect(error.message).not.toContain('SECRET'))
    }
  })

  it.each([
    ['can be null', { nullable: true }],
    ['has a public list', { type: { kind: 'category', categories: ['a'] } }],
    ['is spelled otherwise', { name: 'WHO' }],
  ])('is refused where it %s', async (_, change) => {
    const form = { ...entries, columns: [{ ...entries.columns[0], ...change }] }
    await expect(() => parseInputForm(form)).toThrowWithCode('JOB_INVALID')
  })
})

function compare(a: readonly (number | bigint)[], b: readonly (number | bigint)[]): number {
  const place = a.findIndex((value, index) => value !== b[index])
  if (place < 0) return a.length - b.length
  return b[place] === undefined ? 1 : a[place]! < b[place]! ? -1 : 1
}

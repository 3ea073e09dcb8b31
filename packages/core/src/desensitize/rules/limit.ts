import { z } from 'zod'
import { SluiceError } from '../../errors.js'
import { exactly, mapNumbers, requireNumber } from '../numbers.js'
import type { RuleDefinition } from '../rule.js'
import { numberIn, numberText } from './number-text.js'

/** The form of its description. */
export const LimitRule = z
  .strictObject({
    kind: z.literal('limit'),
    bottom: numberIn('what stands for every smaller value: a number').optional(),
    top: numberIn('what stands for every greater value: a number').optional(),
  })
  .refine(({ bottom, top }) => bottom !== undefined || top !== undefined, { message: 'needs bottom or top' })
  .refine(({ bottom, top }) => bottom === undefined || top === undefined || Number(bottom) <= Number(top), {
    message: 'bottom is above top',
  })
  .describe('{kind: limit, bottom, top}: top and bottom coding')

export type LimitRule = z.infer<typeof LimitRule>

/**
 * Top and bottom coding: what is beyond a bound becomes the bound. Values between are fixed points and are counted:
 * this rule hides the extremes, and nothing else.
 */
export const limit: RuleDefinition<LimitRule> = {
  keyed: false,
  scope: 'chunk',
  resultType(rule, type) {
    const numeric = requireNumber('limit', type)
    for (const bound of [rule.bottom, rule.top]) {
      if (bound !== undefined) exactly('limit', numberText(bound), numeric)
    }
    return type
  },
  bind({ bottom, top }, { type }) {
    const numeric = requireNumber('limit', type)
    const least = bottom === undefined ? null : exactly('limit', numberText(bottom), numeric)
    const most = top === undefined ? null : exactly('limit', numberText(top), numeric)
    if (least !== null && most !== null && least > most) throw new SluiceError('INTERNAL', 'crossed bounds')
    const [a, b] = [least === null ? -Infinity : Number(least), most === null ? Infinity : Number(most)]
    const small = (x: number) => Math.min(Math.max(x, a), b) + 0
    const large = (x: bigint) =>
      least !== null && x < least ? BigInt(least) : most !== null && x > most ? BigInt(most) : x
    const isExact = [least, most].every(bound => bound === null || Math.abs(Number(bound)) <= 2 ** 52)
    return chunk => mapNumbers(chunk, small, large, isExact ? 2 ** 52 : 0)
  },
}

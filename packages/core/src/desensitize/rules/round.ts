import { z } from 'zod'
import { exactly, mapNumbers, requireNumber } from '../numbers.js'
import type { RuleDefinition } from '../rule.js'
import { numberText, positiveNumberText } from './number-text.js'

/** The form of its description. */
export const RoundRule = z
  .strictObject({
    kind: z.literal('round'),
    to: positiveNumberText('what values are rounded to a multiple of: a number above 0, such as 100 or 0.5'),
  })
  .describe('{kind: round, to}: to the nearest multiple, halves away from zero')

export type RoundRule = z.infer<typeof RoundRule>

/**
 * To the nearest multiple, halves away from zero. A multiple stays as it is and is counted as a fixed point. A result
 * that the column's type cannot hold is hidden, as are NaN and infinities.
 */
export const round: RuleDefinition<RoundRule> = {
  keyed: false,
  scope: 'chunk',
  resultType: (rule, type) => {
    exactly('round', numberText(rule.to), requireNumber('round', type))
    return type
  },
  bind({ to }, { type }) {
    const numeric = requireNumber('round', type)
    const unit = exactly('round', numberText(to), numeric)
    const step = Number(unit)
    if (numeric.kind === 'float') {
      const nearest = (x: number) => Math.sign(x) * Math.floor(Math.abs(x) / step + 0.5) * step + 0
      return chunk => mapNumbers(chunk, nearest, () => null, 0)
    }
    const wide = BigInt(unit)
    const small = (x: number) => {
      const size = Math.abs(x)
      const rest = size % step
      return Math.sign(x) * (size - rest + (2 * rest >= step ? step : 0)) + 0
    }
    const large = (x: bigint) => {
      const size = x < 0n ? -x : x
      const rest = size % wide
      const rounded = size - rest + (2n * rest >= wide ? wide : 0n)
      return x < 0n ? -rounded : rounded
    }
    return chunk => mapNumbers(chunk, small, large, exactLimit(step))
  },
}

/** Up to there, sums and doubles of a value and the step stay below 2^53. */
function exactLimit(step: number): number {
  return step < 2 ** 50 ? 2 ** 51 : 0
}

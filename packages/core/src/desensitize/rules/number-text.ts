import { z } from 'zod'

const FORM = /^[+-]?\d{1,19}(\.\d{1,18})?$/

/** A number in a rule's description: a number where a double keeps it, else in quotes. */
export function numberIn(what: string) {
  return z
    .union([z.number(), z.string().max(40)])
    .refine(isNumber, { message: 'is no plain number' })
    .describe(what)
}

export function positiveNumberText(what: string) {
  return z
    .union([z.number(), z.string().max(40)])
    .refine(value => isNumber(value) && Number(value) > 0, { message: 'is no plain number above 0' })
    .describe(what)
}

/** The number as decimal text without an exponent. */
export function numberText(value: number | string): string {
  return String(value)
}

function isNumber(value: number | string): boolean {
  return FORM.test(String(value))
}

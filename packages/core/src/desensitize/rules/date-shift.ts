import { z } from 'zod'
import { blockCipher } from '../cipher/block-cipher.js'
import { cmacColumn } from '../cipher/cmac.js'
import { deriveKey } from '../cipher/derive.js'
import { type FixedColumn, isValid, nullsIn, Validity } from '../column.js'
import { encodedValues } from '../keyed/encoding.js'
import { EntityColumn, JoinDomain, KeyName } from '../keyed/fields.js'
import { type RuleDefinition, wrongType } from '../rule.js'

/** The form of its description. */
export const DateShiftRule = z
  .strictObject({
    kind: z.literal('date-shift'),
    key: KeyName,
    domain: JoinDomain,
    entity: EntityColumn,
    days: z.int().min(1).max(36_500).describe('the most that a date moves, either way'),
  })
  .describe('{kind: date-shift, key, domain, entity, days}: all dates of an entity move by the same days')

export type DateShiftRule = z.infer<typeof DateShiftRule>

/**
 * Moves all dates of an entity by the same number of days, from −days to days but never 0: the time between two of its
 * dates stays. The shift is a pseudorandom function of the entity (AES-CMAC), the same in every column and dataset of
 * a join domain. A date without an entity, or beyond the years 1 to 9999, is hidden. Weekdays and seasons go; how far
 * apart an entity's dates are, which may be enough to know it again, does not.
 */
export const dateShift: RuleDefinition<DateShiftRule> = {
  keyed: true,
  scope: 'chunk',
  entityColumn: rule => rule.entity,
  resultType(_, type) {
    if (type.kind !== 'date' && type.kind !== 'timestamp') {
      throw wrongType('date-shift', type, 'date or timestamp')
    }
    return type
  },
  bind({ key, domain, days }, binding) {
    const purpose = { rule: 'date-shift', algorithm: 'aes-cmac', domain }
    const cipher = blockCipher('aes', deriveKey(binding.key(key), purpose, 32))
    return (chunk, { entity }) => {
      const entities = encodedValues('date-shift', entity!)
      const tags = new DataView(cmacColumn(cipher, entities).buffer)
      const before = chunk as FixedColumn
      const values = before.values.slice(0, chunk.length) as Int32Array | BigInt64Array
      const validity = new Validity(chunk.length)
      const nulls = nullsIn(chunk)
      for (let row = 0; row < chunk.length; row++) {
        if (
          !isValid(chunk, row) ||
          entities.fits[row] === 0 ||
          !shift(values, row, shiftOf(tags, row, days))
        ) {
          validity.clear(row)
          values[row] = values instanceof Int32Array ? 0 : (0n as never)
        }
      }
      const hidden = validity.nulls - nulls
      const column = { ...before, validity: validity.finish(), values }
      return { column, changed: chunk.length - nulls - hidden, hidden, fixedPoints: 0 }
    }
  },
}

/** One of −days … −1, 1 … days. 48 bits modulo at most 73,000: no shift is likelier than another by more than 2^-31. */
function shiftOf(tags: DataView, row: number, days: number): number {
  const random = tags.getUint32(row * 16) * 2 ** 16 + tags.getUint16(row * 16 + 4)
  const index = random % (2 * days)
  return index < days ? index - days : index - days + 1
}

const DAY = 86_400_000_000n
const FIRST_DAY = Date.UTC(2000, 0, 1) / 86_400_000 - 730_119
const LAST_DAY = Date.UTC(9999, 11, 31) / 86_400_000

/** False where the value would leave the years 1 to 9999. */
function shift(values: Int32Array | BigInt64Array, row: number, days: number): boolean {
  if (values instanceof Int32Array) {
    const day = values[row]! + days
    if (day < FIRST_DAY || day > LAST_DAY) return false
    values[row] = day
    return true
  }
  const moment = values[row]! + BigInt(days) * DAY
  if (moment < BigInt(FIRST_DAY) * DAY || moment >= BigInt(LAST_DAY + 1) * DAY) return false
  values[row] = moment
  return true
}

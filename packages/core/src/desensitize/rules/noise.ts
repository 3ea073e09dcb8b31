import { z } from 'zod'
import { blockCipher } from '../cipher/block-cipher.js'
import { cmacColumn } from '../cipher/cmac.js'
import { deriveKey } from '../cipher/derive.js'
import type { Messages } from '../cipher/messages.js'
import { type FixedColumn, type FixedType, type FixedValues, isValid, stride, Validity } from '../column.js'
import { compared } from '../compare.js'
import { type EncodedValues, encodedValues } from '../keyed/encoding.js'
import { EntityColumn, JoinDomain, KeyName } from '../keyed/fields.js'
import { holds, requireNumber } from '../numbers.js'
import type { RuleDefinition } from '../rule.js'

/** The form of its description. */
export const NoiseRule = z
  .strictObject({
    kind: z.literal('noise'),
    key: KeyName,
    domain: JoinDomain,
    entity: EntityColumn,
    distribution: z.enum(['laplace', 'uniform']).default('laplace'),
    scale: z
      .number()
      .positive()
      .max(1e15)
      .describe("Laplace's scale, or the most that a uniform noise is, either way"),
  })
  .describe('{kind: noise, key, domain, entity, scale}: noise that is the same whenever a cell is asked for')

export type NoiseRule = z.infer<typeof NoiseRule>

/**
 * Adds noise that is a pseudorandom function (AES-CMAC) of column, entity and value: a cell has the same noise in every
 * release, so that asking again averages nothing out. Integers stay integers, and decimals keep their places. A value without an entity, one that is
 * not finite, and a sum that the type does not hold are hidden. This is not differential privacy: the noise is bound to
 * the key for ever, and nobody counts a budget.
 */
export const noise: RuleDefinition<NoiseRule> = {
  keyed: true,
  scope: 'chunk',
  entityColumn: rule => rule.entity,
  resultType(_, type) {
    return requireNumber('noise', type)
  },
  bind({ key, domain, distribution, scale }, binding) {
    const purpose = { rule: 'noise', algorithm: 'aes-cmac', domain, column: binding.column }
    const cipher = blockCipher('aes', deriveKey(binding.key(key), purpose, 32))
    const sample = distribution === 'laplace' ? laplace : uniform
    return (chunk, { entity }) => {
      const before = chunk as FixedColumn
      const entities = encodedValues('noise', entity!)
      const tags = new DataView(cmacColumn(cipher, cellMessages(entities, before)).buffer)
      const values = before.values.slice(0, chunk.length * stride(before.type)) as FixedValues
      const add = adder(before.type, values)
      const step = stride(before.type)
      const validity = new Validity(chunk.length)
      for (let row = 0; row < chunk.length; row++) {
        const fits = isValid(chunk, row) && entities.fits[row] === 1
        if (fits && add(row, scale * sample(tags, row * 16))) continue
        validity.clear(row)
        for (let k = 0; k < step; k++)
          values[row * step + k] = (typeof values[row] === 'bigint' ? 0n : 0) as never
      }
      return compared(chunk, { ...before, validity: validity.finish(), values })
    }
  },
}

/** The entity, then the value's own bytes, which are of one size: no two cells have one message. */
function cellMessages(entities: EncodedValues, { type, values }: FixedColumn): Messages {
  const size = values.BYTES_PER_ELEMENT * stride(type)
  const count = entities.fits.length
  const raw = new Uint8Array(values.buffer, values.byteOffset, count * size)
  const offsets = new Int32Array(count + 1)
  const bytes = new Uint8Array(entities.offsets[count]! + count * size)
  for (let row = 0; row < count; row++) {
    const entity = entities.bytes.subarray(entities.offsets[row]!, entities.offsets[row + 1]!)
    bytes.set(entity, offsets[row]!)
    const at = offsets[row]! + entity.length
    bytes.set(raw.subarray(row * size, (row + 1) * size), at)
    offsets[row + 1] = at + size
  }
  return { bytes, offsets }
}

/** In (0, 1): 52 bits and a half, so that its logarithm is finite. */
function unit(tags: DataView, at: number): number {
  return (tags.getUint32(at) * 2 ** 20 + (tags.getUint32(at + 4) >>> 12) + 0.5) / 2 ** 52
}

/** Of scale 1, by its inverse distribution function. */
function laplace(tags: DataView, at: number): number {
  const magnitude = -Math.log(unit(tags, at))
  return (tags.getUint8(at + 8) & 1) === 1 ? magnitude : -magnitude
}

/** In (−1, 1). */
function uniform(tags: DataView, at: number): number {
  return 2 * unit(tags, at) - 1
}

/** Adds to a value in its place; false where the sum is not a value of the type. */
function adder(type: FixedType, values: FixedValues): (row: number, noise: number) => boolean {
  if (type.kind === 'decimal') {
    const words = new BigInt64Array(values.buffer, values.byteOffset, values.length / 2)
    const unit = 10 ** type.scale
    // up to 18 digits: the low half holds the number, the high half its sign
    return (row, noise) => {
      const sum = words[2 * row]! + BigInt(Math.round(noise * unit))
      if (!holds(sum, type)) return false
      words[2 * row] = sum
      words[2 * row + 1] = sum < 0n ? -1n : 0n
      return true
    }
  }
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return (row, noise) => {
      const sum = values[row]! + BigInt(Math.round(noise))
      values[row] = sum
      return values[row] === sum
    }
  }
  if (values instanceof Float32Array || values instanceof Float64Array) {
    return (row, noise) => {
      values[row] = values[row]! + noise
      return Number.isFinite(values[row]!)
    }
  }
  return (row, noise) => {
    const sum = values[row]! + Math.round(noise)
    values[row] = sum
    return values[row] === sum
  }
}

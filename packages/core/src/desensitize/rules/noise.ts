import { z } from 'zod'
import { blockCipher } from '../cipher/block-cipher.js'
import { cmacColumn } from '../cipher/cmac.js'
import { deriveKey } from '../cipher/derive.js'
import type { Messages } from '../cipher/messages.js'
import { type FixedColumn, type FixedValues, isValid, Validity } from '../column.js'
import { compared } from '../compare.js'
import { type EncodedValues, encodedValues } from '../keyed/encoding.js'
import { EntityColumn, JoinDomain, KeyName } from '../keyed/fields.js'
import { type RuleDefinition, wrongType } from '../rule.js'

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
 * release, so that asking again averages nothing out. Integers stay integers. A value without an entity, one that is
 * not finite, and a sum that the type does not hold are hidden. This is not differential privacy: the noise is bound to
 * the key for ever, and nobody counts a budget.
 */
export const noise: RuleDefinition<NoiseRule> = {
  keyed: true,
  scope: 'chunk',
  entityColumn: rule => rule.entity,
  resultType(_, type) {
    const wide = type.kind === 'integer' && type.bits === 128
    if ((type.kind !== 'integer' && type.kind !== 'float') || wide) {
      throw wrongType('noise', type, 'integer of up to 64 bits, or float')
    }
    return type
  },
  bind({ key, domain, distribution, scale }, binding) {
    const purpose = { rule: 'noise', algorithm: 'aes-cmac', domain, column: binding.column }
    const cipher = blockCipher('aes', deriveKey(binding.key(key), purpose, 32))
    const sample = distribution === 'laplace' ? laplace : uniform
    return (chunk, { entity }) => {
      const before = chunk as FixedColumn
      const entities = encodedValues('noise', entity!)
      const tags = new DataView(cmacColumn(cipher, cellMessages(entities, before.values)).buffer)
      const values = before.values.slice(0, chunk.length) as FixedValues
      const add = adder(values)
      const validity = new Validity(chunk.length)
      for (let row = 0; row < chunk.length; row++) {
        const fits = isValid(chunk, row) && entities.fits[row] === 1
        if (fits && add(row, scale * sample(tags, row * 16))) continue
        validity.clear(row)
        values[row] = (typeof values[row] === 'bigint' ? 0n : 0) as never
      }
      return compared(chunk, { ...before, validity: validity.finish(), values })
    }
  },
}

/** The entity, then the value's own bytes, which are of one size: no two cells have one message. */
function cellMessages(entities: EncodedValues, values: FixedValues): Messages {
  const size = values.BYTES_PER_ELEMENT
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
function adder(values: FixedValues): (row: number, noise: number) => boolean {
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

import { type Vector, vectorFromArray } from 'apache-arrow'
import { arrowTypeOf } from '../columns/types.js'
import { below } from '../desensitize/cipher/key-stream.js'
import type { ScalarType } from '../plan/types.js'

/** Values that are made up, a column at a time. `next` gives random 32-bit numbers. */
export type Next = () => number

const DAY = 86_400_000
/** 1 January 2000, in milliseconds since the epoch */
const FIRST_DAY = 946_684_800_000

/**
 * The form of a type and nothing of the data: `SYN-00000042`, 42, the 42nd day of 2000. Serial numbers below `rows`, so
 * that stand-ins of two datasets meet along them; every one once where `distinct`.
 */
export function serialValues(type: ScalarType, rows: number, distinct: boolean, next: Next): Vector {
  const serials = Uint32Array.from({ length: rows }, (_, row) => (distinct ? row : below(next, rows)))
  return vectorFromArray(
    Array.from(serials, serial => formOf(type, serial)),
    arrowTypeOf(type),
  )
}

function formOf(type: ScalarType, serial: number): unknown {
  switch (type.kind) {
    case 'text':
      return `SYN-${String(serial).padStart(8, '0')}`
    case 'boolean':
      return serial % 2 === 1
    case 'date':
    case 'timestamp':
      return dayOf(type, FIRST_DAY + serial * DAY)
    case 'time':
      return BigInt(serial % 86_400) * 1_000_000n
    default:
      return numberOf(type, serial)
  }
}

/** A moment as a column of dates or timestamps takes it. */
export function dayOf(type: ScalarType, milliseconds: number): unknown {
  return type.kind === 'date' ? new Date(Math.floor(milliseconds / DAY) * DAY) : milliseconds
}

/** A number as a column of the type takes it, held to what the type can hold. */
export function numberOf(type: ScalarType, value: number): unknown {
  switch (type.kind) {
    case 'integer': {
      const most = 2n ** BigInt(type.bits - (type.signed ? 1 : 0)) - 1n
      const held = clamped(BigInt(Math.round(value)), type.signed ? -most - 1n : 0n, most)
      return type.bits === 128 ? words(held) : type.bits === 64 ? held : Number(held)
    }
    case 'decimal': {
      const most = 10n ** BigInt(type.precision) - 1n
      return words(clamped(BigInt(Math.round(value * 10 ** type.scale)), -most, most))
    }
    default:
      return value
  }
}

/** A share of 1, below it. */
export function share(next: Next): number {
  return next() / 2 ** 32
}

function clamped(value: bigint, least: bigint, most: bigint): bigint {
  return value < least ? least : value > most ? most : value
}

/** 128 bits in two's complement, as Arrow has decimals. */
function words(value: bigint): Uint32Array {
  return Uint32Array.from({ length: 4 }, (_, i) =>
    Number((BigInt.asUintN(128, value) >> BigInt(32 * i)) & 0xffffffffn),
  )
}

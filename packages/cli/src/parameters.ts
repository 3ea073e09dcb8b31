import { SluiceError } from '@sluice/core'
import type { ParameterSchema, ScalarType } from '@sluice/core/plan'

/**
 * A parameter as it is declared on the command line: `name:type`, then a range `:min..max` (either end may be
 * open) or a list `:A|B|C`, then `=default`. Types: boolean, int (64 bits), decimal(p,s), double, text, date,
 * time, timestamp.
 *
 * @throws SluiceError USAGE
 */
export function parseParameterDeclaration(text: string): ParameterSchema {
  const [, name, type, domain, standard] =
    /^([A-Za-z_]\w*):([a-z0-9]+(?:\(\d+,\s*\d+\))?)(?::(.*?))?(?:=(.*))?$/s.exec(text) ?? []
  if (name === undefined || type === undefined) {
    throw new SluiceError('USAGE', `"${text}" declares no parameter`, {
      rule: 'parameter.declaration',
      remedy: 'Write name:type, as in year:int:1990..2002, state:text:Iowa|Ohio or since:date=2000-01-01.',
    })
  }
  return {
    name,
    type: parseParameterType(type),
    ...(domain && parseDomain(domain)),
    ...(standard !== undefined && { default: standard }),
  }
}

/** @throws SluiceError USAGE */
export function parseParameterType(text: string): ScalarType {
  const [, precision, scale] = /^decimal\((\d+),\s*(\d+)\)$/.exec(text) ?? []
  if (precision !== undefined) return { kind: 'decimal', precision: Number(precision), scale: Number(scale) }
  const type = TYPES.get(text)
  if (type) return type
  throw new SluiceError('USAGE', `"${text}" is no type of a parameter`, {
    rule: 'parameter.type',
    remedy: `Choose from: ${[...TYPES.keys()].join(', ')}, decimal(p,s).`,
  })
}

/** `name=value` pairs of `sluice run`. @throws SluiceError USAGE */
export function parseValues(texts: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    const name = text.slice(0, at)
    if (at < 1 || Object.hasOwn(values, name)) {
      // the value stays unsaid: it may be what somebody wants to know
      throw new SluiceError('USAGE', at < 1 ? 'a --param without a name' : `--param ${name} stands twice`, {
        remedy: 'Write --param name=value, once for each parameter.',
      })
    }
    values[name] = text.slice(at + 1)
  }
  return values
}

const INTEGER: ScalarType = { kind: 'integer', bits: 64, signed: true }
const DOUBLE: ScalarType = { kind: 'float', bits: 64 }
const TYPES = new Map<string, ScalarType>([
  ['boolean', { kind: 'boolean' }],
  ['int', INTEGER],
  ['integer', INTEGER],
  ['double', DOUBLE],
  ['text', { kind: 'text' }],
  ['date', { kind: 'date' }],
  ['time', { kind: 'time' }],
  ['timestamp', { kind: 'timestamp' }],
])

function parseDomain(text: string): Pick<ParameterSchema, 'minimum' | 'maximum' | 'values'> {
  const range = text.split('..')
  if (range.length === 2) {
    const [minimum, maximum] = range
    return { ...(minimum && { minimum }), ...(maximum && { maximum }) }
  }
  return { values: text.split('|') }
}

import { SluiceError } from '@sluice/core'

const STRINGS_AND_NUMBERS = /"(?:[^"\\]|\\.)*"|-?(?:Infinity|NaN|nan|inf|\d[\d.eE+-]*)/g

/**
 * Parses the engine's JSON without loss: every number becomes its own text. Some are 64-bit and beyond what a
 * JavaScript number holds (`query_location`), some are no JSON at all (`Infinity`).
 */
export function parseNumbersAsText(json: string): unknown {
  try {
    return JSON.parse(json.replace(STRINGS_AND_NUMBERS, token => (token[0] === '"' ? token : `"${token}"`)))
  } catch (cause) {
    throw new SluiceError('ENGINE_FAILED', 'the engine’s syntax tree is not readable', { cause })
  }
}

import text from './gb-t-43697-2024.yaml'
import { parseCatalogue } from './parse.js'
import type { Catalogue } from './types.js'

/** The text of the catalogue that comes with this package, to start one's own from. */
export const defaultCatalogueText: string = text

let parsed: Catalogue | undefined

/** The catalogue that comes with this package: GB/T 43697-2024, with our judgement where the standard leaves room. */
export function defaultCatalogue(): Catalogue {
  parsed ??= parseCatalogue(text, { source: 'gb-t-43697-2024.yaml' })
  return parsed
}

import type { Rule } from '../../desensitize/rules/registry.js'
import type { Use } from '../../plan/review-types.js'
import type { ColumnRole, Grade } from '../../policy/types.js'
import type { Recognizer } from '../recognizer.js'

/** How bad it would be if data were leaked, altered, destroyed or misused (GB/T 43697-2024, 影响程度). */
export const DEGREES = ['none', 'general', 'serious', 'special'] as const
export type Degree = (typeof DEGREES)[number]

export interface Impact {
  /** who or what would be harmed (影响对象), as the catalogue's table of grades names it */
  readonly object: string
  readonly degree: Degree
}

/** What classification goes by, made from a file by `parseCatalogue`. */
export interface Catalogue {
  readonly name: string
  readonly edition: string
  readonly standard: string
  /** SHA-256 of the file's canonical content, hexadecimal */
  readonly digest: string
  readonly entities: readonly CatalogueEntity[]
  /** for columns that nothing recognizes */
  readonly unrecognized: { readonly impact: Impact; readonly grade: Grade }
}

export interface CatalogueEntity {
  readonly name: string
  readonly label: Label
  readonly names: readonly string[]
  /** null: only a column's name tells */
  readonly recognizer: Recognizer | null
  readonly impact: Impact
  readonly grade: Grade
  readonly role: ColumnRole
  readonly uses: readonly Use[]
  /** the desensitization rule that is suggested where values have to be shown; null: none */
  readonly rule: Rule | null
}

export interface Label {
  readonly en: string
  readonly zh: string
}

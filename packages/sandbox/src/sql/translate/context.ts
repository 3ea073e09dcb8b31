import type { ColumnId, Parameter, ParameterSchema } from '@sluice/core/plan'
import { type Catalogue, fold } from '../catalogue.js'
import { type Ast, refuse } from '../syntax/ast.js'

/** Deepest nesting of a query, and the most that it may consist of once its common table expressions are written out. */
const DEPTH_LIMIT = 200
const SIZE_LIMIT = 20_000

/** What one translation shares: the catalogue, the parameters, fresh ids, and how large the query may become. */
export class Context {
  readonly catalogue: Catalogue
  readonly #parameters: ReadonlyMap<string, ParameterSchema>
  #nextId = 0
  #depth = 0
  #size = 0

  constructor(catalogue: Catalogue, parameters: ReadonlyMap<string, ParameterSchema>) {
    this.catalogue = catalogue
    this.#parameters = parameters
  }

  fresh(): ColumnId {
    return this.#nextId++
  }

  /** Runs a step of the translation within the limits. */
  within<T>(at: Ast, step: () => T): T {
    if (++this.#size > SIZE_LIMIT) {
      refuse(
        'sql.size',
        at,
        'the query is too large',
        'Use fewer expressions, and each WITH query fewer times.',
      )
    }
    if (++this.#depth > DEPTH_LIMIT) {
      refuse('sql.depth', at, `the query is nested more than ${DEPTH_LIMIT} deep`, 'Nest it less.')
    }
    try {
      return step()
    } finally {
      this.#depth--
    }
  }

  parameter(name: string, at: Ast): Parameter {
    if (/^\d+$/.test(name)) {
      refuse(
        'sql.parameter',
        at,
        'parameters have names',
        'Write $name and declare it with its type and range.',
      )
    }
    const schema = this.#parameters.get(fold(name))
    if (schema === undefined) {
      const declared = [...this.#parameters.values()].map(each => `$${each.name}`)
      refuse(
        'sql.parameter',
        at,
        `the parameter $${/^\w{1,64}$/.test(name) ? name : '…'} is not declared`,
        declared.length === 0
          ? 'Declare it with its type and range in the request.'
          : `Declare it in the request, or use one of ${declared.join(', ')}.`,
      )
    }
    return { kind: 'parameter', type: schema.type, name: schema.name }
  }
}

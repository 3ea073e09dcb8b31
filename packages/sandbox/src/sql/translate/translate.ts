import { type Position, SluiceError } from '@sluice/core'
import {
  type ParameterSchema,
  PLAN_LANGUAGE,
  type Plan,
  type PlanNode,
  type PositionOf,
} from '@sluice/core/plan'
import type { Catalogue } from '../catalogue.js'
import { hiddenCharacter, positionAtCharacter } from '../parser/text.js'
import { type Ast, isAst, locate, Refusal, refuse } from '../syntax/ast.js'
import { Context } from './context.js'
import { Located } from './located.js'
import { UnknownName } from './names.js'
import { allUsed, parametersIn, readParameters } from './parameters.js'
import { prune } from './prune.js'
import { statement, translateQuery } from './query.js'

export interface TranslateInput {
  /** the engine's answer for the query, read with `parseNumbersAsText` */
  readonly syntax: unknown
  /** the query's bytes, to say where something stands */
  readonly bytes: Uint8Array
  readonly catalogue: Catalogue
  readonly parameters: readonly ParameterSchema[]
}

export interface Translation {
  readonly plan: Plan
  /** where the parts of this very plan stand in the query; looked up only when somebody asks */
  readonly positionOf: PositionOf
}

/** Where the engine says of nothing where it stands. */
const START: Position = { line: 1, column: 1 }

/**
 * The plan of a query. Whatever the translation does not know is refused.
 *
 * @throws SluiceError SQL_SYNTAX, SQL_REFUSED, NAME_UNKNOWN, PARAMETER_INVALID
 */
export function translate({ syntax, bytes, catalogue, parameters }: TranslateInput): Translation {
  const context = new Context(catalogue, readParameters(parameters))
  const only = onlyStatement(syntax, bytes)
  const located = new Located()
  try {
    const { node, columns } = translateQuery(statement(only), {
      context,
      tables: null,
      located,
      outermost: true,
    })
    const output = columns.map(column =>
      located.as({ name: outputName(column.name, only), id: column.id }, column),
    )
    const seen = new Set<string>()
    for (const { name } of output) {
      if (seen.has(name.toLowerCase())) {
        refuse(
          'sql.duplicate-name',
          only,
          'two columns of the result have one name',
          'Give them names with AS.',
        )
      }
      seen.add(name.toLowerCase())
    }
    const root: PlanNode = prune(node, new Set(output.map(({ id }) => id)), located)
    const plan: Plan = {
      kind: 'plan',
      language: PLAN_LANGUAGE,
      root,
      output,
      parameters: allUsed(parameters, parametersIn(root)),
    }
    const positionOf: PositionOf = part => {
      const ast = located.of(part)
      return ast === undefined ? undefined : (locate(syntax, ast, bytes) ?? START)
    }
    return { plan, positionOf }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const position = locate(syntax, error.at, bytes) ?? START
    throw new SluiceError(error instanceof UnknownName ? 'NAME_UNKNOWN' : 'SQL_REFUSED', error.message, {
      rule: error.rule,
      remedy: error.remedy,
      position,
    })
  }
}

function outputName(name: string, at: Ast): string {
  if (name === '' || name.length > 255 || hiddenCharacter(name) !== -1) {
    refuse(
      'sql.text',
      at,
      'a column of the result has a name that cannot be shown',
      'Give it a plain name with AS.',
    )
  }
  return name
}

function onlyStatement(syntax: unknown, bytes: Uint8Array): Ast {
  if (!isAst(syntax)) throw new SluiceError('ENGINE_FAILED', 'the engine’s syntax tree is not readable')
  if (syntax.error !== false) throw notParsed(syntax, bytes)
  const statements = Array.isArray(syntax.statements) ? syntax.statements : []
  const [only, second] = statements
  if (statements.length === 1 && isAst(only)) return only
  const position = (second === undefined ? undefined : locate(syntax, second, bytes)) ?? START
  throw new SluiceError(
    'SQL_REFUSED',
    second === undefined ? 'there is no query' : 'there is more than one query',
    {
      rule: 'sql.one-statement',
      remedy: 'Write one SELECT.',
      position,
    },
  )
}

/** The engine's own message repeats parts of the text, so only the place and the kind of the error are kept. */
function notParsed(syntax: Ast, bytes: Uint8Array): SluiceError {
  if (syntax.error_type === 'not implemented') {
    return new SluiceError('SQL_REFUSED', 'this is not a SELECT', {
      rule: 'sql.select',
      remedy: 'Write one SELECT.',
      position: START,
    })
  }
  return new SluiceError('SQL_SYNTAX', 'the query has a syntax error', {
    rule: 'sql.syntax',
    remedy: 'Check the text at this place.',
    position: syntaxPosition(syntax.position, bytes),
  })
}

/** The engine counts bytes in its syntax trees, and characters in its syntax errors. */
function syntaxPosition(offset: unknown, bytes: Uint8Array): Position {
  return typeof offset === 'string' && /^\d{1,9}$/.test(offset)
    ? positionAtCharacter(bytes, Number(offset))
    : START
}

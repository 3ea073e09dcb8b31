import type { Expression } from '@sluice/core/plan'
import { type Ast, children, fields, refuse, text } from '../../syntax/ast.js'
import { isAggregateName, refuseAggregateName } from '../aggregate-table.js'
import type { Place } from '../expressions.js'
import { intervalArithmetic, isInterval } from './intervals.js'
import { SCALAR_FUNCTIONS } from './table.js'

const NO_ORDER = { type: 'ORDER_MODIFIER', orders: [] }
/** The parser itself writes some functions with these. */
const SYSTEM_CATALOGS = ['', 'system']
const SYSTEM_SCHEMAS = ['', 'main']

/** Functions whose answer depends on who asks and when, or that reach outside of the query. */
const ENVIRONMENT = new Set([
  'now',
  'today',
  'current_date',
  'current_timestamp',
  'current_user',
  'current_schema',
  'current_database',
  'current_setting',
  'get_current_time',
  'get_current_timestamp',
  'transaction_timestamp',
  'version',
  'random',
  'uuid',
  'gen_random_uuid',
  'getenv',
  'nextval',
  'currval',
  'txid_current',
])

/** Translates a call of a scalar function, an operator, or an aggregate. */
export function translateFunction(ast: Ast, place: Place, translate: (part: Ast) => Expression): Expression {
  const name = text(ast, 'function_name').toLowerCase()
  if (!SYSTEM_CATALOGS.includes(text(ast, 'catalog')) || !SYSTEM_SCHEMAS.includes(text(ast, 'schema'))) {
    refuse('sql.function', ast, 'functions have no schema', 'Write the name of the function alone.')
  }
  if (isAggregateName(name)) {
    if (place.aggregate !== null) return place.aggregate(ast, place)
    refuse(
      'sql.aggregate-place',
      ast,
      `an aggregate cannot stand in ${place.clause}`,
      place.clause === 'WHERE' ? 'Use HAVING.' : 'Compute it in a subquery in FROM.',
    )
  }
  refuseAggregateName(name, ast)
  if (ENVIRONMENT.has(name)) {
    refuse(
      'sql.environment',
      ast,
      `${name}() depends on who runs the query and when`,
      'Pass a parameter instead.',
    )
  }
  fields(ast, ['class', 'type', 'alias', 'function_name', 'schema', 'catalog', 'children', 'is_operator'], {
    filter: null,
    order_bys: NO_ORDER,
    distinct: false,
    export_state: false,
  })
  const parts = children(ast, 'children')
  if ((name === '+' || name === '-') && parts.some(isInterval)) {
    return intervalArithmetic(ast, name, parts, translate)
  }
  if (isInterval(ast)) {
    refuse('sql.interval', ast, 'an interval stands only beside a date', "Write date + INTERVAL '3' DAY.")
  }
  const rule = SCALAR_FUNCTIONS.get(name)
  if (rule === undefined) {
    refuse(
      'sql.function',
      ast,
      `the function ${/^\w{1,64}$/.test(name) ? name : 'here'} is not understood`,
      'Use the functions that docs/sql.md lists.',
    )
  }
  const operands = parts.map(translate)
  if (operands.length < rule.least || operands.length > rule.most) {
    refuse('sql.arguments', ast, `${name} has another number of arguments`, `Write ${rule.signature}.`)
  }
  return rule.translate(operands, ast)
}

import type { Expression, FunctionName, Literal, ScalarType } from '@sluice/core/plan'
import { sqlType } from '../../emit/types.js'
import { type Ast, refuse } from '../../syntax/ast.js'
import { convert } from '../casts.js'
import { BOOLEAN, INT64, TEXT } from '../types.js'
import { call } from '../typing.js'
import { type FunctionRule, MANY, rule, type Translate } from './rule.js'

export const TEXT_FUNCTIONS: readonly (readonly [string, FunctionRule])[] = [
  rule(
    ['~~'],
    'a LIKE pattern',
    '% stands for any text, _ for one character; upper and lower case differ.',
    2,
    2,
    ofTexts('like', BOOLEAN),
  ),
  rule(['!~~'], 'a NOT LIKE pattern', 'The opposite.', 2, 2, ofTexts('notLike', BOOLEAN)),
  rule(
    ['like_escape'],
    'a LIKE pattern ESCAPE c',
    'The character c makes the next one literal.',
    3,
    3,
    ofTexts('like', BOOLEAN),
  ),
  rule(
    ['not_like_escape'],
    'a NOT LIKE pattern ESCAPE c',
    'The opposite.',
    3,
    3,
    ofTexts('notLike', BOOLEAN),
  ),
  rule(['||'], 'a || b', 'Texts joined; null where one is null.', 2, 2, ofTexts('concat', TEXT)),
  rule(['concat'], 'concat(a, b, …)', 'Texts joined; nulls are skipped.', 1, MANY, concat),
  rule(['lower', 'lcase'], 'lower(x)', 'In lower case.', 1, 1, ofTexts('lower', TEXT)),
  rule(['upper', 'ucase'], 'upper(x)', 'In upper case.', 1, 1, ofTexts('upper', TEXT)),
  rule(['trim'], 'trim(x)', 'Without spaces at both ends.', 1, 1, ofTexts('trim', TEXT)),
  rule(['ltrim'], 'ltrim(x)', 'Without spaces at the start.', 1, 1, ofTexts('trimStart', TEXT)),
  rule(['rtrim'], 'rtrim(x)', 'Without spaces at the end.', 1, 1, ofTexts('trimEnd', TEXT)),
  rule(
    ['length', 'len', 'char_length', 'character_length'],
    'length(x)',
    'Number of characters (code points).',
    1,
    1,
    ofTexts('length', INT64),
  ),
  rule(
    ['substring', 'substr'],
    'substring(x, start [, count])',
    'Characters from `start`, counted from 1; below zero from the end.',
    2,
    3,
    substring,
  ),
  rule(
    ['starts_with', 'prefix', '^@'],
    'starts_with(x, start)',
    'Does the text start so.',
    2,
    2,
    ofTexts('startsWith', BOOLEAN),
  ),
  rule(
    ['ends_with', 'suffix'],
    'ends_with(x, end)',
    'Does the text end so.',
    2,
    2,
    ofTexts('endsWith', BOOLEAN),
  ),
  rule(['contains'], 'contains(x, part)', 'Does the text have the part.', 2, 2, ofTexts('contains', BOOLEAN)),
  rule(
    ['position', 'strpos', 'instr'],
    'position(part IN x)',
    'Where the part first stands, counted from 1; 0 if nowhere.',
    2,
    2,
    ofTexts('position', INT64),
  ),
  rule(['replace'], 'replace(x, part, other)', 'Every part replaced.', 3, 3, ofTexts('replace', TEXT)),
].flat()

function ofTexts(name: FunctionName, type: ScalarType): Translate {
  return (operands, at) => call(name, type, ...operands.map(each => textual(each, at)))
}

function concat(operands: readonly Expression[], at: Ast): Expression {
  const empty: Literal = { kind: 'literal', type: TEXT, value: '' }
  const texts = operands.map(each => {
    const own = textual(each, at)
    return own.kind === 'literal' && own.value !== null ? own : call('coalesce', TEXT, own, empty)
  })
  return texts.length === 1 ? texts[0]! : call('concat', TEXT, ...texts)
}

function substring([x, ...bounds]: readonly Expression[], at: Ast): Expression {
  const numbers = bounds.map(bound => {
    if (bound.type.kind !== 'integer' || (bound.type.bits === 128 && bound.kind !== 'literal')) {
      refuse('sql.type', at, 'start and count are whole numbers', 'Write substring(x, 1, 3).')
    }
    return convert(bound, INT64)
  })
  return call('substring', TEXT, textual(x!, at), ...numbers)
}

function textual(expression: Expression, at: Ast): Expression {
  if (expression.type.kind === 'text') return expression
  if (expression.kind === 'literal' && expression.value === null) return convert(expression, TEXT)
  return refuse(
    'sql.type',
    at,
    `a text is needed, and this is a ${sqlType(expression.type)}`,
    'Cast it with CAST(x AS VARCHAR).',
  )
}

import { stringify } from 'yaml'
import type { Rule } from '../desensitize/rules/registry.js'
import { SluiceError } from '../errors.js'
import { visibleText } from '../text.js'
import type { Candidate, Classification, ColumnClassification } from './types.js'

export interface DraftOptions {
  /** a principal's name, as enrolled */
  readonly owner: string
}

/**
 * A policy for a person to edit, in YAML that `parsePolicy` accepts: roles, grades, uses and rules as suggested, what
 * was found in comments. It lets nobody in: purposes and consumers are empty until somebody names them.
 *
 * @throws SluiceError SCHEMA_INVALID where a column's name cannot stand in a policy
 */
export function draftPolicy(classification: Classification, { owner }: DraftOptions): string {
  const { catalogue, grade, columns } = classification
  for (const { name } of columns) requireName(name)
  return [
    '# 策略草稿，请逐项核对后使用。A draft: check each line before it is used.',
    `# ${catalogue.name} ${comment(catalogue.edition)}`,
    '# purposes, consumers: 留空即全部拒绝 empty lists deny everybody',
    ...keyLines(columns),
    'version: 1',
    `owner: ${scalar(owner)}`,
    `standard: ${scalar(catalogue.standard)}`,
    `grade: ${grade}`,
    `entity: ${entityText(columns)}`,
    'purposes: []',
    'consumers: []',
    'columns:',
    ...columns.flatMap(columnLines),
    '',
  ].join('\n')
}

function columnLines(column: ColumnClassification): string[] {
  const { name, role, grade, uses, rule } = column
  const parts = [
    `role: ${role}`,
    `grade: ${grade}`,
    ...(uses.length > 0 ? [`uses: [${uses.join(', ')}]`] : []),
  ]
  const ruled = rule === null ? [] : [`    rule: ${flow(rule)}`]
  return [
    `  # ${comment(found(column))}`,
    `  ${scalar(name)}:`,
    ...parts.map(part => `    ${part}`),
    ...ruled,
  ]
}

/** How the secrets that rules name are made and given. */
function keyLines(columns: readonly ColumnClassification[]): string[] {
  const keys = new Set(columns.flatMap(({ rule }) => (rule?.kind === 'token' ? [rule.key] : [])))
  return [...keys].map(
    key =>
      `# 令牌密钥由提供方保管 a token's secret stays with the provider: sluice key new ${key}.secret --for desensitize; ` +
      `sluice desensitize … --secret ${key}=${key}.secret`,
  )
}

function flow(rule: Rule): string {
  return stringify(rule, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd()
}

const WORTH_A_LOOK = 0.3

function found({ entity, others, reason, impact, embedded }: ColumnClassification): string {
  const first = entity === null ? '未识别 not recognized' : candidateText(entity)
  const doubts = others
    .filter(({ confidence }) => confidence >= WORTH_A_LOOK)
    .slice(0, 2)
    .map(candidateText)
  const also = doubts.length > 0 ? `; 另或 or else: ${doubts.join(', ')}` : ''
  const raised = reason === 'higher-candidate' ? '; 就高从严 the higher grade is taken' : ''
  const inside =
    embedded.value > 0
      ? `; 文中含个人号码 numbers of persons inside: ${(100 * embedded.value).toFixed(1)} %`
      : ''
  return `${first}${also} [${impact.object}, ${impact.degree}]${raised}${inside}`
}

function candidateText({ label, confidence, evidence }: Candidate): string {
  return `${label.zh} ${label.en} ${Math.round(confidence * 100)} % (${evidence.join(', ')})`
}

/** The identifier that most likely says whose a row is; every row by itself where there is none. */
function entityText(columns: readonly ColumnClassification[]): string {
  const [best] = columns
    .filter(
      ({ role, entity, nulls, rule }) =>
        role === 'identifier' && entity !== null && nulls.value < 0.5 && rule?.kind !== 'drop',
    )
    .sort((a, b) => preference(a) - preference(b))
  return best === undefined ? 'row' : `{ column: ${scalar(best.name)} }`
}

/** Numbers of persons before those of organizations before whatever may be shared or change. */
const PREFERRED = [
  'identity-number',
  'passport',
  'hong-kong-macau-permit',
  'taiwan-permit',
  'credit-code',
  'mobile',
]

function preference({ entity }: ColumnClassification): number {
  const at = PREFERRED.indexOf(entity!.entity)
  return at < 0 ? PREFERRED.length : at
}

/** A plain word where YAML reads it as one, else in double quotes. */
function scalar(text: string): string {
  const plain =
    /^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(text) && !/^(?:null|true|false|yes|no|on|off|y|n)$/i.test(text)
  return plain ? text : JSON.stringify(text)
}

function comment(text: string): string {
  return visibleText(text)
}

function requireName(name: string): void {
  if (name.length >= 1 && name.length <= 256 && name !== '__proto__' && name !== '<<') return
  throw new SluiceError('SCHEMA_INVALID', 'a column has a name that cannot stand in a policy', {
    rule: 'name',
    remedy: 'Rename the column: 1 to 256 characters.',
  })
}

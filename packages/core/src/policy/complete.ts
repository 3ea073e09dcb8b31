import type { Rule } from '../desensitize/rules/registry.js'
import { compareGrades, dominanceAtLeast, GRADE_RULES, highestGrade, pPercentAtLeast } from './grades.js'
import type { Path, Problem } from './problems.js'
import type { PolicyFile } from './schema.js'
import type { ColumnPolicy, DisclosureLimits, Grade, Policy } from './types.js'

const DEFAULT_STANDARD = 'GB/T 43697-2024'
/** Distinct sensitive values of a class of released rows, where the policy does not say. */
export const DEFAULT_L = 2
/** Rows of a stand-in, where the policy allows one and does not say. */
const DEFAULT_SAMPLE_ROWS = 1000
const DEFAULT_STEP = { rows: 100, milliseconds: 100 }

/** The complete policy that a file means: absent keys take the defaults of the grade, uses and lists stay denied. */
export function completePolicy(file: PolicyFile): Policy {
  const grade = String(file.grade) as Grade
  const rule = GRADE_RULES[grade]
  return {
    kind: 'policy',
    version: 1,
    owner: file.owner,
    standard: file.standard ?? DEFAULT_STANDARD,
    grade,
    entity:
      typeof file.entity === 'string'
        ? { kind: file.entity }
        : { kind: 'column', column: file.entity.column, notEntities: (file.entity.not ?? []).map(String) },
    release: file.release ?? 'aggregate',
    disclosure: limits(file.disclosure ?? {}, rule.defaults),
    approvals: {
      reviewer: file.approvals?.reviewer ?? rule.reviewer,
      named: file.approvals?.named ?? null,
    },
    purposes: file.purposes ?? [],
    consumers: file.consumers ?? [],
    expires: file.expires ?? null,
    ...(file.sample !== undefined &&
      file.sample.mode !== 'none' && {
        sample: { mode: file.sample.mode, rows: file.sample.rows ?? DEFAULT_SAMPLE_ROWS },
      }),
    laterVersions: file.laterVersions ?? false,
    columns: Object.fromEntries(
      Object.entries(file.columns).map(([name, column]) => [name, completeColumn(column, grade)]),
    ),
  }
}

function limits(
  written: NonNullable<PolicyFile['disclosure']>,
  defaults: (typeof GRADE_RULES)[Grade]['defaults'],
): DisclosureLimits {
  return {
    minimumEntities: written.minimumEntities ?? defaults.minimumEntities,
    dominance: written.dominance === 'none' ? null : (written.dominance ?? defaults.dominance),
    pPercent: written.pPercent === 'none' ? null : (written.pPercent ?? defaults.pPercent),
    onFailure: written.onFailure ?? 'suppress',
    ...(written.contributors && {
      contributors: {
        minimum: written.contributors.minimum,
        inPlaceOfDominance: written.contributors.inPlaceOfDominance ?? false,
      },
    }),
    ...(written.anonymity && { anonymity: { k: written.anonymity.k, l: written.anonymity.l ?? DEFAULT_L } }),
    step: {
      rows: written.step?.rows ?? DEFAULT_STEP.rows,
      milliseconds: written.step?.milliseconds ?? DEFAULT_STEP.milliseconds,
    },
  }
}

function completeColumn(column: PolicyFile['columns'][string], grade: Grade): ColumnPolicy {
  const { min, max } = column.bounds ?? {}
  return {
    role: column.role,
    grade: column.grade === undefined ? grade : (String(column.grade) as Grade),
    uses: column.uses ?? [],
    publicValues: column.values === 'public',
    bounds:
      min === undefined && max === undefined
        ? null
        : {
            minimum: min === undefined ? null : String(min),
            maximum: max === undefined ? null : String(max),
          },
    ...(column.rule !== undefined && { rule: column.rule }),
  }
}

/**
 * What a complete policy says that contradicts itself or loosens what its grades demand. Paths are those of the
 * file form.
 */
export function policyProblems(policy: Policy): Problem[] {
  return [...consistencyProblems(policy), ...gradeProblems(policy)]
}

function consistencyProblems(policy: Policy): Problem[] {
  const problems: Problem[] = []
  const add = (path: Path, message: string, remedy: string) =>
    problems.push({ code: 'POLICY_INVALID', path, at: 'value', message, remedy })
  const { entity, approvals, columns } = policy
  if (entity.kind === 'column' && !Object.hasOwn(columns, entity.column)) {
    add(['entity', 'column'], 'names a column that is not among the columns', 'a column named under columns')
  }
  // the owner approves anyway, so that the owner's name adds nobody
  const named = approvals.named?.of.filter(principal => principal !== policy.owner).length ?? 0
  if (approvals.named !== null && approvals.named.count > named) {
    add(['approvals', 'named', 'count'], 'is more than are named besides the owner', `at most ${named}`)
  }
  if (policy.sample?.mode === 'rows' && !Object.values(columns).some(({ uses }) => uses.includes('output'))) {
    add(
      ['sample', 'mode'],
      'no column may leave in rows',
      'synthetic or none, or columns with the use output',
    )
  }
  for (const [name, column] of Object.entries(columns)) {
    const { minimum, maximum } = column.bounds ?? { minimum: null, maximum: null }
    if (minimum !== null && maximum !== null && Number(minimum) > Number(maximum)) {
      add(['columns', name, 'bounds'], 'the least value is above the greatest', 'min at most max')
    }
    if (column.rule?.kind === 'drop' && column.uses.length > 0) {
      add(['columns', name, 'rule'], 'a column that is dropped has no use', 'another rule, or no uses')
    }
    if (policy.release === 'aggregate' && entity.kind !== 'none' && column.uses.includes('output')) {
      add(
        ['columns', name, 'uses', column.uses.indexOf('output')],
        'output needs a release of rows',
        '`release: rows`, or the uses join, group, filter, aggregate, order, extreme',
      )
    }
  }
  return problems
}

function gradeProblems(policy: Policy): Problem[] {
  const problems: Problem[] = []
  const add = (rule: string, path: Path, message: string, remedy: string) =>
    problems.push({ code: 'GRADE_DENIED', rule, path, at: 'value', message, remedy })
  const { grade, disclosure, columns } = policy
  const { least, reviewer, contributors } = GRADE_RULES[grade]
  const columnGrades = Object.values(columns).map(column => column.grade)

  const highest = highestGrade(columnGrades)
  if (compareGrades(highest, grade) > 0) {
    add('grade.highest', ['grade'], 'is below the grade of a column (就高从严)', `at least ${highest}`)
  }
  if (policy.entity.kind === 'none' && grade !== '1') {
    add(
      'grade.entity',
      ['entity'],
      `none is for public reference data, not for grade ${grade}`,
      'row, or {column: NAME}',
    )
  }
  if (policy.sample !== undefined && GRADE_RULES[grade].uses.length === 0) {
    add('grade.sample', ['sample', 'mode'], `grade ${grade} has no stand-in`, 'mode: none')
  }
  // a dataset of a higher grade may have columns of grade 1; only those can leave in rows
  if (policy.release === 'rows' && !columnGrades.includes('1')) {
    add('grade.release', ['release'], 'no column is of a grade that may leave in rows', 'aggregate')
  }
  if (disclosure.minimumEntities < least.minimumEntities) {
    const remedy = `at least ${least.minimumEntities} in grade ${grade}`
    add('grade.minimum-entities', ['disclosure', 'minimumEntities'], 'is too low for the grade', remedy)
  }
  if (!dominanceAtLeast(disclosure.dominance, least.dominance)) {
    const { n, percent } = least.dominance!
    const remedy = `{n: ${n}, percent: ${percent}} or stricter in grade ${grade}`
    add('grade.dominance', ['disclosure', 'dominance'], 'is too loose for the grade', remedy)
  }
  if (!pPercentAtLeast(disclosure.pPercent, least.pPercent)) {
    const remedy = `at least ${least.pPercent} in grade ${grade}`
    add('grade.p-percent', ['disclosure', 'pPercent'], 'is too loose for the grade', remedy)
  }
  if (disclosure.contributors?.inPlaceOfDominance && disclosure.contributors.minimum < contributors) {
    const remedy = `at least ${contributors} in grade ${grade}`
    add('grade.contributors', ['disclosure', 'contributors', 'minimum'], 'is too low for the grade', remedy)
  }
  if (reviewer && !policy.approvals.reviewer) {
    add('grade.reviewer', ['approvals', 'reviewer'], `grade ${grade} needs a reviewer`, 'true')
  }
  for (const [name, column] of Object.entries(columns)) {
    const allowed = GRADE_RULES[column.grade].uses
    for (const [index, use] of column.uses.entries()) {
      if (allowed.includes(use)) continue
      const remedy = allowed.length > 0 ? allowed.join(', ') : 'no use'
      add(
        'grade.use',
        ['columns', name, 'uses', index],
        `grade ${column.grade} does not allow ${use}`,
        remedy,
      )
    }
  }
  return problems
}

/**
 * What the grades of columns demand of their rules. Asked of a policy that is to come into force; those that came into
 * force before this was demanded stay as they were signed.
 */
export function demandedRules(policy: Policy): Problem[] {
  return Object.entries(policy.columns).flatMap(([name, column]) => demandedRule(policy, name, column))
}

/**
 * From grade 3 on a value never leaves as it is, not even as the key of a group, and what says who somebody is links
 * data sets as a token alone. Values that are public knowledge say nothing.
 */
function demandedRule(
  policy: Policy,
  name: string,
  { grade, role, uses, rule, publicValues }: ColumnPolicy,
): Problem[] {
  if (compareGrades(grade, '3') < 0 || policy.entity.kind === 'none') return []
  const problem = (rule: string, message: string, remedy: string): Problem => ({
    code: 'GRADE_DENIED',
    rule,
    path: ['columns', name],
    at: 'value',
    message,
    remedy,
  })
  if (role === 'identifier' && uses.includes('join') && (rule === undefined || !PSEUDONYMS.has(rule.kind))) {
    return [
      problem(
        'grade.token',
        `an identifier of grade ${grade} joins as a token alone`,
        'a rule of kind token (fpe, reversible-token or a surrogate), applied before the data enters, or no use join',
      ),
    ]
  }
  if (uses.includes('group') && rule === undefined && !publicValues) {
    return [
      problem(
        'grade.rule',
        `a column of grade ${grade} may not leave as it is in the keys of groups`,
        'a rule for it (band, date-part, mask, …), `values: public` where everybody knows its values, or no use group',
      ),
    ]
  }
  if (uses.includes('order') && rule === undefined && !publicValues) {
    return [
      problem(
        'grade.rule',
        `a column of grade ${grade} may not leave as it is in quantiles and ranks`,
        'a rule for it (band, round, mask, …), `values: public` where everybody knows its values, or no use order',
      ),
    ]
  }
  return []
}

/** Rules that give the same pseudonym for the same value, under a key that the provider keeps. */
const PSEUDONYMS: ReadonlySet<Rule['kind']> = new Set([
  'fpe',
  'reversible-token',
  'surrogate-credit-code',
  'surrogate-identity-number',
  'token',
])

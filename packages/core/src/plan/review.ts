import { scanRule } from '../desensitize/scan.js'
import { type ErrorCode, type Position, SluiceError } from '../errors.js'
import { nearestNames } from '../names.js'
import { compareGrades, GRADE_RULES, highestGrade } from '../policy/grades.js'
import { visibleText } from '../text.js'
import { type Definitions, definitionsOf } from './definitions.js'
import { planDigest } from './encode.js'
import { columnUses, type SourceUse, usesOf } from './lineage.js'
import { hasTable, maskedColumn, sameMask } from './mask.js'
import type { Plan, PlanNode, Scan } from './node.js'
import type { PlanPart, PositionOf } from './positions.js'
import { aggregateRelease } from './release.js'
import {
  type DatasetFacts,
  type Obligation,
  type ReleaseShape,
  type RequiredApproval,
  type ReviewedPlan,
  USES,
  type Use,
} from './review-types.js'
import { rowsAnonymity } from './rows.js'
import { JOIN_LIMIT, SELF_JOIN_LIMIT, sizeOf } from './size.js'
import { sameType, validatePlan } from './validate.js'
import { nodesOf, scansOf } from './visit.js'

export interface ReviewContext {
  /** what the consumer wants it for, as the request states it */
  readonly purpose: string
  /** the principal who asks */
  readonly consumer: string
  readonly now: Date
  /** where the parts of the plan stand in the query, so that a refusal can point at it */
  readonly positionOf?: PositionOf
}

/** One thing that a policy, a grade or the form of the plan does not allow. */
interface Violation {
  readonly code: ErrorCode
  readonly rule: string
  readonly message: string
  readonly remedy: string
  /** the parts of the plan that it concerns, the one that tells most first */
  readonly parts: readonly PlanPart[]
}

/**
 * Plan × policies: may this be asked, for this purpose, by this consumer; who has to sign; what the result will be
 * held to. Pure: it sees schemas and policies, never values.
 *
 * All violations are gathered: the first is the error, and `facts.violations` lists every one as `rule: message`, with
 * its `line:column` before it where the context tells positions.
 *
 * @param datasets what is registered; each that the plan scans has to be there
 * @throws SluiceError SQL_REFUSED (`plan.joins`, `plan.self-joins`), PURPOSE_DENIED, CONSUMER_DENIED, GRADE_DENIED (`grade.…`), POLICY_DENIED (`use.…`,
 * `policy.expires`, `release.rows`), EVIDENCE_UNDEFINED (`evidence.…`); NAME_UNKNOWN, SCHEMA_CHANGED where the plan
 * does not fit the datasets; SCHEMA_INVALID where it is no plan
 */
export function reviewPlan(
  plan: Plan,
  datasets: readonly DatasetFacts[],
  context: ReviewContext,
): ReviewedPlan {
  validatePlan(plan)
  const scans = scansOf(plan.root)
  const facts = scans.map(scan => factsOf(scan, datasets))
  const touched = [...new Set(facts)]
  const definitions = definitionsOf(plan.root)
  const sourceUses = usesOf(plan, definitions)
  const obligations = facts.flatMap((dataset, source) => obligationOf(dataset, source))
  const release = releaseOf({ plan, scans, facts, obligations, definitions, uses: sourceUses })
  const unreleased = Array.isArray(release) ? release : []
  // that rows do not leave says more than that each of their columns does not
  const asRows = unreleased.filter(violation => violation.rule === 'release.rows')
  const violations = [
    ...sizeViolations(plan),
    ...touched.flatMap(dataset => accessViolations(dataset, scans, context)),
    ...asRows,
    ...useViolations(sourceUses, facts),
    ...unreleased.filter(violation => !asRows.includes(violation)),
  ]
  if (violations.length > 0) throw refusal(violations, context.positionOf)

  return {
    kind: 'reviewed-plan',
    plan,
    planDigest: planDigest(plan),
    datasets: touched,
    scans,
    uses: columnUses(sourceUses, USES),
    release: release as ReleaseShape,
    obligations: (release as ReleaseShape).mode === 'aggregate' ? obligations : [],
    approvals: approvalsOf(touched),
    grade: highestGrade(touched.map(dataset => dataset.policy.grade)),
    step: {
      rows: Math.max(1, ...touched.map(dataset => dataset.policy.disclosure.step.rows)),
      milliseconds: Math.max(1, ...touched.map(dataset => dataset.policy.disclosure.step.milliseconds)),
    },
  }
}

function factsOf(scan: Scan, datasets: readonly DatasetFacts[]): DatasetFacts {
  const dataset = datasets.find(candidate => candidate.name === scan.dataset)
  if (dataset === undefined) {
    const near = nearestNames(
      scan.dataset,
      datasets.map(candidate => candidate.name),
    )
    throw new SluiceError('NAME_UNKNOWN', `there is no dataset "${visibleText(scan.dataset)}"`, {
      rule: 'name.dataset',
      remedy: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Name a registered dataset.',
    })
  }
  for (const { name, type, mask } of scan.columns) {
    const column = dataset.columns.find(candidate => candidate.name === name)
    if (column !== undefined && sameType(column.type, mask?.from ?? type)) {
      const rule = Object.hasOwn(dataset.policy.columns, name)
        ? dataset.policy.columns[name]!.rule
        : undefined
      const { tables } = dataset
      if (hasTable(rule, tables) && sameMask(mask, maskedColumn(column, rule, tables).mask)) continue
      throw new SluiceError(
        'POLICY_DENIED',
        `the plan does not read the column "${visibleText(name)}" of "${visibleText(dataset.name)}" as its policy's rule says`,
        { rule: 'scan.rule', remedy: 'Submit the request again under the policy as it is.' },
      )
    }
    throw new SluiceError(
      'SCHEMA_CHANGED',
      `the plan reads a column "${visibleText(name)}" that "${visibleText(dataset.name)}" does not have, or not so`,
      { rule: 'schema.column', remedy: 'Submit the request again over the dataset as it is.' },
    )
  }
  return dataset
}

/** A plan that nobody could wait for is refused before anybody reads or signs it. */
function sizeViolations({ root }: Plan): Violation[] {
  const { joins, scans } = sizeOf(root)
  const violations: Violation[] = []
  if (joins > JOIN_LIMIT) {
    violations.push({
      code: 'SQL_REFUSED',
      rule: 'plan.joins',
      message: `the query has ${joins} joins, and ${JOIN_LIMIT} are the most`,
      remedy: `Name ${JOIN_LIMIT + 1} tables at most: leave out those that add no column, or have the owner register joined data.`,
      parts: scansOf(root).slice(JOIN_LIMIT + 1),
    })
  }
  for (const [dataset, found] of scans) {
    if (found.length <= SELF_JOIN_LIMIT + 1) continue
    violations.push({
      code: 'SQL_REFUSED',
      rule: 'plan.self-joins',
      message: `dataset "${visibleText(dataset)}" is joined with itself ${found.length - 1} times, and ${SELF_JOIN_LIMIT} are the most`,
      remedy: 'Write GROUP BY, or count(*) FILTER (WHERE …), over one scan in place of a join for each case.',
      parts: found.slice(SELF_JOIN_LIMIT + 1),
    })
  }
  return violations
}

function accessViolations(
  { name, policy }: DatasetFacts,
  scans: readonly Scan[],
  context: ReviewContext,
): Violation[] {
  const violations: Violation[] = []
  const parts = scans.filter(scan => scan.dataset === name)
  const dataset = `dataset "${visibleText(name)}"`
  const add = (code: ErrorCode, rule: string, message: string, remedy: string) =>
    violations.push({ code, rule, message, remedy, parts })
  if (compareGrades(policy.grade, 'important') >= 0) {
    const message = `${dataset} is of grade ${policy.grade}, which never leaves through this gate`
    add('GRADE_DENIED', 'grade.release', message, 'Ask for data of grade 1 to 3.')
  }
  if (policy.expires !== null && Date.parse(policy.expires) <= context.now.getTime()) {
    add(
      'POLICY_DENIED',
      'policy.expires',
      `the policy of ${dataset} has ended`,
      'Ask its owner for a new policy.',
    )
  }
  if (!policy.purposes.includes(context.purpose)) {
    add(
      'PURPOSE_DENIED',
      'purposes',
      `${dataset} is not open to this purpose`,
      listed(policy.purposes, 'No purpose is allowed.'),
    )
  }
  if (!policy.consumers.includes(context.consumer)) {
    const message = `${dataset} is not open to "${visibleText(context.consumer)}"`
    add('CONSUMER_DENIED', 'consumers', message, 'Ask as a consumer whom the policy names.')
  }
  return violations
}

function useViolations(uses: readonly SourceUse[], facts: readonly DatasetFacts[]): Violation[] {
  const violations = new Map<string, Violation>()
  for (const { source, dataset, column, use, parts } of uses) {
    const { policy } = facts[source]!
    const what = `column "${visibleText(column)}" of "${visibleText(dataset)}"`
    const rule = Object.hasOwn(policy.columns, column) ? policy.columns[column] : undefined
    const allowed = rule?.uses ?? []
    const key = `${dataset} ${column} ${use}`
    if (rule !== undefined && !GRADE_RULES[rule.grade].uses.includes(use)) {
      violations.set(key, {
        code: 'GRADE_DENIED',
        rule: `grade.${use}`,
        message: `${what} is of grade ${rule.grade}, which does not allow the use "${use}"`,
        remedy: listed(GRADE_RULES[rule.grade].uses, 'No use of it is allowed.'),
        parts,
      })
    } else if (!allowed.includes(use)) {
      violations.set(key, {
        code: 'POLICY_DENIED',
        rule: `use.${use}`,
        message: `${what} may not be used ${ASKED_FOR[use]}`,
        remedy: listed(allowed, 'No use of it is allowed.'),
        parts,
      })
    }
  }
  return [...violations.values()]
}

const ASKED_FOR: Readonly<Record<Use, string>> = {
  join: 'to join',
  group: 'to group',
  filter: 'to filter',
  aggregate: 'to aggregate',
  order: 'for quantiles and ranks, which release one of its values',
  extreme: 'for its minimum or maximum, which is somebody’s value',
  output: 'to output',
}

interface ReleaseInput {
  readonly plan: Plan
  /** in the order of the plan, with what is known of the dataset of each */
  readonly scans: readonly Scan[]
  readonly facts: readonly DatasetFacts[]
  readonly obligations: readonly Obligation[]
  readonly definitions: Definitions
  readonly uses: readonly SourceUse[]
}

function releaseOf(input: ReleaseInput): ReleaseShape | Violation[] {
  const { plan, facts, obligations, definitions } = input
  const isPublic = (source: number) => facts[source]!.policy.entity.kind === 'none'
  if (facts.every((_, source) => isPublic(source))) return { mode: 'public' }
  if (![...nodesOf(plan.root)].some(node => isAggregating(node))) return rowsRelease(input)
  const release = aggregateRelease(plan, {
    definitions,
    obligations,
    isPublic,
    uniqueKeys: dataset => facts.find(fact => fact.name === dataset)!.uniqueKeys,
    hasPublicValues: (dataset, column) =>
      facts.find(fact => fact.name === dataset)!.policy.columns[column]?.publicValues === true &&
      // what a rule hides is not public, and a null says that it hid something
      scanRule(facts.find(fact => fact.name === dataset)!.policy.columns[column]?.rule) === null,
  })
  if (!Array.isArray(release)) return release
  return release.map(part => ({ code: 'EVIDENCE_UNDEFINED' as const, ...part }))
}

function isAggregating(node: PlanNode): boolean {
  return node.kind === 'aggregate'
}

/** Rows leave where every protected dataset's policy says so and every column that is touched is of such a grade. */
function rowsRelease({ plan, scans, facts, uses, definitions }: ReleaseInput): ReleaseShape | Violation[] {
  const violations = new Map<string, Violation>()
  for (const [source, { name, policy }] of facts.entries()) {
    if (policy.entity.kind === 'none' || policy.release === 'rows' || violations.has(name)) continue
    violations.set(name, {
      code: 'POLICY_DENIED',
      rule: 'release.rows',
      message: `rows of "${visibleText(name)}" are not released`,
      remedy: 'Ask for an aggregate: GROUP BY with count, sum or avg.',
      parts: [...plan.output, scans[source]!],
    })
  }
  for (const { source, dataset, column, parts } of uses) {
    const grade = facts[source]!.policy.columns[column]?.grade ?? 'core'
    if (GRADE_RULES[grade].release === 'rows') continue
    violations.set(`${dataset} ${column}`, {
      code: 'GRADE_DENIED',
      rule: 'grade.rows',
      message: `column "${visibleText(column)}" of "${visibleText(dataset)}" is of a grade that does not leave in rows`,
      remedy: 'Ask for columns of grade 1, or for an aggregate.',
      parts,
    })
  }
  if (violations.size > 0) return [...violations.values()]
  const anonymity = rowsAnonymity(plan, facts, uses, definitions)
  return anonymity !== null && 'rule' in anonymity
    ? [{ code: 'EVIDENCE_UNDEFINED', ...anonymity, parts: plan.output }]
    : { mode: 'rows', anonymity }
}

function obligationOf({ name, policy }: DatasetFacts, source: number): Obligation[] {
  if (policy.entity.kind === 'none') return []
  const { minimumEntities, dominance, pPercent, onFailure, contributors } = policy.disclosure
  return [
    {
      source,
      dataset: name,
      entity: policy.entity,
      minimumEntities,
      dominance,
      pPercent,
      onFailure,
      ...(contributors && { contributors }),
    },
  ]
}

function approvalsOf(datasets: readonly DatasetFacts[]): RequiredApproval[] {
  const approvals = new Map<string, RequiredApproval>()
  const add = (approval: RequiredApproval) => {
    const key = JSON.stringify([approval.role, approval.principals, approval.count])
    if (!approvals.has(key)) approvals.set(key, approval)
  }
  for (const { name, owner } of datasets) {
    add({ reason: `owner of ${name}`, role: 'provider', principals: [owner], count: 1 })
  }
  for (const { name, owner, policy } of datasets) {
    if (policy.approvals.reviewer) {
      add({ reason: `policy of ${name}`, role: 'reviewer', principals: null, count: 1 })
    }
    const { named } = policy.approvals
    if (named !== null) {
      add({
        reason: `policy of ${name}`,
        role: null,
        principals: named.of.filter(principal => principal !== owner).sort(),
        count: named.count,
      })
    }
  }
  return [...approvals.values()]
}

function refusal(violations: readonly Violation[], positionOf: PositionOf | undefined): SluiceError {
  const first = violations[0]!
  const others = violations.length > 1 ? ` (and ${violations.length - 1} more)` : ''
  const position = positionOfFirst(first.parts, positionOf)
  return new SluiceError(first.code, `${first.message}${others}`, {
    rule: first.rule,
    remedy: first.remedy,
    ...(position && { position }),
    facts: {
      violations: violations.map(({ rule, message, parts }) => {
        const at = positionOfFirst(parts, positionOf)
        return `${at ? `${at.line}:${at.column} ` : ''}${rule}: ${message}`
      }),
    },
  })
}

function positionOfFirst(
  parts: readonly PlanPart[],
  positionOf: PositionOf | undefined,
): Position | undefined {
  for (const part of parts) {
    const position = positionOf?.(part)
    if (position !== undefined) return position
  }
  return undefined
}

function listed(items: readonly string[], none: string): string {
  return items.length > 0 ? `Allowed: ${items.map(visibleText).join(', ')}.` : none
}

import { takesType } from '../desensitize/needs-text.js'
import type { Rule } from '../desensitize/rules/registry.js'
import type { Use } from '../plan/review-types.js'
import type { ScalarType } from '../plan/types.js'
import { compareGrades, GRADE_RULES } from '../policy/grades.js'
import type { ColumnRole, Grade } from '../policy/types.js'
import type { Catalogue, CatalogueEntity, Impact } from './catalogue/types.js'
import { RECOGNIZED } from './decide.js'
import type { Candidate, ColumnClassification } from './types.js'

export type Suggestion = Pick<ColumnClassification, 'role' | 'grade' | 'impact' | 'uses' | 'rule' | 'reason'>

interface SuggestedColumn {
  readonly type: ScalarType
  /** what a rule may be given: the type, and the text that stands in a CSV file */
  readonly readableAs: readonly ScalarType[]
  readonly distinctShare: number
  readonly present: number
}

/** A candidate that close behind the first is as likely. */
const CLOSE = 0.05

/**
 * Role, grade and uses of a column. Where what it holds is in doubt, the higher grade is taken (就高从严): of entities
 * about as likely as the first, and of the one that the column is named after though its values are of another form
 * (they may be masked, or wrong).
 */
export function suggest(
  catalogue: Catalogue,
  candidates: readonly Candidate[],
  column: SuggestedColumn,
): Suggestion {
  const [first] = candidates
  const known = (candidate: Candidate) => catalogue.entities.find(entity => entity.name === candidate.entity)!
  const entity = first && first.confidence >= RECOGNIZED ? known(first) : null
  const base = entity === null ? ofUnrecognized(catalogue, column) : ofEntity(entity, column.readableAs)
  const doubts = candidates.filter(
    candidate =>
      candidate.evidence.includes('name') ||
      (entity !== null && candidate.confidence >= Math.max(RECOGNIZED, first!.confidence - CLOSE)),
  )
  const highest = doubts
    .map(known)
    .reduce<CatalogueEntity | null>(
      (top, other) => (compareGrades(other.grade, (top ?? base).grade) > 0 ? other : top),
      null,
    )
  if (highest === null) return base
  const { grade, impact } = highest
  const rule = base.rule ?? ruleFor(highest, column.readableAs)
  return {
    ...base,
    grade,
    impact,
    uses: allowedUses(base.uses, grade, rule),
    rule,
    reason: 'higher-candidate',
  }
}

function ofEntity(entity: CatalogueEntity, readableAs: readonly ScalarType[]): Suggestion {
  const { role, grade, impact, uses } = entity
  const rule = ruleFor(entity, readableAs)
  return { role, grade, impact, uses: allowedUses(uses, grade, rule), rule, reason: 'entity' }
}

const DROP: Rule = { kind: 'drop' }

/** The entity's rule where it goes with the column; a mobile number in a numeric column is left out. */
function ruleFor({ rule }: CatalogueEntity, readableAs: readonly ScalarType[]): Rule | null {
  return rule === null || readableAs.some(type => takesType(rule, type)) ? rule : DROP
}

/** Nothing is suggested to be done with what nobody knows; a code that is different in each row names its row. */
function ofUnrecognized(
  { unrecognized }: Catalogue,
  { type, distinctShare, present }: SuggestedColumn,
): Suggestion {
  const numeric = type.kind === 'integer' || type.kind === 'decimal' || type.kind === 'float'
  const unique = present > 1 && distinctShare > 0.95 && (type.kind === 'text' || type.kind === 'integer')
  const role: ColumnRole = unique ? 'identifier' : numeric ? 'measure' : 'attribute'
  const { grade, impact }: { grade: Grade; impact: Impact } = unrecognized
  return { role, grade, impact, uses: [], rule: DROP, reason: 'unrecognized' }
}

/** What is left out is of no use. */
function allowedUses(uses: readonly Use[], grade: Grade, rule: Rule | null): Use[] {
  return rule?.kind === 'drop' ? [] : uses.filter(use => GRADE_RULES[grade].uses.includes(use))
}

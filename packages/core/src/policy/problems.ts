import { type ErrorCode, type Position, SluiceError } from '../errors.js'
import { visibleText } from '../text.js'

export type Path = readonly (string | number)[]

/** Something wrong in a policy, before it has a position. */
export interface Problem {
  readonly code: ErrorCode & ('POLICY_INVALID' | 'GRADE_DENIED' | 'CATALOGUE_INVALID' | 'CONFIG_INVALID')
  readonly path: Path
  /** is the key itself what is wrong, or its value */
  readonly at: 'key' | 'value'
  /** where it stands, where that is known better than by the path */
  readonly offset?: number
  readonly message: string
  /** what may stand there, to be read after “Write” */
  readonly remedy: string
  /** the rule, where it is not the key's path */
  readonly rule?: string
}

/** A path as rules and messages write it: `columns.cost.uses[0]`. */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : `${text}${text === '' ? '' : '.'}${visibleText(step)}`,
    '',
  )
}

/** Where problems stand; `ParsedDocument` is one, and what has no text has none. */
export interface Places {
  offsetOf(problem: Problem): number
  positionAt(offset: number): Position
}

/** More than that many are counted, not listed. */
const LISTED = 100

/** One error for all problems: the first in the text is the error, all of them stand in its facts. */
export function problemsError(problems: readonly Problem[], places: Places | null): SluiceError {
  const listed = problems
    .map(problem => ({ problem, offset: places?.offsetOf(problem) ?? 0 }))
    .sort((a, b) => a.offset - b.offset)
    .slice(0, LISTED)
    .map(({ problem, offset }) => ({ problem, position: places?.positionAt(offset) }))
  const { problem, position } = listed[0]!
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new SluiceError(problem.code, `${sentence(problem)}${others}`, {
    rule: problem.rule ?? (pathText(problem.path) || 'policy'),
    remedy: `Write ${problem.remedy}.`,
    ...(position !== undefined && { position }),
    facts: {
      count: problems.length,
      problems: listed.map(entry => {
        const at = entry.position ? `${entry.position.line}:${entry.position.column} ` : ''
        return `${at}${sentence(entry.problem)}; allowed: ${entry.problem.remedy}`
      }),
    },
  })
}

function sentence(problem: Problem): string {
  const where = pathText(problem.path)
  return where === '' ? problem.message : `${where}: ${problem.message}`
}

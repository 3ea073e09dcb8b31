import type { Position } from '../errors.js'
import type { Expression } from './expression.js'
import type { AggregateColumn, Plan, PlanNode } from './node.js'

/** What a position can be asked for. */
export type PlanPart = PlanNode | Expression | AggregateColumn | Plan['output'][number]

/**
 * Where in its text a part of a plan stands, by the part's identity. Whoever made the plan from a text keeps this beside
 * it: a position is in no plan, so that it never reaches the encoding that is signed. A decoded plan has none.
 */
export type PositionOf = (part: PlanPart) => Position | undefined

/**
 * The way from a node of a plan down to a base column: `level` counts the definitions that lie between. What is asked
 * for stands in the outermost expression, and there in its innermost part.
 */
export interface Trail {
  readonly part: PlanPart
  readonly level: number
  readonly outer: Trail | null
}

export function onTrail(part: PlanPart, outer: Trail | null): Trail {
  return { part, level: outer?.level ?? 0, outer }
}

/** The same place, seen from the expression that defines a column. */
export function below(trail: Trail): Trail {
  return { part: trail.part, level: trail.level + 1, outer: trail }
}

/** The parts of a trail, the one that tells most first. */
export function partsOf(trail: Trail | null): PlanPart[] {
  const steps: Trail[] = []
  for (let step = trail; step !== null; step = step.outer) steps.push(step)
  return steps.sort((a, b) => a.level - b.level).map(({ part }) => part)
}

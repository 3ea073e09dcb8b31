import type { PlanPart } from '@sluice/core/plan'
import type { Ast } from '../syntax/ast.js'

/**
 * Where the parts of a plan come from, by their identity. It lies beside the plan and never in it: what is signed must
 * not depend on how the query was laid out.
 */
export class Located {
  readonly #sources = new WeakMap<object, Ast>()

  /** Remembers where a part stands, if that is not known already, and gives it back. */
  at<T extends PlanPart>(part: T, ast: Ast | undefined): T {
    if (ast !== undefined && !this.#sources.has(part)) this.#sources.set(part, ast)
    return part
  }

  /** The same for a part that was made from another. */
  as<T extends PlanPart>(part: T, from: PlanPart): T {
    return this.at(part, this.#sources.get(from))
  }

  of(part: PlanPart): Ast | undefined {
    return this.#sources.get(part)
  }
}

import type { ReviewableRequest } from '@sluice/sandbox'

/** What an approver has to see beside what the request says of itself. Loads neither a zone nor a database. */
export interface Reviewed {
  readonly request: ReviewableRequest
  /** the SQL that the engine gets, made from the plan */
  readonly emitted: string
  /** the plan, a node a line */
  readonly plan: string
}

/** Reads an exported request, reviews it on this machine, and writes its plan as SQL and as a tree. */
export async function reviewExport(bytes: Uint8Array, now: Date): Promise<Reviewed> {
  const [{ readRequestExport }, { emitPlan }, { printPlan }] = await Promise.all([
    import('@sluice/sandbox'),
    import('@sluice/sandbox/sql'),
    import('@sluice/core/plan'),
  ])
  const request = readRequestExport(bytes, now)
  const { plan } = request.document
  return { request, emitted: emitPlan(plan), plan: printPlan(plan) }
}

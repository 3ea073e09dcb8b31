/** How a child is kept apart, strongest first. The ledger records which it was. */
export const ISOLATION_MODES = ['bubblewrap', 'namespaces', 'process'] as const
export type IsolationMode = (typeof ISOLATION_MODES)[number]

/** Is `mode` at least as strong as `minimum`? */
export function isAtLeast(mode: IsolationMode, minimum: IsolationMode): boolean {
  return ISOLATION_MODES.indexOf(mode) <= ISOLATION_MODES.indexOf(minimum)
}

const BARE_PROCESS_GRADES = new Set(['1', '2'])

/** The stronger of two. */
export function stronger(one: IsolationMode, other: IsolationMode): IsolationMode {
  return isAtLeast(one, other) ? one : other
}

/**
 * The least isolation that data of this grade may run under. Where nobody named one, data of level 3 and above
 * does not run in a bare process.
 */
export function requiredIsolation(grade: string, named: IsolationMode | null): IsolationMode {
  return named ?? (BARE_PROCESS_GRADES.has(grade) ? 'process' : 'namespaces')
}

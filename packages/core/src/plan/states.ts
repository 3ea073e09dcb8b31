import { SluiceError } from '../errors.js'

/** Roles of principals (主体). */
export const ROLES = ['provider', 'operator', 'reviewer', 'consumer', 'auditor'] as const
export type Role = (typeof ROLES)[number]

export const REQUEST_STATES = [
  'draft',
  'submitted',
  'approved',
  'rejected',
  'revoked',
  'expired',
  'exhausted',
  'withdrawn',
] as const
export type RequestState = (typeof REQUEST_STATES)[number]

/** What can happen to a request, who may do it, and what it means. No role: it happens by itself. */
export const REQUEST_EVENTS = {
  submit: { by: ['consumer'], meaning: 'the consumer signs the request and hands it in' },
  approve: { by: ['provider', 'reviewer'], meaning: 'an approver’s signature is imported' },
  complete: { by: [], meaning: 'every needed signature is there' },
  reject: { by: ['provider', 'reviewer'], meaning: 'an approver signs a rejection' },
  revoke: {
    by: ['provider', 'reviewer', 'auditor', 'operator'],
    meaning: 'an approver takes the approval back, or the auditor or operator stops the request',
  },
  run: { by: ['operator'], meaning: 'a run is taken from the allowance' },
  expire: { by: [], meaning: 'a needed approval has run out of time' },
  exhaust: { by: [], meaning: 'a needed approval has no run left' },
  withdraw: { by: ['consumer'], meaning: 'the consumer takes the request back' },
} as const satisfies Record<string, { readonly by: readonly Role[]; readonly meaning: string }>
export type RequestEvent = keyof typeof REQUEST_EVENTS

/**
 * The one table of a request's states. Checks, documentation, diagram and tests are derived from it. `mayDo` says
 * whether somebody may cause an event; this says whether a request can undergo it.
 */
export const TRANSITIONS: readonly {
  readonly from: RequestState
  readonly event: RequestEvent
  readonly to: RequestState
}[] = [
  { from: 'draft', event: 'submit', to: 'submitted' },
  { from: 'submitted', event: 'approve', to: 'submitted' },
  { from: 'submitted', event: 'complete', to: 'approved' },
  { from: 'submitted', event: 'reject', to: 'rejected' },
  { from: 'submitted', event: 'revoke', to: 'revoked' },
  { from: 'submitted', event: 'withdraw', to: 'withdrawn' },
  { from: 'approved', event: 'run', to: 'approved' },
  { from: 'approved', event: 'approve', to: 'approved' },
  { from: 'approved', event: 'revoke', to: 'revoked' },
  { from: 'approved', event: 'expire', to: 'expired' },
  { from: 'approved', event: 'exhaust', to: 'exhausted' },
  { from: 'approved', event: 'withdraw', to: 'withdrawn' },
  // a new approval revives what only ran out
  { from: 'expired', event: 'approve', to: 'submitted' },
  { from: 'expired', event: 'withdraw', to: 'withdrawn' },
  { from: 'exhausted', event: 'approve', to: 'submitted' },
  { from: 'exhausted', event: 'withdraw', to: 'withdrawn' },
]

/** May this state do it: the state after the event. @throws SluiceError STATE_DENIED */
export function transition(state: RequestState, event: RequestEvent): RequestState {
  const found = TRANSITIONS.find(candidate => candidate.from === state && candidate.event === event)
  if (found !== undefined) return found.to
  const possible = TRANSITIONS.filter(candidate => candidate.from === state).map(candidate => candidate.event)
  throw new SluiceError('STATE_DENIED', `a request that is ${state} cannot ${event}`, {
    rule: `state.${event}`,
    remedy: possible.length > 0 ? `Possible now: ${possible.join(', ')}.` : 'Submit a new request.',
    facts: { state, event },
  })
}

/** May this person do it: does the role allow to cause the event. */
export function mayDo(role: Role, event: RequestEvent): boolean {
  return (REQUEST_EVENTS[event].by as readonly Role[]).includes(role)
}

/** @throws SluiceError ROLE_DENIED */
export function requireRole(role: Role, event: RequestEvent): void {
  if (mayDo(role, event)) return
  const by = REQUEST_EVENTS[event].by
  throw new SluiceError('ROLE_DENIED', `a principal who is ${role} cannot ${event} a request`, {
    rule: `role.${event}`,
    remedy: by.length > 0 ? `This is for: ${by.join(', ')}.` : 'Leave it: it happens by itself.',
    facts: { role, event },
  })
}

import { SluiceError } from '@sluice/core'

/** A job that does not hold together. */
export function invalid(at: string, reason: string): SluiceError {
  return new SluiceError('JOB_INVALID', `the job is refused at ${at}: ${reason}`, {
    rule: 'job',
    remedy: 'See docs/mpc.md for a job that is right.',
    facts: { at },
  })
}

/** A plan that the three parties’ protocols cannot run; the rule says which kind of thing it is. */
export function refused(rule: string, reason: string): SluiceError {
  return new SluiceError('SQL_REFUSED', `this engine does not run the plan: ${reason}`, {
    rule: `mpc.${rule}`,
    remedy: 'See docs/mpc.md for what a joint job can compute.',
  })
}

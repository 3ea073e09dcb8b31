import { isSluiceError, SluiceError } from '@sluice/core'

/** A job that does not hold together. */
export function invalid(at: string, reason: string): SluiceError {
  return new SluiceError('JOB_INVALID', `the job is refused at ${at}: ${reason}`, {
    rule: 'job',
    remedy: 'See docs/mpc.md for a job that is right.',
    facts: { at },
  })
}

/** A plan that the three parties’ protocols cannot run; the rule says which kind of thing it is. */
export function refused(
  rule: string,
  reason: string,
  remedy = 'See docs/mpc.md for what a joint job can compute.',
): SluiceError {
  return new SluiceError('SQL_REFUSED', `this engine does not run the plan: ${reason}`, {
    rule: `mpc.${rule}`,
    remedy,
  })
}

/** A number of more digits after the point than the plan’s type of it holds. */
export function tooFine(): SluiceError {
  return new SluiceError('PARAMETER_INVALID', 'an opened number has more digits than the plan’s type of it', {
    rule: 'mpc.scale',
    remedy: 'Describe the column with the digits that the zone’s table has.',
  })
}

/** An operation that needs more memory at a party than the job allows. */
export function memoryExceeded(needed: number, allowed: number): SluiceError {
  return new SluiceError(
    'MEMORY_EXCEEDED',
    `an operation needs ${needed} bytes of memory, and the job allows ${allowed}`,
    {
      rule: 'job.limits',
      remedy: 'Make a job that allows more memory, or an operation of fewer cells.',
      facts: { needed, allowed },
    },
  )
}

/** Of what is wrong with one of a job's operations: which one it is. What says so by itself stays as it is. */
export function ofOperation(name: string, error: unknown): unknown {
  if (!isSluiceError(error) || error.code === 'JOB_INVALID' || error.code === 'INTERRUPTED') return error
  const { code, message, position, rule, remedy, facts } = error
  return new SluiceError(code, `the operation "${name}" is refused: ${message}`, {
    facts: { ...facts, operation: name },
    cause: error,
    ...(position !== undefined && { position }),
    ...(rule !== undefined && { rule }),
    ...(remedy !== undefined && { remedy }),
  })
}

import { SluiceError } from '@sluice/core'

/** Makes the error for what is wrong with one entry. */
export type Refuse = (rule: string, reason: string) => SluiceError

export function refusing(index: number): Refuse {
  return (rule, reason) =>
    new SluiceError('LEDGER_CORRUPT', `entry ${index} should not be in the ledger: ${reason}`, {
      rule,
      remedy: 'The record is as it was signed, but breaks the zone’s rules: ask its operator.',
      facts: { entry: index },
    })
}

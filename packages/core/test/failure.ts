import { isSluiceError, type SluiceError } from '@sluice/core'

/** The error that the action fails with. */
export function failure(action: () => unknown): SluiceError {
  try {
    action()
  } catch (error) {
    if (isSluiceError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/**
 * The one way to the contents of a `CheckedResult`. The import rules allow it to `ledger/release` alone, which
 * hands them out after the release's entry is durable.
 */
export { type CheckedContents, openCheckedResult } from './results.js'

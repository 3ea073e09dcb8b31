export {
  type BegunIntersection,
  beginIntersection,
  breakIntersection,
  endIntersection,
  type IntersectionOutcome,
  recordPrepared,
  recordRotated,
  requireWithinQuota,
} from './intersections.js'
export { PartyLedger } from './party-ledger.js'
export type { Tallying } from './tally.js'

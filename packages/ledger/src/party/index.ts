export {
  type BegunIntersection,
  beginIntersection,
  breakIntersection,
  endIntersection,
  type IntersectionOutcome,
  recordPrepared,
  recordRotated,
} from './intersections.js'
export { PartyLedger } from './party-ledger.js'
export type { RecordedIntersection, Tallying } from './tally.js'

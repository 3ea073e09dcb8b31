export {
  type BegunIntersection,
  beginIntersection,
  type EndedIntersection,
  endIntersection,
  type IntersectionCounterpart,
  type IntersectionLimits,
  type IntersectionRecord,
  type PreparedIntersection,
  type RotatedIntersection,
  readIntersections,
  recordPrepared,
  recordRotated,
} from './intersection-log.js'

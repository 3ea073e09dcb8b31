export {
  type BegunIntersection,
  beginIntersection,
  type EndedIntersection,
  endIntersection,
  type IntersectionCounterpart,
  type IntersectionLimits,
  type IntersectionRecord,
  readIntersections,
} from './intersection-log.js'

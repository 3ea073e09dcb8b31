import { library } from '../../scripts/tsup.mjs'

export default library([
  'index',
  'ring/index',
  'field/index',
  'protocols/replicated/index',
  'protocols/shamir/index',
  'protocols/dealer/index',
  'psi/index',
  'transport/intersections',
  // a thread's own program
  'transport/prepared/evaluator',
  // the parts of a protocol, for this package's own tests, as the next one
  'psi/parts',
  // a connection by itself: no export of the package, built for this package's own tests
  'session/link',
  // an operation of a job, likewise
  'job/above/above',
  'job/above/cells',
  'job/above/evaluate',
  'job/code',
  'job/columns',
  'job/protocol',
  'job/field',
  'job/ordered',
  'job/query',
  'job/relational',
  'job/result',
  'job/statistics/binning',
  'job/statistics/statistic',
])

import { library } from '../../scripts/tsup.mjs'

export default library([
  'index',
  'keys/index',
  'keys/signing-worker',
  'reveals/index',
  'party/index',
  'store/node-files',
  'verify/index',
  'verify/worker',
])

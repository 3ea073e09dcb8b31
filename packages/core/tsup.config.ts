import { library } from '../../scripts/tsup.mjs'

export default library([
  'index',
  'policy/index',
  'plan/index',
  'columns/index',
  'disclosure/index',
  'disclosure/open',
  'desensitize/index',
  'desensitize/cipher/index',
  'he/index',
  'he/worker',
])

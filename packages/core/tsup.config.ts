import { library } from '../../scripts/tsup.mjs'

const config = library([
  'index',
  'policy/index',
  'plan/index',
  'columns/index',
  'anonymize/index',
  'disclosure/index',
  'disclosure/open',
  'desensitize/index',
  'desensitize/cipher/index',
  'he/index',
  'he/worker',
  'classify/index',
  'sample/index',
])

// the catalogue of classification is a file that people read; it is built in as text
export default { ...config, loader: { '.yaml': 'text' } }

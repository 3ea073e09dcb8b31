import { library } from '../../scripts/tsup.mjs'

export default library(['index', 'keys/index', 'keys/signing-worker', 'verify/index', 'verify/worker'])

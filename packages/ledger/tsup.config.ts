import { library } from '../../scripts/tsup.mjs'

export default library(['index', 'keys/index', 'verify/index', 'verify/worker'])

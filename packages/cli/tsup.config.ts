import { commandLine } from '../../scripts/tsup.mjs'

export default commandLine(['main'], ['fs-native-extensions', 'node-seal'])

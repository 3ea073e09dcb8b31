import { BaseSequencer } from 'vitest/node'

/** Tests that start programs and wait for them: begun last, one of them would run alone at the end. */
const WAITING = /\/(examples|packages\/cli)\/test\//

/** Files in vitest's own order, but those that wait for programs first. */
export default class Sequencer extends BaseSequencer {
  async sort(files) {
    const sorted = await super.sort(files)
    const waits = ({ moduleId }) => WAITING.test(moduleId)
    return [...sorted.filter(waits), ...sorted.filter(file => !waits(file))]
  }
}

import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import Sequencer from './scripts/vitest-sequencer.mjs'

export default defineConfig({
  test: {
    include: ['{packages/*,examples,benchmarks,scripts}/test/**/*.test.ts'],
    reporters: ['default', './scripts/vitest-summary.mjs'],
    setupFiles: ['./scripts/vitest-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    sequence: { sequencer: Sequencer },
    // two more than there are cores: much of the time a test waits for processes that it started, for the disk, or for a
    // time-out
    maxWorkers: availableParallelism() + 2,
  },
})

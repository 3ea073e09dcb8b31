import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'
import Sequencer from './scripts/vitest-sequencer.mjs'

/** Tests that measure the memory of their own process, or put something in the place of its globals. */
const ALONE = [
  'packages/core/test/he/memory.test.ts',
  'packages/core/test/he/mutated.test.ts',
  'packages/mpc/test/session/hostile.test.ts',
]

export default defineConfig({
  test: {
    reporters: ['default', './scripts/vitest-summary.mjs'],
    setupFiles: ['./scripts/vitest-setup.ts'],
    // a machine that is busy with other work may take many times as long
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // the packages as they are built, loaded by Node as a program would
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
    pool: 'forks',
    sequence: { sequencer: Sequencer },
    // two more than there are cores: much of the time a test waits for processes that it started, for the disk, or for a
    // time-out
    maxWorkers: availableParallelism() + 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['{packages/*,examples,benchmarks,scripts}/test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...ALONE],
          // a process runs one file after another and loads the packages once, as a program that imports them would
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, isolate: true } },
    ],
  },
})

import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{packages/*,examples,benchmarks,scripts}/test/**/*.test.ts'],
    reporters: ['default', './scripts/vitest-summary.mjs'],
    setupFiles: ['./scripts/vitest-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // by default one core is left free, which is half of a machine with two
    maxWorkers: availableParallelism(),
  },
})

/**
 * Who may import whom (docs/architecture.md says why the rooms are cut this way). The table is data: to change an
 * architectural decision, change a line here and its test.
 *
 * Targets are written `packages/core/src/plan/node.ts` for our own files (however they were imported), `node:fs` for
 * Node's modules and `npm:zod` for installed packages. `*` stands for anything but a slash, `**` for anything.
 */

/** Which packages each package may use. A package that is not named here may use none and be used by none. */
export const WORKSPACE = {
  core: [],
  ledger: ['core'],
  mpc: ['core', 'ledger'],
  sandbox: ['core', 'ledger'],
  cli: ['core', 'ledger', 'mpc', 'sandbox'],
}

/** What makes an entry slow to load; traps.md's import times: zod 0.1 s, Arrow 0.15 s, SEAL 0.1 s, DuckDB 0.2 s. */
const HEAVY = ['npm:apache-arrow', 'npm:zod', 'npm:yaml', 'npm:node-seal', 'npm:@duckdb/*']
const ENGINES = [
  'npm:@duckdb/*',
  'npm:node-seal',
  'packages/core/src/he/**',
  'packages/mpc/**',
  'packages/sandbox/**',
]

/**
 * @typedef {object} ImportRule
 * @property {string} name
 * @property {string[]} from the importing files
 * @property {string[]} [except] files that the rule does not bind
 * @property {string[]} [deny] targets that are refused
 * @property {string[]} [within] together with `allow`: only targets matching these are looked at
 * @property {string[]} [allow] the only targets that are accepted
 * @property {string[]} [allowTypes] targets that are accepted in a type-only import
 * @property {boolean} [reach] follow static value imports to their end, instead of one import at a time
 * @property {string} remedy
 */

/** @type {ImportRule[]} */
export const IMPORTS = [
  {
    name: 'core-does-no-io',
    from: ['packages/core/src/**'],
    except: [
      'packages/core/src/he/threads.ts',
      'packages/core/src/he/worker.ts',
      'packages/core/src/he/scope.ts',
    ],
    within: ['node:**'],
    allow: ['node:buffer', 'node:crypto', 'node:util'],
    remedy: 'take bytes, time or a callback as a parameter, and do the reading in ledger, sandbox or cli',
  },
  {
    name: 'core-threads-do-no-io',
    from: ['packages/core/src/he/threads.ts', 'packages/core/src/he/worker.ts'],
    within: ['node:**'],
    allow: ['node:buffer', 'node:crypto', 'node:os', 'node:util', 'node:worker_threads'],
    remedy: 'threads compute: take bytes or a callback as a parameter, and do the reading in sandbox or cli',
  },
  {
    name: 'core-loads-seal-in-one-place',
    from: ['packages/core/src/he/scope.ts'],
    within: ['node:**'],
    allow: ['node:module'],
    remedy: 'this file loads node-seal and nothing else',
  },
  {
    name: 'core-knows-no-engine',
    from: ['packages/core/src/**'],
    deny: ['npm:@duckdb/*', 'npm:duckdb*'],
    remedy: 'implement the Executor interface in packages/sandbox/src/duckdb',
  },
  {
    name: 'core-entry-is-light',
    from: ['packages/core/src/index.ts'],
    deny: HEAVY,
    reach: true,
    remedy: 'use `import type`, load it with `await import()` when it is needed, or export from a subpath',
  },
  {
    name: 'cli-starts-light',
    from: ['packages/cli/src/main.ts'],
    deny: HEAVY,
    reach: true,
    remedy: 'load what a command needs with `await import()` in that command’s action',
  },
  {
    name: 'policy-sees-no-values',
    from: ['packages/core/src/policy/**'],
    deny: ['npm:apache-arrow', 'packages/core/src/disclosure/**'],
    remedy: 'a policy decides from schemas and plans; checks on values belong to core/src/disclosure',
  },
  {
    name: 'disclosure-knows-no-engine',
    from: ['packages/core/src/disclosure/**'],
    deny: ENGINES,
    remedy: 'put what the check needs into RawContents or Evidence, and let the engine’s adapter fill it',
  },
  {
    name: 'only-release-opens-results',
    from: ['packages/*/src/**'],
    except: ['packages/ledger/src/release/**'],
    deny: ['packages/core/src/disclosure/open.ts'],
    remedy:
      'ask packages/ledger/src/release for the bytes: it records the release before it opens the result',
  },
  {
    name: 'verifier-stands-alone',
    from: ['packages/ledger/src/verify/**'],
    within: ['packages/**'],
    allow: ['packages/ledger/src/verify/**', 'packages/core/src/**'],
    allowTypes: ['packages/ledger/src/entries/predicates.ts'],
    remedy:
      'write the check again in ledger/src/verify: a verifier that shares the writer’s code shares its mistakes',
  },
  {
    name: 'verifier-needs-no-database',
    from: ['packages/ledger/src/verify/index.ts'],
    deny: ['npm:@duckdb/*', 'npm:apache-arrow', 'npm:node-seal', 'npm:fs-native-extensions'],
    reach: true,
    remedy: 'an auditor installs no database: verify from the entries’ own bytes',
  },
  {
    name: 'protocols-do-no-io',
    from: ['packages/mpc/src/**'],
    except: ['packages/mpc/src/transport/**', 'packages/mpc/src/index.ts'],
    deny: [
      'packages/mpc/src/transport/**',
      'node:fs',
      'node:fs/*',
      'node:net',
      'node:tls',
      'node:http*',
      'node:dgram',
    ],
    remedy: 'return the messages to send, and let packages/mpc/src/transport carry them',
  },
  {
    name: 'cli-holds-no-cryptography',
    from: ['packages/cli/src/**'],
    deny: ['node:crypto', 'npm:@noble/*', 'npm:libsodium*', 'npm:sm-crypto-v2'],
    remedy: 'call ledger/keys, or add what is missing there',
  },
]

/**
 * Functions that make or open a value which only one stage may make or open: who may import them by name. An
 * `export *` or `import *` of their home counts as importing them.
 */
export const STAGES = [
  {
    name: 'sealApprovedPlan',
    home: 'packages/core/src/plan/approved.ts',
    allow: ['packages/core/src/plan/approve.ts', 'packages/core/src/plan/approve/**'],
    remedy: 'get an ApprovedPlan from approvePlan',
  },
  {
    name: 'sealRawResult',
    home: 'packages/core/src/disclosure/results.ts',
    allow: [
      'packages/core/src/disclosure/index.ts',
      'packages/core/src/he/**',
      'packages/mpc/src/**',
      'packages/sandbox/src/duckdb/**',
    ],
    remedy: 'only an executor’s adapter wraps what its engine computed',
  },
  {
    name: 'openRawResult',
    home: 'packages/core/src/disclosure/results.ts',
    allow: ['packages/core/src/disclosure/check.ts', 'packages/core/src/disclosure/check/**'],
    remedy: 'only the disclosure check reads a raw result',
  },
  {
    name: 'sealCheckedResult',
    home: 'packages/core/src/disclosure/results.ts',
    allow: ['packages/core/src/disclosure/check.ts', 'packages/core/src/disclosure/check/**'],
    remedy: 'only the disclosure check says that cells passed',
  },
  {
    name: 'openCheckedResult',
    home: 'packages/core/src/disclosure/results.ts',
    allow: ['packages/core/src/disclosure/open.ts', 'packages/ledger/src/release/**'],
    remedy: 'packages/ledger/src/release opens it, through @sluice/core/disclosure/open',
  },
]

/** Globals and members that do what an import rule forbids. */
export const GLOBALS = [
  {
    name: 'no-weak-randomness',
    from: ['packages/*/src/**'],
    uses: ['Math.random'],
    remedy: 'take a random source as a parameter; its production default is node:crypto’s',
  },
  {
    name: 'no-code-from-text',
    from: ['packages/*/src/**'],
    uses: ['eval', 'Function'],
    remedy: 'write the function down; text that comes from outside is never a program here',
  },
  {
    name: 'core-does-no-io',
    from: ['packages/core/src/**'],
    uses: [
      'fetch',
      'WebSocket',
      'EventSource',
      'process.getBuiltinModule',
      'process.binding',
      'process.dlopen',
    ],
    remedy: 'take bytes, time or a callback as a parameter, and do the reading in ledger, sandbox or cli',
  },
]

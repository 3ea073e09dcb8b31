import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { checkImports } from '../check-imports.mjs'
import { GLOBALS, IMPORTS, STAGES } from '../imports/rules.mjs'

const script = fileURLToPath(new URL('../check-imports.mjs', import.meta.url))
const temporary: string[] = []
afterAll(() => {
  for (const folder of temporary) rmSync(folder, { recursive: true })
})

/** A workspace with the packages of ours, a file in each room, and what a case adds. */
function workspace(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'sluice-imports-'))
  temporary.push(root)
  const entries = {
    core: ['index', 'policy/index', 'plan/index', 'disclosure/index', 'disclosure/open'],
    ledger: ['index', 'keys/index', 'verify/index'],
    mpc: ['index'],
    sandbox: ['index', 'duckdb/index'],
    cli: ['main'],
  }
  const all: Record<string, string> = {
    'packages/core/src/errors.ts': 'export class SluiceError extends Error {}',
    'packages/core/src/plan/approved.ts': 'export function sealApprovedPlan() {}',
    'packages/core/src/disclosure/results.ts':
      'export function sealRawResult() {}\nexport let openRawResult, openCheckedResult, sealCheckedResult',
    'packages/ledger/src/entries/predicates.ts': 'export interface Run { kind: "run" }',
    'packages/ledger/src/store/append.ts': 'export function append() {}',
    'packages/mpc/src/transport/tls.ts': 'export function connect() {}',
  }
  for (const [name, sources] of Object.entries(entries)) {
    const exported = sources.map(entry => [
      entry === 'index' || entry === 'main' ? '.' : `./${entry.replace(/\/index$/, '')}`,
      { types: `./dist/${entry}.d.ts`, default: `./dist/${entry}.js` },
    ])
    all[`packages/${name}/package.json`] = JSON.stringify({
      name: `@sluice/${name}`,
      exports: Object.fromEntries(exported),
    })
    for (const entry of sources) all[`packages/${name}/src/${entry}.ts`] = 'export {}'
  }
  for (const [path, text] of Object.entries({ ...all, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

function rulesBrokenBy(files: Record<string, string>): string[] {
  return checkImports(workspace(files)).map(found => found.rule)
}

/** For every rule: a file that breaks it, and the nearest thing that does not. */
const CASES: readonly [rule: string, path: string, bad: string, good: string][] = [
  ['core-does-no-io', 'core/src/a.ts', `import { readFile } from 'node:fs/promises'`, `import 'node:crypto'`],
  [
    'core-loads-seal-in-one-place',
    'core/src/he/scope.ts',
    `import { readFile } from 'node:fs/promises'`,
    `import { createRequire } from 'node:module'`,
  ],
  ['core-does-no-io', 'core/src/a.ts', `import net from 'net'`, `import { inspect } from 'util'`],
  ['core-does-no-io', 'core/src/a.ts', `const tls = await import('node:tls')`, `await import('node:util')`],
  ['core-does-no-io', 'core/src/a.ts', `fetch('https://a')`, `prefetch('https://a')`],
  [
    'core-threads-do-no-io',
    'core/src/he/threads.ts',
    `import { readFile } from 'node:fs/promises'`,
    `import { Worker } from 'node:worker_threads'`,
  ],
  ['core-does-no-io', 'core/src/he/lane.ts', `import 'node:worker_threads'`, `import 'node:crypto'`],
  ['core-knows-no-engine', 'core/src/a.ts', `import '@duckdb/node-api'`, `import 'apache-arrow'`],
  [
    'core-entry-is-light',
    'core/src/index.ts',
    `import { type Table } from 'apache-arrow'`,
    `import type { Table } from 'apache-arrow'\nexport const load = () => import('zod')`,
  ],
  ['cli-starts-light', 'cli/src/main.ts', `import 'yaml'`, `await import('yaml')`],
  [
    'policy-sees-no-values',
    'core/src/policy/parse.ts',
    `import type { Table } from 'apache-arrow'`,
    `import * as z from 'zod'`,
  ],
  [
    'policy-sees-no-values',
    'core/src/policy/parse.ts',
    `import type { RawResult } from '../disclosure/results.js'`,
    `import { SluiceError } from '../errors.js'`,
  ],
  [
    'disclosure-knows-no-engine',
    'core/src/disclosure/check.ts',
    `import SEAL from 'node-seal'`,
    `import { Table } from 'apache-arrow'`,
  ],
  [
    'only-release-opens-results',
    'sandbox/src/run.ts',
    `import * as open from '@sluice/core/disclosure/open'`,
    `import * as disclosure from '@sluice/core/disclosure'`,
  ],
  [
    'verifier-stands-alone',
    'ledger/src/verify/tree.ts',
    `import { append } from '../store/append.js'`,
    `import { SluiceError } from '@sluice/core'`,
  ],
  [
    'verifier-stands-alone',
    'ledger/src/verify/tree.ts',
    `import { PREDICATE_TYPES } from '../entries/predicates.js'`,
    `import type { Run } from '../entries/predicates.js'`,
  ],
  [
    'verifier-needs-no-database',
    'ledger/src/verify/index.ts',
    `import 'apache-arrow'`,
    `import { createHash } from 'node:crypto'`,
  ],
  [
    'protocols-do-no-io',
    'mpc/src/psi/kkrt.ts',
    `import { connect } from '../transport/tls.js'`,
    `import { randomBytes } from 'node:crypto'`,
  ],
  ['cli-holds-no-cryptography', 'cli/src/sign.ts', `import { sign } from 'crypto'`, `import 'node:fs'`],
  [
    'cli-holds-no-cryptography',
    'cli/src/sign.ts',
    `await import('@noble/curves/p256')`,
    `import 'commander'`,
  ],
  ['packages-in-order', 'core/src/a.ts', `import '@sluice/ledger'`, `import './errors.js'`],
  [
    'packages-in-order',
    'mpc/src/a.ts',
    `import type { Zone } from '@sluice/sandbox'`,
    `import '@sluice/ledger'`,
  ],
  ['packages-in-order', 'sandbox/src/a.ts', `await import('@sluice/mpc')`, `await import('@sluice/ledger')`],
  ['packages-in-order', 'ledger/src/a.ts', `import '@sluice/sandbox'`, `import '@sluice/core'`],
  ['packages-by-name', 'sandbox/src/a.ts', `import '../../core/src/errors.js'`, `import '@sluice/core'`],
  ['no-own-index', 'core/src/plan/node.ts', `import { node } from './index.js'`, `import './approved.js'`],
  ['no-own-index', 'core/src/plan/node.ts', `import { all } from '../index.js'`, `import '../errors.js'`],
  [
    'no-own-index',
    'core/src/plan/node.ts',
    `import '@sluice/core/policy'`,
    `import type {} from './approved.js'`,
  ],
  [
    'barrels-are-entries',
    'core/src/a.ts',
    `export * from './errors.js'`,
    `export { SluiceError } from './errors.js'`,
  ],
  ['imports-can-be-read', 'core/src/a.ts', `await import(name)`, `await import('zod')`],
  ['imports-can-be-read', 'core/src/a.ts', `import './missing.js'`, `import './errors.js'`],
  ['imports-can-be-read', 'ledger/src/a.ts', `import '@sluice/core/errors'`, `import '@sluice/core/plan'`],
  [
    'one-stage-makes-it',
    'core/src/plan/other.ts',
    `import { sealApprovedPlan } from './approved.js'`,
    `import type { sealApprovedPlan } from './approved.js'`,
  ],
  [
    'one-stage-makes-it',
    'core/src/plan/index.ts',
    `export * from './approved.js'`,
    `export { ApprovedPlan } from './approved.js'`,
  ],
  [
    'one-stage-makes-it',
    'sandbox/src/zone.ts',
    `import { sealRawResult as seal } from '@sluice/core/disclosure'`,
    `import { RawResult } from '@sluice/core/disclosure'`,
  ],
  ['no-code-from-text', 'sandbox/src/a.ts', `const f = new Function('x', text)`, `const f: Function = g`],
  ['no-code-from-text', 'sandbox/src/a.ts', `eval(text)`, `evaluate(text)`],
  ['no-weak-randomness', 'mpc/src/a.ts', `const x = Math.random()`, `const x = Math.round(1)`],
]

describe('the import rules', () => {
  it.each(CASES)('%s catches %s: %s', (rule, path, bad, good) => {
    expect(rulesBrokenBy({ [`packages/${path}`]: bad })).toContain(rule)
    expect(rulesBrokenBy({ [`packages/${path}`]: good })).toEqual([])
  })

  it('have a case each', () => {
    const tested = new Set(CASES.map(([rule]) => rule))
    expect([...IMPORTS, ...GLOBALS].map(rule => rule.name).filter(name => !tested.has(name))).toEqual([])
  })

  it.each(STAGES.map(stage => [stage.name, stage] as const))('let nobody else import %s', (name, stage) => {
    const importing = `import { ${name} } from './${stage.home.split('/').at(-1)!.replace('.ts', '.js')}'`
    expect(rulesBrokenBy({ [join(dirname(stage.home), 'other.ts')]: importing })).toEqual([
      'one-stage-makes-it',
    ])
  })

  it('let release open a checked result, by any way of importing', () => {
    for (const text of [
      `import { openCheckedResult } from '@sluice/core/disclosure/open'`,
      `const { openCheckedResult } = await import('@sluice/core/disclosure/open')`,
    ]) {
      expect(rulesBrokenBy({ 'packages/ledger/src/release/release.ts': text })).toEqual([])
      expect(rulesBrokenBy({ 'packages/ledger/src/store/other.ts': text })).toContain(
        'only-release-opens-results',
      )
    }
  })

  it('refuse a barrel in the middle of a package', () => {
    expect(rulesBrokenBy({ 'packages/sandbox/src/zone/index.ts': 'export {}' })).toEqual([
      'barrels-are-entries',
    ])
  })

  it('follow an entry through files, other packages and their re-exports, and say the way', () => {
    const root = workspace({
      'packages/core/src/index.ts': `export { a } from './a.js'`,
      'packages/core/src/a.ts': `import { b } from './b.js'\nexport const a = b`,
      'packages/core/src/b.ts': `import { tableFromIPC } from 'apache-arrow'\nexport const b = tableFromIPC`,
      'packages/cli/src/main.ts': `import { a } from '@sluice/core'`,
    })
    expect(
      checkImports(root).map(({ file, line, rule, message }) => ({ file, line, rule, message })),
    ).toEqual([
      {
        file: 'packages/core/src/b.ts',
        line: 1,
        rule: 'cli-starts-light',
        message:
          'packages/cli/src/main.ts loads apache-arrow through packages/core/src/index.ts → packages/core/src/a.ts → packages/core/src/b.ts',
      },
      {
        file: 'packages/core/src/b.ts',
        line: 1,
        rule: 'core-entry-is-light',
        message:
          'packages/core/src/index.ts loads apache-arrow through packages/core/src/a.ts → packages/core/src/b.ts',
      },
    ])
  })
})

describe('the command', () => {
  it('names file, line, rule and remedy, and fails', () => {
    const root = workspace({ 'packages/core/src/a.ts': `\n\nimport 'node:fs'` })
    const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' })
    expect(stderr).toMatch(
      /^packages\/core\/src\/a\.ts:3 imports node:fs\n {2}rule core-does-no-io: take bytes/,
    )
    expect(status).toBe(1)
  })

  it('passes a workspace that keeps the rules', () => {
    expect(execFileSync(process.execPath, [script, workspace({})], { stdio: 'pipe' }).toString()).toBe('')
  })
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { checkBundle, checkContents, checkDependencies } from '../check-packages.mjs'

const root = mkdtempSync(join(tmpdir(), 'sluice-packages-'))
afterAll(() => rmSync(root, { recursive: true }))

function problemsOf(manifest: object, source: string): string[] {
  mkdirSync(join(root, 'packages/core/src'), { recursive: true })
  writeFileSync(
    join(root, 'packages/core/package.json'),
    JSON.stringify({ name: '@sluice/core', ...manifest }),
  )
  writeFileSync(join(root, 'packages/core/src/a.ts'), source)
  return checkDependencies(root).get('@sluice/core')!
}

describe('declared dependencies', () => {
  it('are those imported, types and dynamic imports included', () => {
    const manifest = {
      dependencies: { zod: '4.6.7', yaml: '2.9.1' },
      peerDependencies: { '@scope/a': '^1.0.0' },
    }
    const source = `import type { z } from 'zod'\nawait import('yaml')\nimport 'node:fs'\nexport * from '@scope/a/b'`
    expect(problemsOf(manifest, source)).toEqual([])
  })

  it('are missed, unused or loose', () => {
    expect(problemsOf({}, `import 'zod'`)).toEqual(['imports zod and does not declare it'])
    expect(problemsOf({ devDependencies: { zod: '4.6.7' } }, `import 'zod'`)).toEqual([
      'imports zod and does not declare it',
    ])
    expect(problemsOf({ dependencies: { zod: '4.6.7' } }, '')).toEqual([
      'declares zod and does not import it',
    ])
    expect(problemsOf({ dependencies: { zod: '^4.6.7' } }, `import 'zod'`)).toEqual([
      'declares zod as ^4.6.7: pin one version',
    ])
  })
})

describe('a bundle', () => {
  const packages = new Map([
    ['@sluice/core', { manifest: { peerDependencies: { 'node-seal': '6.0.3' } } }],
    ['@sluice/ledger', { manifest: {} }],
  ]) as never
  const dependencies = {
    '@sluice/core': 'workspace:*',
    '@sluice/ledger': 'workspace:*',
    'node-seal': '6.0.3',
  }
  const whole = {
    'dist/main.js': `import "./chunk-A.js"\nimport fs from "fs/promises"\nawait import("node:net")`,
    'dist/chunk-A.js': `const at = createRequire(import.meta.url).resolve("@sluice/ledger/package.json")\ncreateRequire(at)("theirs")`,
    'dist/main.d.ts': `import type { ErrorCode } from '@sluice/core';\nexport { type Io } from './io.js';`,
    'dist/io.d.ts': `import type { Writable } from 'node:stream';`,
  }
  const problemsIn = (texts: Record<string, string>, more: object = {}) =>
    checkBundle(new Map(Object.entries(texts)), { dependencies: { ...dependencies, ...more } }, packages)

  it('that declares what its files ask for, and what that leaves to its user, passes', () => {
    expect(problemsIn(whole)).toEqual([])
  })

  it('does not where it declares what became a part of it', () => {
    expect(problemsIn(whole, { yaml: '2.9.1' })).toEqual([
      'declares yaml, and nothing in its tarball asks for it: make it a devDependency',
    ])
  })

  it.each([
    ['imports', `import { parse } from "yaml"`],
    ['imports later', `await import("yaml/sub")`],
    ['exports', `export * from "yaml"`],
    ['requires', `const yaml = createRequire(import.meta.url)("yaml")`],
    ['looks for', `createRequire2(import.meta.url).resolve("yaml/package.json")`],
  ])('does not where it %s what it does not declare', (_, text) => {
    expect(problemsIn({ ...whole, 'dist/chunk-B.js': text })).toEqual([
      'asks for yaml in its tarball and does not declare it',
    ])
  })

  it('does not where its declarations ask for more than is there', () => {
    const texts = { ...whole, 'dist/io.d.ts': `import type { Command } from 'commander';\nimport './ui.js';` }
    expect(problemsIn(texts)).toEqual([
      'its tarball lacks what dist/io.d.ts names: ./ui.js',
      'asks for commander in its tarball and does not declare it',
    ])
  })

  it('may declare for development what its sources import, pinned, and nothing else', () => {
    const built = join(root, 'packages/core/dist')
    mkdirSync(built, { recursive: true })
    writeFileSync(join(built, 'THIRD-PARTY.txt'), '')
    try {
      const bundling = (devDependencies: object) =>
        problemsOf({ devDependencies: { '@types/ms': '2.1.0', ...devDependencies } }, `import 'zod'`)
      expect(bundling({ zod: '4.6.7' })).toEqual([])
      expect(bundling({})).toEqual(['imports zod and does not declare it'])
      expect(bundling({ zod: '^4.6.7', yaml: '2.9.1' })).toEqual([
        'declares yaml and does not import it',
        'declares zod as ^4.6.7: pin one version',
      ])
    } finally {
      rmSync(built, { recursive: true })
    }
  })
})

describe('a tarball', () => {
  const description = {
    folder: 'packages/core',
    manifest: {
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
      bin: { sluice: 'bin/sluice.js' },
    },
  }
  const sources = new Set(['packages/core/src/index.ts'])
  const whole = ['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'bin/sluice.js']

  it('that is whole passes', () => {
    expect(checkContents(whole, sources, description)).toEqual([])
  })

  it.each(whole)('without %s does not', missing => {
    const files = whole.filter(file => file !== missing)
    expect(checkContents(files, sources, description)).toEqual([`its tarball lacks ${missing}`])
  })

  it.each(['dist/.tsbuildinfo', 'test/a.js', 'dist/a.test.js', 'dist/index.d.ts.map'])(
    'with %s does not',
    extra => {
      expect(checkContents([...whole, extra], sources, description)).toEqual([`its tarball holds ${extra}`])
    },
  )

  it('with declarations that no source makes any more does not', () => {
    expect(checkContents([...whole, 'dist/old.d.ts'], sources, description)).toEqual([
      'its tarball holds dist/old.d.ts, whose source is gone: delete dist and build again',
    ])
  })
})

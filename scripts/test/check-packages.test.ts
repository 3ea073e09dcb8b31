import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { checkContents, checkDependencies } from '../check-packages.mjs'

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

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { standalone } from '../standalone.mjs'

const root = mkdtempSync(join(tmpdir(), 'sluice-standalone-'))
afterAll(() => rmSync(root, { recursive: true }))
let made = 0

/** What goes with a bundle that one package became part of, or nothing where the build failed before. */
function noticesOf(files: Record<string, string>): string | undefined {
  const folder = join(root, String(made++))
  const inside = join(folder, 'node_modules', 'guest')
  mkdirSync(inside, { recursive: true })
  writeFileSync(join(inside, 'package.json'), '{"name":"guest","version":"1.2.3","license":"MIT"}')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(inside, name), text)
  const ends: ((result: object) => void)[] = []
  const outdir = join(folder, 'dist')
  standalone([]).setup({
    initialOptions: { outdir },
    onResolve: () => undefined,
    onLoad: () => undefined,
    onEnd: (end: (result: object) => void) => ends.push(end),
  } as never)
  const written = join(outdir, 'THIRD-PARTY.txt')
  try {
    ends[0]!({ errors: [], metafile: { inputs: { [join(inside, 'index.js')]: {} } } })
  } finally {
    expect(existsSync(written)).toBe('LICENSE.txt' in files || 'COPYING' in files)
  }
  return readFileSync(written, 'utf8')
}

describe('the licenses of what is bundled', () => {
  it('go with it, and notices of copyright beside them', () => {
    const text = noticesOf({ 'LICENSE.txt': 'may be used', 'CopyrightNotice.txt': 'by somebody', 'a.js': '' })
    expect(text).toContain('guest 1.2.3 (MIT)\n\n')
    expect(text).toContain('may be used')
    expect(text).toContain('by somebody')
    expect(noticesOf({ COPYING: 'may be copied' })).toContain('may be copied')
  })

  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['a notice alone', { 'NOTICE.txt': 'by somebody', 'CopyrightNotice.txt': 'by somebody' }],
  ])('have to be there: the build fails where a package has %s', (_, files) => {
    expect(() => noticesOf(files)).toThrow('guest 1.2.3 is bundled, and no file of it holds its license')
  })
})

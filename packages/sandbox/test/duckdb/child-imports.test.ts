import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const dist = new URL('../../dist/', import.meta.url)
const IMPORT = /^import\s+(?<names>[^'"]*?)\s*(?:from\s*)?["'](?<from>[^'"]+)["']/gm
// what a bundled CommonJS package asks for
const REQUIRED = /(?<names>require)\(["'](?<from>[^'"]+)["']\)/g

/** Every import of a built program and of the chunks that it loads. */
function importsOf(entry: URL, seen = new Map<string, { names: string; from: string }[]>()) {
  if (seen.has(entry.href)) return seen
  const text = readFileSync(entry, 'utf8')
  const imports = [...text.matchAll(IMPORT), ...text.matchAll(REQUIRED)].map(({ groups }) => ({
    names: groups!['names']!,
    from: groups!['from']!,
  }))
  seen.set(entry.href, imports)
  for (const { from } of imports) if (from.startsWith('.')) importsOf(new URL(from, entry), seen)
  return seen
}

/** Without code made of texts, Node before 20.20 finds no names in a CommonJS package: a child would end at once. */
it.each(['duckdb/child/main.js', 'sql/parser-child.js'])('%s imports CommonJS packages whole', entry => {
  const imports = [...importsOf(new URL(entry, dist)).values()].flat()
  const addons = imports.filter(({ from }) => from.startsWith('@duckdb/'))
  expect(addons.length).toBeGreaterThan(0)
  expect(addons.filter(({ names }) => !/^\w+$/.test(names))).toEqual([])
})

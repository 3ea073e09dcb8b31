import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const own = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(own, 'dist')
const checkout = dirname(dirname(own))
const files = readdirSync(dist).filter(file => file.endsWith('.js'))

/** What a file of the bundle imports, statically or later. */
function importsOf(text: string): string[] {
  const named = /^(?:import|export)\b[^'"`;]*?from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm
  return [...text.matchAll(named)].map(([, from, bare, later]) => from ?? bare ?? later ?? '')
}

function isWithin(specifier: string): boolean {
  const name = specifier.replace(/^node:/, '')
  return builtinModules.includes(name) || (specifier.startsWith('./') && files.includes(specifier.slice(2)))
}

describe('the command line as it is built', () => {
  it('imports nothing that a start would have to look for in another package', () => {
    const imports = files.flatMap(file => importsOf(readFileSync(join(dist, file), 'utf8')))
    expect(imports.length).toBeGreaterThan(100)
    expect(imports.filter(specifier => !isWithin(specifier))).toEqual([])
  })

  it('would notice one that does', () => {
    const text = `import { Table } from "apache-arrow";\nimport "zod";\nconst { parse } = await import("yaml");`
    expect(importsOf(text)).toEqual(['apache-arrow', 'zod', 'yaml'])
    expect(importsOf(text).some(isWithin)).toBe(false)
  })

  it('has no maps to sources that are not beside it', () => {
    expect(readdirSync(dist).filter(file => file.endsWith('.js.map'))).toEqual([])
    const naming = files.filter(file =>
      readFileSync(join(dist, file), 'utf8').includes('//# sourceMappingURL'),
    )
    expect(naming).toEqual([])
  })

  it.for([
    ['apache-arrow', 'Apache License'],
    ['apache-arrow', 'This product includes software developed at'],
    ['zod', 'Permission is hereby granted'],
    ['libsodium-wrappers-sumo', 'Permission to use, copy, modify'],
    ['asn1js', 'Redistribution and use in source and binary forms'],
    ['reflect-metadata', 'Microsoft'],
  ])('hands on the license of %s: %s', ([name, words]) => {
    const parts = readFileSync(join(dist, 'THIRD-PARTY.txt'), 'utf8').split(/\n-{80}\n/)
    const part = parts.find(text => new RegExp(`^${name} \\d`, 'm').test(text))
    expect(part).toContain(words)
  })
})

it.each(['core', 'ledger', 'mpc', 'sandbox', 'cli'])('nothing in %s tells where it was built', name => {
  const built = join(dirname(own), name, 'dist')
  const all = readdirSync(built, { recursive: true, withFileTypes: true }).filter(file => file.isFile())
  const telling = all.filter(file => readFileSync(join(file.parentPath, file.name)).includes(checkout))
  expect(all.length).toBeGreaterThan(10)
  expect(telling.map(file => file.name)).toEqual([])
})

#!/usr/bin/env node
// Enforces the architecture: scripts/imports/rules.mjs says who may import whom, this says where that is broken.
// usage: node scripts/check-imports.mjs [ROOT]
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readGraph } from './imports/graph.mjs'
import { GLOBALS, IMPORTS, STAGES, WORKSPACE } from './imports/rules.mjs'

/**
 * @param {string} root the workspace: the folder that holds `packages`
 * @returns {{file: string, line: number, rule: string, message: string, remedy: string}[]} what breaks a rule
 */
export function checkImports(root) {
  const graph = readGraph(root)
  return [...graph.sources.values()]
    .flatMap(source => [
      ...source.imports.flatMap(item => [
        ...structure(source, item, graph),
        ...workspace(source, item),
        ...direct(source, item),
        ...stages(source, item),
      ]),
      ...barrel(source, graph),
      ...reached(source, graph),
      ...globals(source),
    ])
    .sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line)
}

function structure(source, item, { packages, sources }) {
  const found = (rule, message, remedy) => [violation(source, item.line, rule, message, remedy)]
  const own = packageOf(source.path)
  if (item.target.startsWith('unknown:')) {
    return item.specifier === '(computed)'
      ? found(
          'imports-can-be-read',
          'imports a module whose name is computed',
          'write the name as a literal, one import a module',
        )
      : found(
          'imports-can-be-read',
          `imports ${item.specifier}, which its package does not export`,
          'import one of the subpaths in the package’s exports',
        )
  }
  if (item.workspace && packages.get(item.workspace).folder === own) {
    return found(
      'no-own-index',
      `imports its own package by name (${item.specifier})`,
      'import the file that has it, by its relative path',
    )
  }
  if (item.target.startsWith('packages/') && !item.workspace) {
    if (!item.target.startsWith(`${own}/src/`)) {
      return found(
        'packages-by-name',
        `reaches out of its package (${item.specifier})`,
        'import the other package by its name and a subpath that it exports',
      )
    }
    if (item.target.endsWith('/index.ts')) {
      return found(
        'no-own-index',
        `imports an index of its own package (${item.specifier})`,
        'import the file that has it',
      )
    }
    if (!sources.has(item.target) && !/\.(json|wasm|yaml)$/.test(item.target)) {
      return found(
        'imports-can-be-read',
        `imports ${item.specifier}, which is no source file`,
        'name a file with its .js extension',
      )
    }
  }
  if (item.exportsAll && !isEntryIndex(source.path, packages)) {
    return found(
      'barrels-are-entries',
      `has \`export *\` from ${item.specifier}`,
      'name what is exported; only a package’s entry (an index.ts in its exports) is a barrel',
    )
  }
  return []
}

/** An index.ts that no subpath is built from is a barrel in the middle of a package. */
function barrel(source, { packages }) {
  if (!source.path.endsWith('/index.ts') || isEntryIndex(source.path, packages)) return []
  return [
    violation(
      source,
      1,
      'barrels-are-entries',
      'is an index.ts, but no entry of its package',
      'name the file for what it holds, or add it to the exports in package.json',
    ),
  ]
}

function workspace(source, item) {
  if (!item.workspace) return []
  const from = packageOf(source.path).slice('packages/'.length)
  const to = item.workspace.slice('@sluice/'.length)
  if (from === to || WORKSPACE[from]?.includes(to)) return []
  const allowed = WORKSPACE[from]?.map(name => `@sluice/${name}`).join(', ') || 'no other package'
  return [
    violation(
      source,
      item.line,
      'packages-in-order',
      `@sluice/${from} imports ${item.specifier}`,
      `${from} may use ${allowed}; move the code, or pass a value in`,
    ),
  ]
}

function direct(source, item) {
  return IMPORTS.filter(rule => !rule.reach && binds(rule, source.path) && breaks(rule, item)).map(rule =>
    violation(source, item.line, rule.name, `imports ${item.specifier}`, rule.remedy),
  )
}

function breaks(rule, item) {
  if (rule.deny) return matches(rule.deny, item.target)
  if (!matches(rule.within, item.target) || matches(rule.allow, item.target)) return false
  return !(item.typeOnly && matches(rule.allowTypes ?? [], item.target))
}

/** What is loaded together with an entry: static imports that the compiler does not erase, followed to their end. */
function reached(source, { sources }) {
  return IMPORTS.filter(rule => rule.reach && binds(rule, source.path)).flatMap(rule => {
    const found = []
    const seen = new Set([source.path])
    const queue = [{ at: source, trail: [] }]
    for (const { at, trail } of queue) {
      for (const item of at.imports) {
        if (item.kind === 'dynamic' || item.typeOnly || seen.has(item.target)) continue
        seen.add(item.target)
        if (matches(rule.deny, item.target)) {
          const by = trail.length === 0 ? '' : ` through ${[...trail, at.path].slice(1).join(' → ')}`
          const message = `${source.path} loads ${item.specifier}${by}`
          found.push(violation(at, item.line, rule.name, message, rule.remedy))
        }
        const next = sources.get(item.target)
        if (next) queue.push({ at: next, trail: [...trail, at.path] })
      }
    }
    return found
  })
}

function stages(source, item) {
  return STAGES.filter(
    stage =>
      !item.typeOnly &&
      !matches(stage.allow, source.path) &&
      (item.target === stage.home || item.workspace === '@sluice/core') &&
      (item.names === '*' ? item.target === stage.home : item.names.includes(stage.name)),
  ).map(stage =>
    violation(
      source,
      item.line,
      'one-stage-makes-it',
      `imports ${stage.name} from ${item.specifier}`,
      stage.remedy,
    ),
  )
}

function globals(source) {
  return GLOBALS.filter(rule => binds(rule, source.path)).flatMap(rule =>
    source.uses
      .filter(use => rule.uses.includes(use.name))
      .map(use => violation(source, use.line, rule.name, `uses ${use.name}`, rule.remedy)),
  )
}

function binds(rule, path) {
  return matches(rule.from, path) && !matches(rule.except ?? [], path)
}

function matches(patterns, text) {
  return patterns.some(pattern => {
    const source = pattern
      .split('**')
      .map(part => part.split('*').map(literally).join('[^/]*'))
      .join('.*')
    return new RegExp(`^${source}$`).test(text)
  })
}

function literally(text) {
  return text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
}

function packageOf(path) {
  return path.split('/').slice(0, 2).join('/')
}

function isEntryIndex(path, packages) {
  return (
    path.endsWith('/index.ts') &&
    [...packages.values()].some(({ entries }) => [...entries.values()].includes(path))
  )
}

function violation(source, line, rule, message, remedy) {
  return { file: source.path, line, rule, message, remedy }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = resolve(process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url))))
  const violations = checkImports(root)
  for (const { file, line, rule, message, remedy } of violations) {
    process.stderr.write(`${file}:${line} ${message}\n  rule ${rule}: ${remedy}\n`)
  }
  process.stderr.write(
    violations.length === 0
      ? 'sluice: every import keeps the rules\n'
      : `sluice: ${violations.length} import${violations.length === 1 ? ' breaks a rule' : 's break a rule'} (scripts/imports/rules.mjs)\n`,
  )
  process.exitCode = violations.length === 0 ? 0 : 1
}

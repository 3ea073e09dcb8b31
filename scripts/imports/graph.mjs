import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import ts from 'typescript'

/**
 * @typedef {object} Import
 * @property {string} specifier as written
 * @property {string} target `packages/…/src/….ts`, `node:…`, `npm:…`, or `unknown:…` where it cannot be told
 * @property {string | undefined} workspace the package of ours that it was imported from by name
 * @property {number} line
 * @property {'static' | 'dynamic'} kind
 * @property {boolean} typeOnly erased by the compiler. `import { type X }` is not: under `verbatimModuleSyntax` the
 *   module is still loaded
 * @property {'*' | string[]} names
 * @property {boolean} exportsAll `export * from`
 */

/**
 * @typedef {object} Source
 * @property {string} path from the root of the workspace, with forward slashes
 * @property {Import[]} imports
 * @property {{name: string, line: number}[]} uses `fetch`, `Math.random`: identifiers and members of identifiers
 */

/**
 * Every source file of every package, with what it imports.
 *
 * @param {string} root
 * @returns {{packages: Map<string, Package>, sources: Map<string, Source>}}
 */
export function readGraph(root) {
  const packages = readPackages(root)
  const sources = new Map()
  for (const { folder } of packages.values()) {
    for (const path of sourcesBelow(root, `${folder}/src`)) {
      sources.set(path, readSource(path, readFileSync(join(root, path), 'utf8'), packages))
    }
  }
  return { packages, sources }
}

/**
 * @typedef {object} Package
 * @property {string} folder such as `packages/core`
 * @property {any} manifest
 * @property {Map<string, string>} entries subpath (`.`, `./plan`) to the source file that it is built from
 */

function readPackages(root) {
  const packages = new Map()
  if (!existsSync(join(root, 'packages'))) return packages
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    const folder = `packages/${name}`
    const file = join(root, folder, 'package.json')
    if (!existsSync(file)) continue
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    packages.set(manifest.name, { folder, manifest, entries: entriesOf(folder, manifest) })
  }
  return packages
}

function entriesOf(folder, manifest) {
  const entries = new Map()
  for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
    const file = typeof target === 'string' ? target : target.default
    if (file.startsWith('./dist/')) {
      entries.set(subpath, `${folder}/src/${file.slice('./dist/'.length).replace(/\.js$/, '.ts')}`)
    }
  }
  return entries
}

function sourcesBelow(root, folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true })
    .map(name => posix.join(folder, String(name).replaceAll('\\', '/')))
    .filter(path => /\.[cm]?[jt]s$/.test(path))
    .sort()
}

function readSource(path, text, packages) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const source = { path, imports: [], uses: [] }
  const lineOf = node => file.getLineAndCharacterOfPosition(node.getStart()).line + 1
  const add = (node, specifier, details) => {
    const literal = specifier && ts.isStringLiteralLike(specifier) ? specifier.text : undefined
    source.imports.push({
      specifier: literal ?? '(computed)',
      ...(literal === undefined ? { target: 'unknown:computed' } : resolve(path, literal, packages)),
      line: lineOf(node),
      kind: 'static',
      typeOnly: false,
      names: '*',
      exportsAll: false,
      ...details,
    })
  }
  const visit = node => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, {
        typeOnly: node.importClause?.isTypeOnly ?? false,
        names: importedNames(node.importClause),
      })
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      const named = node.exportClause && ts.isNamedExports(node.exportClause)
      add(node, node.moduleSpecifier, {
        typeOnly: node.isTypeOnly,
        names: named ? node.exportClause.elements.map(nameOf) : '*',
        exportsAll: node.exportClause === undefined,
      })
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      add(node, node.moduleReference.expression, { typeOnly: node.isTypeOnly })
    } else if (ts.isImportTypeNode(node)) {
      add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, { typeOnly: true })
    } else if (ts.isCallExpression(node) && isImportCall(node)) {
      add(node, node.arguments[0], { kind: 'dynamic' })
    } else if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      source.uses.push({ name: `${node.expression.text}.${node.name.text}`, line: lineOf(node) })
    } else if (
      (ts.isCallExpression(node) || ts.isNewExpression(node)) &&
      ts.isIdentifier(node.expression) &&
      node.expression.text !== 'require'
    ) {
      source.uses.push({ name: node.expression.text, line: lineOf(node) })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return source
}

function isImportCall({ expression }) {
  return (
    expression.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(expression) && expression.text === 'require')
  )
}

function importedNames(clause) {
  const bindings = clause?.namedBindings
  if (bindings && ts.isNamespaceImport(bindings)) return '*'
  const named = bindings ? bindings.elements.map(nameOf) : []
  return clause?.name ? ['default', ...named] : named
}

function nameOf(element) {
  return (element.propertyName ?? element.name).text
}

function resolve(path, specifier, packages) {
  if (specifier.startsWith('.')) {
    const joined = posix.join(posix.dirname(path), specifier)
    return { target: joined.replace(/\.([cm]?)js$/, '.$1ts') }
  }
  if (isBuiltin(specifier)) return { target: `node:${specifier.replace(/^node:/, '')}` }
  const parts = specifier.split('/')
  const name = parts.splice(0, specifier.startsWith('@') ? 2 : 1).join('/')
  const ours = packages.get(name)
  if (!ours) return { target: `npm:${name}` }
  const entry = ours.entries.get(['.', ...parts].join('/'))
  return { workspace: name, target: entry ?? `unknown:${specifier}` }
}

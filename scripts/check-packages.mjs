#!/usr/bin/env node
// Packs every public package as npm would and checks what a user would install: entries and types (publint,
// are-the-types-wrong), the files in the tarball, and that it declares what it imports and nothing else.
// Run after a build. usage: node scripts/check-packages.mjs
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, posix, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { readGraph } from './imports/graph.mjs'
import { NOTICES } from './standalone.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Lies in a package that a build put its dependencies into. */
const BUNDLED = `dist/${NOTICES}`

/**
 * What a package declares against what its sources import, types included: its declarations name them too. Where a
 * build puts dependencies into the package, those it needs for that alone may be declared for development;
 * `checkBundle` sees to the others.
 *
 * @param {string} root the workspace: the folder that holds `packages`
 * @returns {Map<string, string[]>} package name to problems
 */
export function checkDependencies(root) {
  const { packages, sources } = readGraph(root)
  const problems = new Map()
  for (const [name, { folder, manifest }] of packages) {
    const imported = new Set(
      [...sources.values()]
        .filter(source => source.path.startsWith(`${folder}/`))
        .flatMap(source => source.imports)
        .map(
          item =>
            item.workspace ?? (item.target.startsWith('npm:') ? item.target.slice('npm:'.length) : name),
        )
        .filter(other => other !== name),
    )
    const building = existsSync(join(root, folder, BUNDLED)) ? manifest.devDependencies : {}
    const declared = new Set(
      Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...building }).filter(
        other => !other.startsWith('@types/'),
      ),
    )
    // what an imported package of ours leaves to its user to install
    const peers = new Set(
      [...imported].flatMap(other => Object.keys(packages.get(other)?.manifest.peerDependencies ?? {})),
    )
    problems.set(name, [
      ...[...imported]
        .filter(other => !declared.has(other))
        .map(other => `imports ${other} and does not declare it`),
      ...[...declared]
        .filter(other => !imported.has(other) && !peers.has(other))
        .map(other => `declares ${other} and does not import it`),
      ...Object.entries({ ...manifest.dependencies, ...building })
        .filter(([, version]) => !/^(\d|workspace:)/.test(version))
        .map(([other, version]) => `declares ${other} as ${version}: pin one version`),
    ])
  }
  return problems
}

/**
 * What a package with a bundle in it declares against what the files in its tarball ask for: nobody has to install
 * what became a part of them.
 *
 * @param {Map<string, string>} texts the code and the declarations in the tarball, by path
 * @param {any} manifest
 * @param {ReturnType<typeof readGraph>['packages']} packages
 * @returns {string[]} problems
 */
export function checkBundle(texts, manifest, packages) {
  const asked = new Set()
  const problems = []
  for (const [path, text] of texts) {
    for (const specifier of specifiersIn(text)) {
      const file = posix.join(posix.dirname(path), specifier)
      if (!specifier.startsWith('.')) asked.add(packageOf(specifier))
      else if (path.endsWith('.d.ts') && !texts.has(file.replace(/\.js$/, '.d.ts')))
        problems.push(`its tarball lacks what ${path} names: ${specifier}`)
    }
  }
  const peers = new Set(
    [...asked].flatMap(other => Object.keys(packages.get(other)?.manifest.peerDependencies ?? {})),
  )
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
  return [
    ...problems,
    ...[...asked]
      .filter(other => !isBuiltin(other) && !declared.includes(other))
      .map(other => `asks for ${other} in its tarball and does not declare it`),
    ...declared
      .filter(other => !asked.has(other) && !peers.has(other))
      .map(other => `declares ${other}, and nothing in its tarball asks for it: make it a devDependency`),
  ]
}

/** What code or declarations import, and what they ask `require` for; what they ask for on another's behalf is its. */
function specifiersIn(text) {
  const asked = text.matchAll(/\bcreateRequire\d*\(import\.meta\.url\)(?:\.resolve)?\("([^"]+)"\)/g)
  const imported = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)
  return [...imported, ...[...asked].map(([, specifier]) => specifier)]
}

/** @param {string} specifier `@scope/name/sub` or `name/sub` */
function packageOf(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/**
 * @param {string[]} files paths in the tarball
 * @param {Set<string>} sources the workspace's source files
 * @param {{folder: string, manifest: any}} description
 * @returns {string[]} problems
 */
export function checkContents(files, sources, { folder, manifest }) {
  const targets = [...Object.values(manifest.exports ?? {}), ...Object.values(manifest.bin ?? {})]
    .flatMap(target => (typeof target === 'string' ? [target] : Object.values(target)))
    .map(target => target.replace(/^\.\//, ''))
  const wanted = new Set(['LICENSE', 'README.md', 'package.json', ...targets])
  const unwanted =
    /(^|\/)(test|tests|vectors|fixtures)\/|\.(test|bench)\.|\.tsbuildinfo$|\.d\.ts\.map$|\.log$/
  const sourceOf = file => `${folder}/src/${file.slice('dist/'.length).replace(/\.d\.ts$/, '.ts')}`
  return [
    ...[...wanted].filter(file => !files.includes(file)).map(file => `its tarball lacks ${file}`),
    ...files.filter(file => unwanted.test(file)).map(file => `its tarball holds ${file}`),
    ...files
      .filter(file => file.startsWith('dist/') && file.endsWith('.d.ts') && !sources.has(sourceOf(file)))
      .map(file => `its tarball holds ${file}, whose source is gone: delete dist and build again`),
  ]
}

function main() {
  const { packages, sources } = readGraph(root)
  const dependencies = checkDependencies(root)
  const temporary = mkdtempSync(join(tmpdir(), 'sluice-pack-'))
  let failures = 0
  try {
    for (const [name, description] of packages) {
      if (description.manifest.private) continue
      const [{ filename, files }] = JSON.parse(
        output(
          'npm',
          'pack',
          '--json',
          '--ignore-scripts',
          '--loglevel=error',
          `--pack-destination=${temporary}`,
          {
            cwd: join(root, description.folder),
          },
        ),
      )
      const tarball = join(temporary, filename)
      const paths = files.map(file => file.path)
      const problems = [
        ...dependencies.get(name),
        ...checkContents(paths, new Set(sources.keys()), description),
        ...(paths.includes(BUNDLED)
          ? checkBundle(textsOf(paths, description), description.manifest, packages)
          : []),
        ...lint('publint/src/cli.js', 'run', tarball, '--strict'),
        ...lint('@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only', '--no-color'),
      ]
      for (const problem of problems) process.stderr.write(`${name} ${problem}\n`)
      failures += problems.length
    }
  } finally {
    rmSync(temporary, { recursive: true })
  }
  const summary = failures === 0 ? 'every package is fit to publish' : `${failures} problems in the packages`
  process.stderr.write(`sluice: ${summary}\n`)
  process.exitCode = failures === 0 ? 0 : 1
}

function textsOf(paths, { folder }) {
  const texts = paths.filter(path => path.endsWith('.js') || path.endsWith('.d.ts'))
  return new Map(texts.map(path => [path, readFileSync(join(root, folder, path), 'utf8')]))
}

/** What a linter prints, as one problem, where it fails. */
function lint(file, ...args) {
  const result = spawnSync(process.execPath, [join(root, 'node_modules', file), ...args], {
    encoding: 'utf8',
  })
  return result.status === 0
    ? []
    : [`fails ${file.split('/src/')[0].split('/dist/')[0]}:\n${result.stdout}${result.stderr}`]
}

function output(command, ...args) {
  const options = args.pop()
  const result = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (result.status !== 0)
    throw new Error(`${command} ${args[0]} failed: ${result.error?.message ?? result.stderr}`)
  return result.stdout
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) main()

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The file beside a bundle that holds the licenses of what is in it. */
export const NOTICES = 'THIRD-PARTY.txt'
/** Resolved by this plugin already. */
const DONE = Symbol('resolved')

/**
 * Puts a program's dependencies, the workspace's packages among them, into its bundle, so that a start reads a few files
 * instead of some hundred. There is one copy of each in the process, as before. Packages with native code stay outside.
 *
 * - What is left outside is found from the package that asks for it: the bundle's own need not declare it.
 * - A CommonJS module that is imported dynamically gives the names that Node would give.
 * - The licenses of what became part of the bundle go with it, in one file; a package that has none ends the build.
 * - Nothing in the bundle tells where it was built.
 *
 * @param {string[]} outside packages that are not bundled
 * @returns {import('tsup').Options['esbuildPlugins'][number]}
 */
export const standalone = outside => ({
  name: 'standalone',
  setup(build) {
    build.initialOptions.metafile = true
    // chunks of our own packages name each other for their order alone, and have no side effects
    build.initialOptions.logOverride = { 'ignored-bare-import': 'silent' }
    build.onResolve(
      { filter: /^[@\w]/ },
      async ({ path, kind, importer, resolveDir, namespace, pluginData }) => {
        if (pluginData === DONE || kind === 'entry-point' || isBuiltin(path)) return undefined
        if (outside.includes(packageOf(path))) {
          return { path, namespace: 'outside', pluginData: manifestAbove(importer) }
        }
        if (kind !== 'dynamic-import' || namespace !== 'file') return undefined
        const found = await build.resolve(path, { kind: 'import-statement', resolveDir, pluginData: DONE })
        if (!isCommonJs(found.path)) return undefined
        const shown = relative(process.cwd(), found.path).split(sep).join('/')
        return { path: shown, namespace: 'named', pluginData: found.path }
      },
    )
    build.onLoad({ filter: /.*/, namespace: 'outside' }, ({ path, pluginData: asking }) => ({
      contents: `import { createRequire } from 'node:module'
const manifest = createRequire(import.meta.url).resolve(${JSON.stringify(`${asking}/package.json`)})
export default createRequire(manifest)(${JSON.stringify(path)})`,
    }))
    build.onLoad({ filter: /.*/, namespace: 'named' }, async ({ pluginData: path }) => {
      const names = Object.keys(await import(pathToFileURL(path).href))
      const own = names.filter(name => name !== 'default' && name !== 'module.exports')
      return {
        contents: `import whole from ${JSON.stringify(path)}
export default whole
export const { ${own.join(', ')} } = whole`,
        resolveDir: dirname(path),
      }
    })
    build.onEnd(({ metafile, errors }) => {
      if (errors.length > 0 || metafile === undefined) return
      const { outdir } = build.initialOptions
      const text = notices(Object.keys(metafile.inputs))
      // the files of the bundle come later
      mkdirSync(outdir, { recursive: true })
      writeFileSync(join(outdir, NOTICES), text)
    })
  },
})

function isBuiltin(path) {
  return path.startsWith('node:') || builtinModules.includes(path)
}

/** @param {string} path `@scope/name/sub` or `name/sub` */
function packageOf(path) {
  return path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/')
}

/** The name of the package that a file belongs to: of the nearest manifest above it. */
function manifestAbove(file) {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).name
  }
}

/** By what it says, as the bundler does: a file for bundlers may be a module whatever its manifest says. */
function isCommonJs(file) {
  return !/^(?:import|export)\b/m.test(readFileSync(file, 'utf8'))
}

/** What the licenses of bundled packages ask to be passed on: their own texts. */
function notices(inputs) {
  const folders = inputs.flatMap(
    input => /^(?:\w+:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [],
  )
  const parts = [...new Set(folders.map(folder => resolve(folder)))].sort().map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const files = readdirSync(folder).filter(file => /^(licen[cs]e|copying|copyright|notice)/i.test(file))
    if (!files.some(file => /^(licen[cs]e|copying)/i.test(file))) {
      throw new Error(`${name} ${version} is bundled, and no file of it holds its license`)
    }
    const texts = files.map(file => readFileSync(join(folder, file), 'utf8').trim())
    return [`${name} ${version} (${license})`, ...texts].join('\n\n')
  })
  return `These packages are a part of the files in this folder.\n\n${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

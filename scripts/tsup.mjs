import { defineConfig } from 'tsup'
import { assembly } from './assembly.mjs'
import { standalone } from './standalone.mjs'

/** @param {string[]} entries */
const options = entries => ({
  entry: Object.fromEntries(entries.map(entry => [entry, `src/${entry}.ts`])),
  format: 'esm',
  target: 'node20',
  platform: 'node',
  splitting: true,
  sourcemap: true,
  clean: false,
  dts: false,
  silent: true,
  esbuildPlugins: [assembly()],
})

/** A bundled CommonJS module asks for what is left outside. */
const REQUIRE = `import { createRequire as requireFrom } from 'node:module'
const require = requireFrom(import.meta.url)`

/**
 * How every package is bundled: ESM with shared chunks, so that a class with a private brand exists once
 * however many entries reach it. Declarations come from `tsc -b`.
 *
 * @param {string[]} entries paths below `src`, without extension
 */
export const library = entries => defineConfig(options(entries))

/**
 * Programs that a package starts as processes, with a dependency of many files put into them: each start finds and
 * reads one file instead. Fit for what no other part of a process may have a second copy of.
 *
 * @param {string[]} entries paths below `src`, without extension
 * @param {{name: string, license: string}} bundled the dependency, and its license, which has to go with it
 */
export const program = (entries, { name, license }) =>
  defineConfig({
    ...options(entries),
    noExternal: [name],
    banner: {
      js: [`/*! ${name} is a part of this file:\n\n${license.replaceAll('*/', '* /')}*/`, REQUIRE].join('\n'),
    },
  })

/**
 * A command line that people start: with all its dependencies in it, ours too, but what has native code. It has no
 * source maps: the sources are not beside it, and the bundle keeps names and lines as they were written.
 *
 * @param {string[]} entries paths below `src`, without extension
 * @param {string[]} outside packages that are not bundled
 */
export const commandLine = (entries, outside) =>
  defineConfig({
    ...options(entries),
    noExternal: [/./],
    external: outside,
    esbuildPlugins: [standalone(outside)],
    sourcemap: false,
    banner: { js: REQUIRE },
  })

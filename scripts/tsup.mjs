import { defineConfig } from 'tsup'
import { assembly } from './assembly.mjs'

/**
 * How every package is bundled: ESM with shared chunks, so that a class with a private brand exists once
 * however many entries reach it. Declarations come from `tsc -b`.
 *
 * @param {string[]} entries paths below `src`, without extension
 */
export const library = entries =>
  defineConfig({
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

import { dirname, join, relative, sep } from 'node:path'
import asc from 'assemblyscript/asc'

const OPTIONS = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--noAssert', '--use', 'abort=']

/**
 * Lets a source `import kernel from './ring.wasm'` and get the bytes: the module is compiled while bundling from
 * `assembly/ring.ts` of the package (AssemblyScript, with SIMD) and put into the bundle, so that nothing is read from
 * a file when it is used. The package declares `*.wasm` as a `Uint8Array`.
 *
 * @returns {import('tsup').Options['esbuildPlugins'][number]}
 */
export const assembly = () => ({
  name: 'assembly',
  setup(build) {
    build.onResolve({ filter: /^\.\/[\w-]+\.wasm$/ }, ({ path, resolveDir }) => ({
      // goes into the bundle, which is not to tell where it was built
      path: relative(process.cwd(), join(resolveDir, path)).split(sep).join('/'),
      namespace: 'assembly',
    }))
    build.onLoad({ filter: /.*/, namespace: 'assembly' }, async ({ path }) => {
      const name = path.slice(dirname(path).length + 1, -'.wasm'.length)
      return { contents: await compile(join('assembly', `${name}.ts`)), loader: 'binary' }
    })
  },
})

/** @param {string} source path in the package, which is the working directory of its build */
async function compile(source) {
  let binary
  const { error, stderr } = await asc.main([source, '--outFile', 'out.wasm', ...OPTIONS], {
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents
    },
  })
  if (error) throw new Error(`${source}: ${stderr.toString()}`, { cause: error })
  return binary
}

import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { SluiceError } from '@sluice/core'

/**
 * The folders that a child's program needs from the installation: its own package without the sources, and for
 * each dependency the `node_modules` folder that it lies in, after symbolic links. Holds for flat (npm) and linked
 * (pnpm) layouts.
 *
 * @param entry absolute path of the child's program
 * @param dependencies packages that the program imports
 */
export function packageFolders(entry: string, dependencies: readonly string[]): string[] {
  const file = realpathSync(entry)
  const root = packageRoot(dirname(file))
  const folders = new Set([firstFolderBelow(root, file), join(root, 'package.json')])
  if (existsSync(join(root, 'node_modules'))) folders.add(join(root, 'node_modules'))
  const seen = new Set<string>()
  const visit = (name: string, from: string, optional: boolean): void => {
    const folder = resolvePackage(name, from)
    if (folder === null) {
      if (optional) return
      throw new SluiceError('ENGINE_FAILED', `the package ${name} is not installed`, {
        remedy: 'Install the dependencies again.',
      })
    }
    if (seen.has(folder)) return
    seen.add(folder)
    folders.add(enclosingModules(folder))
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
    for (const below of Object.keys(manifest.dependencies ?? {})) visit(below, folder, false)
    for (const below of Object.keys(manifest.optionalDependencies ?? {})) visit(below, folder, true)
  }
  for (const name of dependencies) visit(name, root, false)
  return withoutNested([...folders])
}

/** Drops every path that lies below another one of the list; the rest sorted. */
export function withoutNested(paths: readonly string[]): string[] {
  const sorted = [...new Set(paths)].sort()
  return sorted.filter(path => !sorted.some(other => other !== path && path.startsWith(other + sep)))
}

interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
}

function packageRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new SluiceError('INTERNAL', 'the child’s program is in no package')
  return packageRoot(parent)
}

function firstFolderBelow(root: string, file: string): string {
  return join(root, file.slice(root.length + 1).split(sep)[0] as string)
}

function resolvePackage(name: string, from: string): string | null {
  const candidate = join(from, 'node_modules', name)
  if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate)
  const parent = dirname(from)
  return parent === from ? null : resolvePackage(name, parent)
}

function enclosingModules(folder: string): string {
  const mark = `${sep}node_modules${sep}`
  const at = folder.lastIndexOf(mark)
  return at < 0 ? folder : folder.slice(0, at + mark.length - 1)
}

import { SluiceError } from '@sluice/core'
import type { Address, PsiKernels } from './kernels.js'
import kernelBytes from './psi.wasm'

/** Memory for one run of kernels: named columns of bytes, each aligned to a cache line. */
export interface Arena<Name extends string> {
  readonly kernels: PsiKernels
  readonly at: Readonly<Record<Name, Address>>
  readonly bytes: Readonly<Record<Name, Uint8Array<ArrayBuffer>>>
}

/**
 * Memory of its own, zeros, with a column of so many bytes for each name; let go when nobody refers to it.
 *
 * @throws SluiceError MEMORY_EXCEEDED where the machine, or the 4 GiB of WebAssembly, do not have it
 */
export function arena<Name extends string>(sizes: Readonly<Record<Name, number>>): Arena<Name> {
  return laidOut(sizes, instance())
}

/**
 * The same for one call that is over before anybody else asks: small ones share a memory, which is cheaper than one
 * of their own by a tenth of a millisecond.
 */
export function scratch<Name extends string>(sizes: Readonly<Record<Name, number>>): Arena<Name> {
  const values: number[] = Object.values(sizes)
  const total = values.reduce((sum, bytes) => sum + bytes + VECTOR + CACHE_LINE, 0)
  if (total > SHARED) return arena(sizes)
  shared ??= instance()
  const memory = laidOut(sizes, shared)
  const start = shared.arenaStart()
  new Uint8Array(shared.memory.buffer, start, total).fill(0)
  return memory
}

let shared: Exports | undefined
const SHARED = 1 << 17

function laidOut<Name extends string>(sizes: Readonly<Record<Name, number>>, exported: Exports): Arena<Name> {
  const { memory } = exported
  const at = {} as Record<Name, Address>
  let end = exported.arenaStart()
  for (const [name, bytes] of Object.entries(sizes) as [Name, number][]) {
    at[name] = end
    // a kernel may read and write up to a vector beyond a column
    end = Math.ceil((end + bytes + VECTOR) / CACHE_LINE) * CACHE_LINE
  }
  grow(memory, end)
  const views = Object.entries(sizes).map(([name, bytes]) => [
    name,
    new Uint8Array(memory.buffer, at[name as Name], bytes as number),
  ])
  return { kernels: exported, at, bytes: Object.fromEntries(views) }
}

interface Exports extends PsiKernels {
  readonly memory: WebAssembly.Memory
  arenaStart(): Address
}

const PAGE = 65_536
const CACHE_LINE = 64
const VECTOR = 16
const MAXIMUM = 2 ** 32 - PAGE

let compiled: WebAssembly.Module | undefined

function instance(): Exports {
  compiled ??= new WebAssembly.Module(kernelBytes)
  return new WebAssembly.Instance(compiled).exports as Exports
}

function grow(memory: WebAssembly.Memory, bytes: number): void {
  const pages = Math.ceil((bytes - memory.buffer.byteLength) / PAGE)
  if (pages <= 0) return
  try {
    if (bytes > MAXIMUM) throw new RangeError('beyond 4 GiB')
    memory.grow(pages)
  } catch (cause) {
    throw new SluiceError('MEMORY_EXCEEDED', 'the intersection needs more memory than there is', {
      rule: 'psi.memory',
      remedy: 'Run it in buckets, or on a machine with more memory.',
      cause,
    })
  }
}

import { SluiceError } from '@sluice/core'
import kernelBytes from './psi.wasm'

/** An address in an arena. */
export type Address = number

/** What `packages/mpc/assembly/psi` exports; each kernel's comment there says what it does. */
export interface PsiKernels {
  // biome-ignore-start format: a kernel a line
  blake3Keyed(
    key: Address,
    rows: Address,
    width: number,
    counters: Address,
    out: Address,
    take: number,
    count: number,
  ): void
  columnsToRows(columns: Address, stride: number, groups: number, count: number, out: Address): void
  xorInto(a: Address, b: Address, bytes: number): void
  xorIntoStrided(a: Address, stride: number, b: Address, count: number): void
  xorMasked(rows: Address, other: Address, mask: Address, width: number, count: number): void
  compact(from: Address, width: number, out: Address, count: number): void
  threeBins(hashes: Address, count: number, bins: number, out: Address): void
  cuckooInsert(places: Address, count: number, table: Address, bins: number, limit: number): number
  buildTable(values: Address, count: number, table: Address, mask: number): void
  markMatches(
    values: Address,
    table: Address,
    mask: number,
    theirs: Address,
    width: number,
    count: number,
    matched: Address,
  ): void
  kkrtInputs(
    rows: Address,
    places: Address,
    which: number,
    codes: Address,
    mask: Address,
    out: Address,
    counters: Address,
    count: number,
  ): void
  fillBins(
    table: Address,
    from: number,
    bins: number,
    items: Address,
    contents: Address,
    counters: Address,
  ): void
  binsToItems(table: Address, from: number, bins: number, values: Address, out: Address): void
  flipWhere(rows: Address, choices: Address, count: number): void
  okvsRows(rows: Address, count: number, parts: number, sparse: number): void
  okvsGroup(rows: Address, count: number, parts: number, starts: Address, order: Address): void
  okvsPeel(
    rows: Address,
    order: Address,
    count: number,
    first: number,
    sparse: number,
    degrees: Address,
    queue: Address,
    stack: Address,
  ): number
  okvsSubstitute(
    rows: Address,
    order: Address,
    stack: Address,
    peeled: number,
    columns: Address,
    tables: Address,
  ): void
  okvsTables(columns: Address, parts: number, sparse: number, tables: Address): void
  okvsDecode(rows: Address, count: number, columns: Address, tables: Address, out: Address): void
  okvsValues(rows: Address, count: number, out: Address): void
  gfTable(factor: Address, table: Address): void
  gfMultiplyInto(a: Address, table: Address, out: Address, count: number): void
  gfCombine(rows: Address, count: number, out: Address): void
  ggmInputs(nodes: Address, stride: number, trees: number, count: number, both: number, out: Address): void
  ggmGrow(
    nodes: Address,
    stride: number,
    trees: number,
    count: number,
    both: number,
    inputs: Address,
    permuted: Address,
    sums: Address,
  ): void
  convolute(elements: Address, from: number, to: number, bits: Address, wide: number): void
  convoluteWrap(elements: Address, size: number, bits: Address, wide: number): void
  expand(
    elements: Address,
    size: number,
    draws: Address,
    regular: number,
    uniform: number,
    out: Address,
    count: number,
  ): void
  expandPairs(
    elements: Address,
    size: number,
    draws: Address,
    regular: number,
    uniform: number,
    out: Address,
    other: Address,
    count: number,
  ): void
  pairUp(a: Address, count: number, out: Address): void
  // biome-ignore-end format: a kernel a line
}

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
  const exported = new WebAssembly.Instance(loadedModule()).exports as unknown as Exports
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

function loadedModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(kernelBytes)
  return compiled
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
      remedy: 'run it in buckets, or on a machine with more memory',
      cause,
    })
  }
}

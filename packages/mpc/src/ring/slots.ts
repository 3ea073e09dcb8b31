import { SluiceError } from '@sluice/core'

/** A column of 64-bit words: elements of a ring or a field, or 64 bits of Z_2 a word, the first value in the lowest. */
export type Words = BigUint64Array<ArrayBuffer>

/** What every module of kernels exports: memory, and fixed slots in it for blocks of columns. */
export interface SlotExports {
  readonly memory: WebAssembly.Memory
  readonly slot: (index: number) => number
  readonly slotWords: () => number
}

export interface Kernels<K extends SlotExports> {
  readonly kernels: K
  readonly slots: readonly Words[]
  readonly bytes: readonly Uint8Array[]
  readonly at: readonly number[]
  /** words in a slot, a multiple of 64 */
  readonly block: number
}

/** Loads a module of kernels when it is first asked for. */
export function lazily<K extends SlotExports>(
  module: Uint8Array<ArrayBuffer>,
  slots: number,
): () => Kernels<K> {
  let loaded: Kernels<K> | undefined
  return () => {
    loaded ??= instantiate(module, slots)
    return loaded
  }
}

function instantiate<K extends SlotExports>(module: Uint8Array<ArrayBuffer>, slots: number): Kernels<K> {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) {
    throw new SluiceError('INTERNAL', 'the kernels need a little-endian processor')
  }
  const kernels = new WebAssembly.Instance(new WebAssembly.Module(module)).exports as K
  const block = kernels.slotWords()
  const at = Array.from({ length: slots }, (_, index) => kernels.slot(index))
  const { buffer } = kernels.memory
  return {
    kernels,
    slots: at.map(address => new BigUint64Array(buffer, address, block)),
    bytes: at.map(address => new Uint8Array(buffer, address, block * 8)),
    at,
    block,
  }
}

/** @throws SluiceError INTERNAL */
export function sameLength(a: Words, b: Words): void {
  if (a.length !== b.length) throw new SluiceError('INTERNAL', 'two columns differ in length')
}

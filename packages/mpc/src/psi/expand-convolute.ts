import { AesCtrPrg, PRG_KEY_BYTES } from '../prg/aes-ctr.js'
import type { Arena } from './arena.js'
import type { Address } from './kernels.js'

/**
 * The code by which sparse noise becomes pseudorandom: expand-convolute (Raghuraman, Rindal and Tanguy, "Expand-Convolute
 * Codes for Pseudorandom Correlation Generators from LPN", CRYPTO 2023), of rate 1/2 and systematic, with the conservative
 * setting of its authors' library (ExConv21x24): every output is one element and 21 others, 11 from as many regions and
 * 10 from anywhere, after two convolutions with 24 states.
 */
export const EXPANDER = { regular: 11, uniform: 10 } as const

/** The authors' estimate of the minimum distance of that setting is 0.25 of the length; ours is more careful. */
const DISTANCE = 0.15
const SECURITY_BITS = 128

/**
 * Noisy positions that make (1 − 2 · distance)^t, the bias that a linear test can find in regular noise, smaller than
 * 2^-128 (Boyle, Couteau, Gilboa, Ishai, Kohl, Resch and Scholl, CRYPTO 2022, section 3; regular noise as in its library).
 */
export const FEWEST_NOISY = Math.ceil(-SECURITY_BITS / Math.log2(1 - 2 * DISTANCE) / 8) * 8

/** The memory for the code's random words. */
export type CodeMemory = 'draws'

export const codeSizes: Record<CodeMemory, number> = { draws: 1 << 18 }

/**
 * Compresses, for outputs that hold the systematic part already: `out` ⊕= expand(convolute(convolute(elements))).
 *
 * @param seed 32 bytes, public
 * @param elements `size` elements, spoiled; pairs of 16 bytes where `second` is given
 * @param out `count` elements of 16 bytes
 * @param second the same, for the second of each pair
 */
export function compress(
  { kernels, at, bytes }: Arena<CodeMemory>,
  seed: Uint8Array,
  elements: Address,
  size: number,
  out: Address,
  count: number,
  second?: Address,
): void {
  const stream = new AesCtrPrg(seed.subarray(0, PRG_KEY_BYTES))
  const wide = second === undefined ? 0 : 1
  const words = codeSizes.draws / 4
  for (let pass = 0; pass < 2; pass++) {
    for (let from = 0; from < size; from += words) {
      const to = Math.min(from + words, size)
      stream.fill(bytes.draws.subarray(0, (to - from) * 4))
      kernels.convolute(elements, from, to, at.draws, wide)
    }
    stream.fill(bytes.draws.subarray(0, 128))
    kernels.convoluteWrap(elements, size, at.draws, wide)
  }
  const { regular, uniform } = EXPANDER
  const weight = regular + uniform
  const outputs = Math.floor(words / weight)
  for (let from = 0; from < count; from += outputs) {
    const here = Math.min(outputs, count - from)
    stream.fill(bytes.draws.subarray(0, here * weight * 4))
    const to = out + from * 16
    if (second === undefined) kernels.expand(elements, size, at.draws, regular, uniform, to, here)
    else kernels.expandPairs(elements, size, at.draws, regular, uniform, to, second + from * 16, here)
  }
}

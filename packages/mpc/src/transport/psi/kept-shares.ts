import { arithmetic } from '../../protocols/replicated/shares.js'
import type { Cells } from '../../protocols/replicated/totals.js'

/** A cell's shares, as they are kept. */
export function sharesOf({ counts, sums }: Cells): BigUint64Array<ArrayBuffer> {
  const [count, sum] = [counts[0]!, sums[0]!]
  return new BigUint64Array([count.own[0]!, count.next[0]!, sum.own[0]!, sum.next[0]!])
}

/** Shares of the total over all parts: sums of the parts' shares. */
export function cellsOf(parts: readonly BigUint64Array[]): Cells {
  const totals = new BigUint64Array(4)
  for (const shares of parts) for (let i = 0; i < 4; i++) totals[i]! += shares[i]!
  const [count, countNext, sum, sumNext] = [...totals].map(word => new BigUint64Array([word]))
  return { counts: [arithmetic(count!, countNext!)], sums: [arithmetic(sum!, sumNext!)] }
}

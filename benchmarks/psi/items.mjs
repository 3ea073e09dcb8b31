import { AesCtrPrg } from '@sluice/mpc/ring'

/** A party's items, the same in every run: half of them are the other party's too. */
export function itemsOf(party, count) {
  const items = new Uint8Array(count * 16)
  new AesCtrPrg(Buffer.alloc(16, 1)).fill(items.subarray(0, count * 8))
  new AesCtrPrg(Buffer.alloc(16, 2 + party)).fill(items.subarray(count * 8))
  return items
}

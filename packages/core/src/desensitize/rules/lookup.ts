import type { TextColumn } from '../column.js'
import type { Applier } from '../rule.js'
import { mapText } from '../text-map.js'

/** Every text to what a table has for it; what the table does not have is hidden. */
export function lookup(table: ReadonlyMap<string, string>): Applier {
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  const encoded = new Map([...table].map(([from, to]) => [from, encoder.encode(to)]))
  const longest = Math.max(0, ...[...table.keys()].map(key => encoder.encode(key).length))
  return chunk =>
    mapText(
      chunk as TextColumn,
      (bytes, start, end, out) => {
        if (end - start > longest) return false
        const to = encoded.get(decoder.decode(bytes.subarray(start, end)))
        if (to === undefined) return false
        out.write(to)
        return true
      },
      'leave',
    )
}

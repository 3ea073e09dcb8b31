import { type Data, DataType, Vector } from 'apache-arrow'

/** Texts as Arrow has them: UTF-8, one after the other, row i from `offsets[i]` to `offsets[i + 1]`. */
export interface TextBuffers {
  readonly bytes: Uint8Array
  readonly offsets: ArrayLike<number>
  /** of the column or among a dictionary's values; an empty text stands there, or anything */
  readonly isNull: (row: number) => boolean
  readonly hasNulls: boolean
}

/**
 * A column's texts without a copy where they lie in it as such; else, of a dictionary say, written out. Nothing
 * where the column holds no texts.
 */
export function textsIn(data: Data): TextBuffers | undefined {
  if (DataType.isUtf8(data.type))
    return {
      bytes: data.values as Uint8Array,
      offsets: data.valueOffsets,
      isNull: row => !data.getValid(row),
      hasNulls: data.nullCount > 0,
    }
  const nulls = new Set<number>()
  const texts: string[] = []
  const offsets = new Float64Array(data.length + 1)
  for (const text of new Vector([data]) as Iterable<unknown>) {
    if (text !== null && typeof text !== 'string') return undefined
    if (text === null) nulls.add(texts.length)
    texts.push(text ?? '')
    offsets[texts.length] = offsets[texts.length - 1]! + Buffer.byteLength(text ?? '')
  }
  return {
    bytes: Buffer.from(texts.join('')),
    offsets,
    isNull: row => nulls.has(row),
    hasNulls: nulls.size > 0,
  }
}

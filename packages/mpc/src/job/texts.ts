import { type Data, DataType, Vector } from 'apache-arrow'

/** Texts as Arrow has them: UTF-8, one after the other, row i from `offsets[i]` to `offsets[i + 1]`. */
export interface TextBuffers {
  readonly bytes: Uint8Array
  readonly offsets: ArrayLike<number>
}

/**
 * A column's texts without a copy where they lie in it as such; else, of a dictionary say, written out, a null as an
 * empty text. Nothing where the column holds no texts.
 */
export function textsIn(data: Data): TextBuffers | undefined {
  if (DataType.isUtf8(data.type)) return { bytes: data.values as Uint8Array, offsets: data.valueOffsets }
  const texts: string[] = []
  const offsets = new Float64Array(data.length + 1)
  for (const text of new Vector([data]) as Iterable<unknown>) {
    if (text !== null && typeof text !== 'string') return undefined
    texts.push(text ?? '')
    offsets[texts.length] = offsets[texts.length - 1]! + Buffer.byteLength(text ?? '')
  }
  return { bytes: Buffer.from(texts.join('')), offsets }
}

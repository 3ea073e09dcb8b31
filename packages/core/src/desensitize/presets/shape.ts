import type { TextOutput, TextTransform } from '../text-map.js'

/**
 * The form of a value in plain ASCII: one character class a position, and which positions are kept. The same
 * description makes the kernel here and the regular expression in a database.
 */
export interface Shape {
  /** `[class, how often]`, such as `['1', 1], ['3-9', 1], ['0-9', 9]` */
  readonly form: readonly (readonly [className: string, times: number])[]
  /** kept at the beginning */
  readonly first: number
  /** kept at the end */
  readonly last: number
}

export const MARK = '*'

/** Shapes that exclude one another, told apart by nothing but their form. */
export function shapesTransform(shapes: readonly Shape[]): TextTransform {
  const byLength = new Map<number, Compiled[]>()
  for (const shape of shapes) {
    const compiled = compile(shape)
    byLength.set(compiled.length, [...(byLength.get(compiled.length) ?? []), compiled])
  }
  const longest = Math.max(...byLength.keys())
  const candidates = Array.from({ length: longest + 1 }, (_, length) => byLength.get(length) ?? null)
  return (bytes, start, end, out) => {
    const length = end - start
    const list = length > longest ? null : candidates[length]!
    if (list === null) return false
    for (const shape of list) {
      if (fits(shape, bytes, start)) {
        write(shape, bytes, start, out)
        return true
      }
    }
    return false
  }
}

/** The regular expression of a shape (RE2 and JavaScript alike), to be matched against the whole value. */
export function shapePattern({ form }: Shape): string {
  return form.map(([name, times]) => `[${name}]${times === 1 ? '' : `{${times}}`}`).join('')
}

export function shapeLength({ form }: Shape): number {
  return form.reduce((sum, [, times]) => sum + times, 0)
}

interface Compiled {
  readonly length: number
  readonly first: number
  readonly last: number
  /** bit k of `classes[byte]`: may the byte stand in the class k; `wanted[i]` is the bit of position i */
  readonly classes: Uint32Array
  readonly wanted: Uint32Array
}

function compile(shape: Shape): Compiled {
  const classes = new Uint32Array(256)
  const names = [...new Set(shape.form.map(([name]) => name))]
  for (const [bit, name] of names.entries()) {
    const pattern = new RegExp(`^[${name}]$`)
    for (let byte = 0; byte < 128; byte++) {
      if (pattern.test(String.fromCharCode(byte))) classes[byte]! |= 1 << bit
    }
  }
  const wanted = shape.form.flatMap(([name, times]) =>
    new Array<number>(times).fill(1 << names.indexOf(name)),
  )
  const { first, last } = shape
  return { length: wanted.length, first, last, classes, wanted: Uint32Array.from(wanted) }
}

function fits({ length, classes, wanted }: Compiled, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < length; i++) if ((classes[bytes[start + i]!]! & wanted[i]!) === 0) return false
  return true
}

const MARK_BYTE = MARK.charCodeAt(0)

function write({ length, first, last }: Compiled, bytes: Uint8Array, start: number, out: TextOutput): void {
  out.reserve(length)
  const { bytes: target, size } = out
  const tail = length - last
  for (let i = 0; i < first; i++) target[size + i] = bytes[start + i]!
  for (let i = first; i < tail; i++) target[size + i] = MARK_BYTE
  for (let i = tail; i < length; i++) target[size + i] = bytes[start + i]!
  out.size = size + length
}

import type { CodeType } from './job.js'

/** Values below it are ordered and compared exactly as signed elements of the ring. */
const WORD_BITS = 62

/**
 * A code as numbers, exactly: its characters are digits from 1 on to the base of the alphabet's size and one, absent
 * ones 0, so that codes of different lengths differ and their order is that of the texts; as many digits to a word as
 * fit below 2^62.
 *
 * @param words filled from `at` on
 * @returns false where the text is none of the type's codes; an empty text is none
 */
export function encodeCode(
  text: string,
  { alphabet, length }: CodeType,
  digits: ReadonlyMap<string, bigint>,
  words: BigUint64Array,
  at: number,
): boolean {
  const characters = [...text]
  if (characters.length === 0 || characters.length > length) return false
  const base = BigInt([...alphabet].length + 1)
  const step = charactersOfWord(alphabet)
  let place = 0
  for (let word = 0; place < length; word++) {
    let value = 0n
    for (const end = Math.min(place + step, length); place < end; place++) {
      const character = characters[place]
      const digit = character === undefined ? 0n : digits.get(character)
      if (digit === undefined) return false
      value = value * base + digit
    }
    words[at + word] = value
  }
  return true
}

/** The inverse. */
export function decodeCode(words: readonly bigint[], { alphabet, length }: CodeType): string {
  const characters = [...alphabet]
  const base = BigInt(characters.length + 1)
  const step = charactersOfWord(alphabet)
  return words
    .map((word, place) => {
      let text = ''
      let rest = word
      for (let left = Math.min(step, length - place * step); left > 0; left--) {
        text = (rest % base === 0n ? '' : characters[Number(rest % base) - 1]!) + text
        rest /= base
      }
      return text
    })
    .join('')
}

/** What each character stands for. */
export function digitsOf({ alphabet }: CodeType): Map<string, bigint> {
  return new Map([...alphabet].map((character, place) => [character, BigInt(place + 1)]))
}

/** How many bits each word of a code has. */
export function codeBits({ alphabet, length }: CodeType): number[] {
  const base = BigInt([...alphabet].length + 1)
  const step = charactersOfWord(alphabet)
  return Array.from({ length: Math.ceil(length / step) }, (_, word) =>
    bitsOf(base ** BigInt(Math.min(step, length - word * step)) - 1n),
  )
}

/** Bits of a number from 0 on; at least one. */
export function bitsOf(value: bigint): number {
  return value.toString(2).length
}

function charactersOfWord(alphabet: string): number {
  const base = BigInt([...alphabet].length + 1)
  let step = 1
  while (base ** BigInt(step + 1) <= 2n ** BigInt(WORD_BITS)) step++
  return step
}

/**
 * What a column's name says it holds. The head of a name stands at its end, in Chinese, pinyin and English alike: 手机号
 * is in 联系人手机号, and not in 手机号归属地.
 */
export interface NameEvidence {
  readonly entity: string
  /** 1 where the name is or ends with one of the entity's names, less where it only contains one */
  readonly strength: number
}

const INSIDE = 0.4

/** Finds the entity that a column is named after: the one with the longest name that fits, at the end before inside. */
export class NameIndex {
  readonly #names: readonly Name[]

  constructor(names: Iterable<readonly [entity: string, name: string]>) {
    this.#names = [...names].map(([entity, name]) => ({ entity, ...compileName(name) }))
  }

  find(column: string): NameEvidence | null {
    const given = normalizedName(column)
    let best: (NameEvidence & { readonly length: number }) | null = null
    for (const name of this.#names) {
      const strength = strengthOf(name, given)
      if (strength === 0) continue
      const length = name.joined.length
      if (best === null || strength > best.strength || (strength === best.strength && length > best.length)) {
        best = { entity: name.entity, strength, length }
      }
    }
    return best === null ? null : { entity: best.entity, strength: best.strength }
  }
}

interface NormalizedName {
  /** lower case; words of ASCII apart, Chinese together */
  readonly words: readonly string[]
  /** the same without anything between */
  readonly joined: string
}

interface Name extends NormalizedName {
  readonly entity: string
  /** written `=name`: nothing may stand beside it */
  readonly whole: boolean
}

/** A name as a catalogue writes it, such as `身份证号`, `id card` or `=name`. */
export function compileName(name: string): NormalizedName & { readonly whole: boolean } {
  return { ...normalizedName(name.replace(/^=/, '')), whole: name.startsWith('=') }
}

/** `idCardNo_2`, `ID-Card-No` and `id card no(必填)` are all `id card no`. */
export function normalizedName(name: string): NormalizedName {
  const words = name
    .normalize('NFKC')
    .replace(/[([{<【《].*?[)\]}>】》]/g, ' ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .replace(/(\p{Script=Han})([a-z])/gu, '$1 $2')
    .replace(/([a-z])(\p{Script=Han})/gu, '$1 $2')
    .split(/[^a-z\p{Script=Han}]+/u)
    .filter(word => word !== '')
  return { words, joined: words.join('') }
}

/** Short names in letters stand for themselves only as whole words: `xm` is in `fr_xm`, not in `maxm`. */
const UNSEPARATED = 6

function strengthOf(name: Name, given: NormalizedName): number {
  if (name.joined === given.joined) return 1
  if (name.whole || given.joined.length < name.joined.length) return 0
  const han = /\p{Script=Han}/u.test(name.joined)
  if (given.joined.endsWith(name.joined) && (han || name.joined.length >= UNSEPARATED)) return 1
  const words = given.words.length - name.words.length
  for (let at = words; at >= 0; at--) {
    if (name.words.every((word, index) => given.words[at + index] === word)) return at === words ? 1 : INSIDE
  }
  return han && given.joined.includes(name.joined) ? INSIDE : 0
}

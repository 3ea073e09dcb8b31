/** English texts and what they are in another language; `{}` stands for what is put in, `{0}` for the first of them. */
export type Translations = Readonly<Record<string, string>>

const DEEPEST = 4

/**
 * Finds the texts of errors and of help in a catalogue, as they were written in the sources before names and numbers were
 * put in. So the packages below keep their one English text, and nothing about languages.
 */
export class Translator {
  readonly #exact: ReadonlyMap<string, string>
  readonly #patterns: readonly { readonly pattern: RegExp; readonly to: string }[]

  constructor(...tables: readonly Translations[]) {
    const all = tables.flatMap(table => Object.entries(table))
    this.#exact = new Map(all.filter(([from]) => !from.includes('{}')))
    // what says most in its own words comes first
    this.#patterns = all
      .filter(([from]) => from.includes('{}'))
      .sort(([a], [b]) => b.replaceAll('{}', '').length - a.replaceAll('{}', '').length)
      .map(([from, to]) => ({
        pattern: new RegExp(`^${from.split('{}').map(escaped).join('(.*?)')}$`, 's'),
        to,
      }))
  }

  /** The text in the other language; null where the catalogue does not have it. */
  find(text: string, depth = 0): string | null {
    const exact = this.#exact.get(text)
    if (exact !== undefined) return exact
    if (depth > DEEPEST) return null
    for (const { pattern, to } of this.#patterns) {
      const found = pattern.exec(text)
      if (found === null) continue
      const parts = found.slice(1).map(part => this.find(part, depth + 1) ?? part)
      let next = 0
      return to.replace(
        /\{(\d?)\}/g,
        (_, place: string) => parts[place === '' ? next++ : Number(place)] ?? '',
      )
    }
    return this.#afterPlace(text, depth)
  }

  /** `columns.cost.uses: …`, `3:4 use.filter: …`, `zone/sluice.yaml: …`: the place stays, what is said of it is found. */
  #afterPlace(text: string, depth: number): string | null {
    for (let at = text.indexOf(': '); at > 0; at = text.indexOf(': ', at + 1)) {
      const said = this.find(text.slice(at + 2), depth + 1)
      if (said !== null) return `${text.slice(0, at)}：${said}`
    }
    return null
  }
}

function escaped(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')
}

/** Texts that a command read, by the name under which errors point into them. */
export class Sources {
  readonly #texts = new Map<string, string>()
  /** the query: an error in it need not name it. Whatever else has no name is a line of data, which is not shown. */
  query: string | undefined

  add(name: string, text: string): void {
    this.#texts.set(name, text)
  }

  line(name: string, line: number): string | undefined {
    return this.#texts.get(name)?.split('\n')[line - 1]
  }
}

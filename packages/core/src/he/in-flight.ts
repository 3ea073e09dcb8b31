/** Runs asynchronous work, so many pieces at once and no more; the first failure ends it. */
export class InFlight {
  readonly #most: number
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(most: number) {
    this.#most = most
  }

  /** Starts a piece as soon as there is room. @throws what an earlier piece failed with */
  async add(work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#most && !this.#failure) await Promise.race(this.#running)
    this.#check()
    const running = work()
      .catch(error => {
        this.#failure ??= { error }
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Waits for what runs. @throws what a piece failed with */
  async end(): Promise<void> {
    await Promise.all(this.#running)
    this.#check()
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error
  }
}

/** The results of pieces of work in their order, while so many of them run at once and no more. */
export async function* inOrder<T>(most: number, pieces: Iterable<() => Promise<T>>): AsyncGenerator<T> {
  const running: Promise<T>[] = []
  for (const start of pieces) {
    const piece = start()
    // whoever takes it in its turn is told of its failure
    piece.catch(() => undefined)
    running.push(piece)
    if (running.length >= most) yield await running.shift()!
  }
  for (const piece of running) yield await piece
}

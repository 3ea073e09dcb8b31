const MILLISECONDS = 40

/** Lets a long computation be cancelled and say how far it is: it gives way to the event loop now and then. */
export class Pauses {
  readonly #signal: AbortSignal | undefined
  #last = performance.now()

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
    signal?.throwIfAborted()
  }

  /** @param before called when a pause is due @throws the signal's reason */
  async perhaps(before?: () => void): Promise<void> {
    if (performance.now() - this.#last < MILLISECONDS) return
    before?.()
    await new Promise(resolve => setImmediate(resolve))
    this.#signal?.throwIfAborted()
    this.#last = performance.now()
  }
}

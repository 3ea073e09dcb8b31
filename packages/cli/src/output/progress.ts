import type { Progress as Report } from '@sluice/core/plan'
import type { Sink } from '../io.js'

export const PROGRESS_MODES = ['auto', 'json', 'none'] as const
export type ProgressMode = (typeof PROGRESS_MODES)[number]

/** How far work in buckets is, beside its fraction. */
interface Buckets {
  readonly bucket?: number
  readonly buckets?: number
  readonly itemsPerSecond?: number
}

/** Progress on stderr: a line that overwrites itself on a terminal, one JSON object a line for machines. */
export class Progress {
  readonly #sink: Sink
  readonly #mode: 'terminal' | 'json' | 'none'
  #shown = false

  constructor(sink: Sink, mode: ProgressMode) {
    this.#sink = sink
    this.#mode = mode === 'auto' ? (sink.isTTY === true ? 'terminal' : 'none') : mode
  }

  readonly report = (progress: Report & Buckets): void => {
    if (this.#mode === 'none') return
    if (this.#mode === 'json') {
      this.#sink.write(`${JSON.stringify({ progress })}\n`)
      return
    }
    const percent = progress.fraction === undefined ? '' : ` ${Math.floor(progress.fraction * 100)} %`
    const { bucket, buckets, itemsPerSecond } = progress
    const speed = itemsPerSecond === undefined ? '' : ` ${itemsPerSecond.toLocaleString('en-US')}/s`
    const part = buckets === undefined ? '' : ` ${bucket}/${buckets}${speed}`
    this.#sink.write(`\r\u001b[K${progress.stage}${percent}${part}`)
    this.#shown = true
  }

  /** Clears the line, before a result or an error is printed. */
  end(): void {
    if (this.#shown) this.#sink.write('\r\u001b[K')
    this.#shown = false
  }
}

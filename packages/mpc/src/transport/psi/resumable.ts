import type { PsiItems } from '../../psi/job/items.js'
import type { OpenedInput } from '../../psi/job/opening.js'
import type { Ristretto } from '../../psi/ristretto.js'
import type { Session } from '../../session/session.js'

/** How far a run in buckets is. */
export interface BucketProgress {
  /** finished buckets */
  readonly bucket: number
  readonly buckets: number
  /** of this party, as padded, since the run began or went on */
  readonly itemsPerSecond: number
}

/** What a run is counted as: this party's items that a receiver may test, and the run that it goes on with. */
export interface Counted {
  readonly tested: number
  readonly resumes?: string
}

/** What a party learns that learns anything. */
export interface BucketResult {
  /** another party enforced the minimum, and nothing else is known */
  readonly withheld?: boolean
  /** different keys that are shared */
  readonly count?: number
  /** by row, 1 where its key is shared */
  readonly matched?: Uint8Array
  /** scaled */
  readonly sum?: bigint
  /** where rows are handed over: the shared keys alone, and which of them each row has */
  readonly shared?: PsiItems
}

/** A computation bucket by bucket that goes on after it broke off, as `runPsi` drives it. */
export interface BucketwiseRun {
  /** the result is here, whoever else comes */
  readonly isFinished: boolean
  /** finished, and the others can only be told so */
  readonly isDone: boolean
  /** the others have said that they need nothing more */
  readonly isComplete: boolean
  /** the record says that it has ended well */
  readonly isRecordedDone: boolean
  /** the session that was counted in full */
  readonly session: string | undefined
  /**
   * Compares with the others what is finished, and says what this run is to be counted as. Nothing that is kept changes.
   *
   * @param others what each other owner brings, by index
   */
  agree(session: Session, others: ReadonlyMap<number, OpenedInput>): Promise<Counted>
  /**
   * A run in full, that `agree` said it was, is about to be counted: what is kept is of it from here on.
   *
   * @returns whether what was kept before is gone for it
   */
  start(session: string): Promise<boolean>
  /** @returns what this party learns; undefined where that is nothing */
  run(
    session: Session,
    group: Ristretto,
    onProgress?: (fraction: number, at: BucketProgress) => void,
  ): Promise<BucketResult | undefined>
  /** What was learned before, of a run that is finished. */
  result(): Promise<BucketResult | undefined>
  /** All sides are finished. */
  completed(): Promise<void>
  /** Lets go of what is kept; it stays for the next run. */
  close(): Promise<void>
  /** Removes what is kept: the result is written, or is never to be. */
  forget(): Promise<void>
}

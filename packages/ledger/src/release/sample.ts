import { hash, randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import type { CheckedResult } from '@sluice/core/disclosure'
import { openCheckedResult } from '@sluice/core/disclosure/open'
import type { Table } from 'apache-arrow'
import { commit } from '../entries/commitment.js'
import type { Sample } from '../entries/predicates.js'
import type { Signer } from '../keys/signer.js'
import type { Receipt } from '../receipts/receipt.js'
import type { LedgerWriter } from '../store/types.js'

/** Looks at a checked result, for as long as a stand-in is made. */
export type Look = (checked: CheckedResult) => Table

type Isolation = Sample['isolation']

const KEY = Symbol('made by prepareSample')
const WEAKEST_FIRST: readonly Isolation[] = ['process', 'namespaces', 'bubblewrap']

let openPrepared: (value: unknown) => { readonly bytes: Uint8Array; readonly isolation: Isolation }

/** A stand-in that was made and has not left: unreadable outside `releaseSample`. */
export class PreparedSample {
  readonly #brand: { readonly bytes: Uint8Array; readonly isolation: Isolation }
  constructor(key: typeof KEY, contents: { readonly bytes: Uint8Array; readonly isolation: Isolation }) {
    if (key !== KEY) throw new SluiceError('BRAND_INVALID', 'a PreparedSample is made by prepareSample only')
    this.#brand = contents
    Object.freeze(this)
  }
  static {
    openPrepared = value => {
      if (typeof value !== 'object' || value === null || !(#brand in value)) {
        throw new SluiceError('BRAND_INVALID', 'this is not a PreparedSample')
      }
      return value.#brand
    }
  }
}

/**
 * The first half of the door for stand-ins: what they are made of are results that passed the disclosure check, and
 * they can be looked at for no longer than `make` takes. No lock is held, since engines work meanwhile.
 *
 * @param make gives the bytes of the stand-in's file
 * @throws SluiceError BRAND_INVALID where something else than a `CheckedResult` is looked at, or `make` is over
 */
export async function prepareSample(make: (look: Look) => Promise<Uint8Array>): Promise<PreparedSample> {
  let over = false
  let weakest = WEAKEST_FIRST.length - 1
  try {
    const bytes = await make(checked => {
      if (over) throw new SluiceError('BRAND_INVALID', 'a result is looked at after the stand-in was made')
      const { table, isolation } = openCheckedResult(checked)
      weakest = Math.min(weakest, WEAKEST_FIRST.indexOf(isolation))
      return table
    })
    return new PreparedSample(KEY, { bytes, isolation: WEAKEST_FIRST[weakest]! })
  } finally {
    over = true
  }
}

export interface ReleaseSampleOptions {
  /** holds the ledger's lock */
  readonly writer: Pick<LedgerWriter, 'record' | 'receipt'>
  readonly operator: Signer
  readonly sample: Omit<Sample, 'kind' | 'time' | 'sample' | 'resultCommitment' | 'isolation'>
  /** for tests that replay */
  readonly random?: (bytes: number) => Uint8Array
}

/** A stand-in that left. */
export interface ReleasedSample {
  readonly sample: Sample
  readonly receipt: Receipt
  /** opens the entry's commitment to the SHA-256 of the bytes */
  readonly salt: string
  readonly bytes: Uint8Array
}

/**
 * The second half: the entry is durable before the bytes are handed out. They are not kept: for one version and policy
 * a stand-in is made the same again.
 *
 * @throws SluiceError BRAND_INVALID, CLOCK_BEHIND, DISK_FULL
 */
export async function releaseSample(
  prepared: PreparedSample,
  { writer, operator, sample, random = randomBytes }: ReleaseSampleOptions,
): Promise<ReleasedSample> {
  const { bytes, isolation } = openPrepared(prepared)
  const { commitment, salt } = commit('result', hash('sha256', bytes, 'buffer'), random)
  const { index, envelope } = await writer.record(
    {
      kind: 'sample',
      sample: Buffer.from(random(16)).toString('hex'),
      ...sample,
      resultCommitment: commitment,
      isolation,
    },
    operator,
  )
  return { sample: envelope.predicate as Sample, receipt: await writer.receipt(index), salt, bytes }
}

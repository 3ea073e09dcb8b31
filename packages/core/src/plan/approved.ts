import { SluiceError } from '../errors.js'
import type { ReviewedPlan } from './review-types.js'

const KEY = Symbol('made by approvePlan')

/** What an approved plan holds: the reviewed plan, the parameters of this run, the signatures that it stands on. */
export interface ApprovedContents {
  readonly reviewed: ReviewedPlan
  readonly requestDigest: string
  /** a value for every parameter, as in `Literal` */
  readonly parameters: Readonly<Record<string, string | boolean | null>>
  /** nonces of the approvals that it stands on; a run is taken from each of them */
  readonly approvals: readonly string[]
}

/** ◆ A reviewed plan with every needed, unexpired, unrevoked signature, for these parameters and dataset versions. */
export class ApprovedPlan {
  readonly #brand = true
  readonly reviewed: ReviewedPlan
  readonly requestDigest: string
  readonly parameters: ApprovedContents['parameters']
  readonly approvals: readonly string[]

  constructor(key: typeof KEY, contents: ApprovedContents) {
    if (key !== KEY) throw new SluiceError('BRAND_INVALID', 'an ApprovedPlan is made by approvePlan only')
    this.reviewed = contents.reviewed
    this.requestDigest = contents.requestDigest
    this.parameters = Object.freeze({ ...contents.parameters })
    this.approvals = Object.freeze([...contents.approvals])
    Object.freeze(this)
  }

  /** @throws SluiceError BRAND_INVALID where the value is a copy, a cast or a spread */
  static check(value: unknown): ApprovedPlan {
    if (typeof value !== 'object' || value === null || !(#brand in value)) {
      throw new SluiceError('BRAND_INVALID', 'this is not an ApprovedPlan')
    }
    return value as ApprovedPlan
  }
}

/** For `plan/approve` alone; no package entry exports it. */
export function sealApprovedPlan(contents: ApprovedContents): ApprovedPlan {
  return new ApprovedPlan(KEY, contents)
}

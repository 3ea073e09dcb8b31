import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalDigest } from '@sluice/core'
import {
  type Approval,
  cosignCheckpoint,
  Ledger,
  type Predicate,
  type Registration,
  type Release,
  type Run,
  type Sample,
  type SampleConsent,
  sign,
  trustOf,
} from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import { onTestFinished } from 'vitest'
import { digestOf, examples, founders, founding, log, people, ZONE } from '../people.js'

export const trust = trustOf(founding)
type Optional<T> = { [K in keyof T]?: T[K] | undefined }

/** A ledger on disk that tells how things go, or how they should not: its writer checks form and time, not rules. */
export class Story {
  readonly directory: string
  readonly ledger: Ledger
  readonly #clock: { now: number }
  #nonces = 0

  private constructor(directory: string, ledger: Ledger, clock: { now: number }) {
    this.directory = directory
    this.ledger = ledger
    this.#clock = clock
  }

  static async begin(): Promise<Story> {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-ledger-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const clock = { now: Date.parse('2026-01-06T00:00:00.000Z') }
    const ledger = await Ledger.create(join(directory, 'ledger'), {
      logSigner: log,
      founding: await sign(founding, founders[0]!, ...founders.slice(1)),
      now: () => clock.now,
    })
    return new Story(join(directory, 'ledger'), ledger, clock)
  }

  get time(): string {
    return new Date(this.#clock.now).toISOString()
  }

  wait(milliseconds: number): void {
    this.#clock.now += milliseconds
  }

  async append(predicate: Predicate, ...signers: Signer[]): Promise<number> {
    const envelope = await sign(predicate, signers[0]!, ...signers.slice(1))
    return this.ledger.exclusive(writer => writer.append(envelope))
  }

  async appendAll(predicates: readonly Predicate[], signer: Signer): Promise<void> {
    const envelopes = await Promise.all(predicates.map(predicate => sign(predicate, signer)))
    await this.ledger.exclusive(writer => Promise.all(envelopes.map(envelope => writer.append(envelope))))
  }

  register(change: Optional<Registration> = {}, signer: Signer = people.bureau): Promise<number> {
    const policy = change.policy ?? examples.registration.policy
    const policyDigest = canonicalDigest(policy as object)
    return this.append({ ...examples.registration, ...change, policy, policyDigest } as Registration, signer)
  }

  async request(id = 'r-1', signer: Signer = people.bank): Promise<string> {
    const request = { purpose: 'credit-risk', id }
    const requestDigest = canonicalDigest(request)
    await this.append(
      { kind: 'request', time: this.time, id, consumer: signer.name, requestDigest, request },
      signer,
    )
    return requestDigest
  }

  approve(
    requestDigest: string,
    change: Optional<Approval> = {},
    signer: Signer = people.bureau,
  ): Promise<number> {
    const approval: Approval = {
      ...examples.approval,
      time: this.time,
      expires: new Date(this.#clock.now + 86_400_000).toISOString(),
      requestDigest,
      zone: ZONE,
      approver: signer.name,
      nonce: digestOf(`nonce ${this.#nonces++}`).slice(0, 32),
    }
    return this.append({ ...approval, ...change } as Approval, signer)
  }

  run(
    requestDigest: string,
    approvals: number[],
    change: Optional<Run> = {},
    signer = people.operator,
  ): Promise<number> {
    const run = { ...examples.run, time: this.time, requestDigest, approvals, ...change } as Run
    return this.append(run, signer)
  }

  release(requestDigest: string, change: Optional<Release> = {}, signer = people.operator): Promise<number> {
    return this.append({ ...examples.release, time: this.time, requestDigest, ...change } as Release, signer)
  }

  /** A stand-in of the registered dataset under this policy. */
  sample(
    policy: object,
    consents: number[],
    change: Optional<Sample> = {},
    signer = people.operator,
  ): Promise<number> {
    const policyDigest = canonicalDigest(policy)
    return this.append(
      { ...examples.sample, time: this.time, policyDigest, consents, ...change } as Sample,
      signer,
    )
  }

  consent(
    policy: object,
    change: Optional<SampleConsent> = {},
    signer: Signer = people.reviewer,
  ): Promise<number> {
    const consent = {
      ...examples['sample-consent'],
      time: this.time,
      expires: new Date(this.#clock.now + 86_400_000).toISOString(),
      policyDigest: canonicalDigest(policy),
      approver: signer.name,
      nonce: digestOf(`nonce ${this.#nonces++}`).slice(0, 32),
    }
    return this.append({ ...consent, ...change } as SampleConsent, signer)
  }

  /** Up to a release, everything as it should be. */
  async usual(): Promise<{ requestDigest: string; approval: number }> {
    await this.register()
    const requestDigest = await this.request()
    const approval = await this.approve(requestDigest)
    await this.run(requestDigest, [approval])
    this.wait(1000)
    await this.release(requestDigest)
    return { requestDigest, approval }
  }

  /** So many refusals, which nobody minds. */
  fill(count: number): Promise<void> {
    const { time: _time, ...refusal } = examples.refusal
    return this.appendAll(
      Array.from({ length: count }, () => ({ ...refusal, time: this.time })),
      people.bank,
    )
  }

  async cosign(signer: Signer = people.auditor): Promise<string> {
    const checkpoint = await this.ledger.checkpoint()
    const { note } = await cosignCheckpoint(checkpoint, signer, Math.floor(this.#clock.now / 1000))
    await this.ledger.addCosignature(note, signer.publicKey)
    return note
  }
}

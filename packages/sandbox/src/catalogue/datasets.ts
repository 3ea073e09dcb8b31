import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalDigest, SluiceError } from '@sluice/core'
import { type ColumnSchema, type Progress, sameType } from '@sluice/core/plan'
import {
  checkPolicy,
  type Policy,
  parsePolicy,
  policyDigest,
  policyToJson,
  rulesOf,
} from '@sluice/core/policy'
import type { PolicyChange, RegisteredTable, Registration, SampleConsent } from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import { assertSameRules, assertStated, rulesBefore } from '../desensitize/statement.js'
import type { Encoding } from '../io/encoding.js'
import { registerFile } from '../io/register.js'
import { assertPrincipal } from '../principal/check.js'
import { consentToSample } from '../sample/consent.js'
import { type DatasetSample, type SampleOptions, sampleDataset } from '../sample/sample.js'
import type { ZoneContext } from '../zone/context.js'
import type { DatasetState } from '../zone/state.js'
import { findDataset } from './lookup.js'
import { registerTables, type TablePath } from './tables.js'

export interface DatasetDraft {
  readonly name: string
  /** path of a Parquet, CSV or Arrow IPC file, told by its content */
  readonly from: string
  /** the policy's text, YAML or JSON */
  readonly policy: string
  /** where the policy's text comes from, for positions in errors */
  readonly policySource?: string
  /** where the tables lie that the policy's rules look values up in, by the names that they have there */
  readonly tables?: TablePath
  /** of a CSV file; UTF-8 where absent */
  readonly encoding?: Encoding
  /**
   * The policy has rules that are applied before a file enters, and nothing beside the file states that they were: it
   * is registered all the same, and the ledger says so.
   */
  readonly unstated?: boolean
}

export interface DatasetOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** A dataset as people see it: never a value of it. */
export interface DatasetSummary {
  readonly name: string
  readonly version: number
  readonly owner: string
  readonly grade: string
  readonly rows: number
  readonly fingerprint: string
  readonly policyDigest: string
  readonly since: string
  readonly retired: boolean
  readonly columns: readonly ColumnSchema[]
  readonly policy: Policy
}

const NAME = /^[a-z][a-z0-9_]{0,62}$/

/** The catalogue: registered, fingerprinted, versioned tables, each with an owner and a policy. */
export class Datasets {
  readonly #zone: ZoneContext

  constructor(zone: ZoneContext) {
    this.#zone = zone
  }

  list(): DatasetSummary[] {
    return [...this.#zone.state().datasets.values()].map(summaryOf)
  }

  /** @throws SluiceError NAME_UNKNOWN */
  show(name: string): DatasetSummary {
    return summaryOf(findDataset(this.#zone.state(), name))
  }

  /**
   * Registers a file as version 1 of a new dataset, signed by its owner.
   *
   * @throws SluiceError NAME_TAKEN; FILE_FORMAT, SCHEMA_INVALID, FILE_TOO_LARGE for the file; POLICY_INVALID,
   *   GRADE_DENIED, NAME_UNKNOWN for the policy; DISK_FULL
   */
  async add(draft: DatasetDraft, owner: Signer, options: DatasetOptions = {}): Promise<DatasetSummary> {
    const state = await this.#zone.refreshed()
    assertName(draft.name)
    if (state.datasets.has(draft.name)) throw nameTaken(draft.name)
    const policy = policyOf(draft.policy, draft.policySource)
    return this.#register({ ...draft, policy }, owner, options, null)
  }

  /**
   * Registers a file as the next version; the schema has to be the same unless `schemaMayChange`. The policy in force
   * stays where none is given.
   */
  async update(
    draft: Omit<DatasetDraft, 'policy'> & Partial<Pick<DatasetDraft, 'policy'>>,
    owner: Signer,
    options: DatasetOptions & { readonly schemaMayChange?: boolean } = {},
  ): Promise<DatasetSummary> {
    const { facts } = findDataset(await this.#zone.refreshed(), draft.name)
    const policy = draft.policy === undefined ? facts.policy : policyOf(draft.policy, draft.policySource)
    return this.#register(
      { ...draft, policy },
      owner,
      options,
      options.schemaMayChange ? null : facts.columns,
    )
  }

  /** A new policy for the current version; requests under the old one are void. */
  async setPolicy(
    name: string,
    text: string,
    owner: Signer,
    source?: string,
    options: DatasetOptions & Pick<DatasetDraft, 'tables' | 'unstated'> = {},
  ): Promise<DatasetSummary> {
    const policy = policyOf(text, source)
    const current = findDataset(await this.#zone.refreshed(), name)
    assertPrincipal(this.#zone.state(), owner, ['provider'])
    assertOwner(current.facts.owner, owner)
    assertPolicyOwner(policy, owner)
    checkPolicy(policy, current.facts.columns)
    const applied = rulesBefore(policy)
    if (options.unstated !== true) {
      const before = rulesBefore(current.facts.policy)
      assertSameRules(applied, column => {
        const rule = before.get(column)
        return rule && canonicalDigest(rule as never)
      })
    }
    const { tables, discard } = await this.#tables(policy, current.tables, options.tables, options)
    try {
      await this.#zone.change(async transaction => {
        const { facts } = findDataset(transaction.state, name)
        assertPrincipal(transaction.state, owner, ['provider'])
        assertOwner(facts.owner, owner)
        checkPolicy(policy, facts.columns)
        const change: PolicyChange = {
          kind: 'policy-change',
          time: this.#zone.now().toISOString(),
          dataset: name,
          policyDigest: policyDigest(policy),
          policy: policyToJson(policy),
          ...(tables.length > 0 && { tables }),
          ...(applied.size > 0 && { desensitized: options.unstated === true ? 'unstated' : 'stated' }),
        }
        await transaction.append(change, owner)
      }, options)
    } catch (error) {
      if (!this.#records(name, tables)) await discard()
      throw error
    }
    return this.show(name)
  }

  /**
   * Consents to stand-ins of the dataset, as its policy in force allows them, until its next version or policy: for
   * principals whose approval the policy asks for besides the owner's.
   *
   * @param options `expires`: a span such as `90d`, or a moment; at most a year
   * @throws SluiceError NAME_UNKNOWN, ROLE_DENIED, KEY_UNKNOWN, PARAMETER_INVALID; POLICY_DENIED where it allows none
   */
  consentToSample(
    name: string,
    approver: Signer,
    options: { readonly expires?: string | Date } = {},
  ): Promise<SampleConsent> {
    return consentToSample(this.#zone, name, approver, options)
  }

  /**
   * A stand-in to develop against (可用不可见): the dataset's columns as queries see them, with rows that are drawn and
   * desensitized or made up, as its policy says. The same rows for one version and policy, whoever asks and how often.
   *
   * @throws SluiceError POLICY_DENIED `sample.…`, CONSUMER_DENIED, NOT_APPROVED where the policy does not allow it;
   *   DISCLOSURE_REFUSED where drawn rows do not pass; what a run throws
   */
  sample(name: string, operator: Signer, options: SampleOptions = {}): Promise<DatasetSample> {
    return sampleDataset(this.#zone, name, operator, options)
  }

  /** Nothing runs on it any more. Its record stays; its file is deleted. */
  async retire(name: string, owner: Signer): Promise<void> {
    await this.#zone.change(async transaction => {
      const { facts, file, tables } = findDataset(transaction.state, name)
      assertPrincipal(transaction.state, owner, ['provider'])
      assertOwner(facts.owner, owner)
      await transaction.append(
        { kind: 'retirement', time: this.#zone.now().toISOString(), dataset: name },
        owner,
      )
      for (const one of [file, ...tables.map(table => table.file)]) {
        await rm(join(this.#zone.layout.data, one), { force: true })
      }
    })
  }

  async #register(
    draft: Omit<DatasetDraft, 'policy' | 'policySource'> & { readonly policy: Policy },
    owner: Signer,
    options: DatasetOptions,
    expected: readonly ColumnSchema[] | null,
  ): Promise<DatasetSummary> {
    assertPrincipal(this.#zone.state(), owner, ['provider'])
    const { policy } = draft
    assertPolicyOwner(policy, owner)
    const before = this.#zone.state().datasets.get(draft.name)?.tables ?? []
    const applied = rulesBefore(policy)
    if (applied.size > 0 && draft.unstated !== true) await assertStated(draft.from, applied, options.signal)
    const { tables, discard } = await this.#tables(policy, before, draft.tables, options)
    const registered = await registerFile({
      pool: await this.#zone.engine(),
      from: draft.from,
      directory: this.#zone.layout.data,
      entity: policy.entity,
      grade: policy.grade,
      keyCandidates: keyCandidates(policy),
      rules: rulesOf(policy),
      ...(draft.encoding && { encoding: draft.encoding }),
      ...(options.signal && { signal: options.signal }),
      ...(options.onProgress && { onProgress: options.onProgress }),
    }).catch(async (error: unknown) => {
      await discard()
      throw error
    })
    try {
      checkPolicy(policy, registered.columns)
      if (expected) assertSameSchema(draft.name, expected, registered.columns)
      await this.#zone.change(async transaction => {
        assertPrincipal(transaction.state, owner, ['provider'])
        const before = transaction.state.datasets.get(draft.name)
        if (before) assertOwner(before.facts.owner, owner)
        const registration: Registration = {
          kind: 'registration',
          time: this.#zone.now().toISOString(),
          dataset: draft.name,
          version: (before?.facts.version ?? 0) + 1,
          owner: owner.name,
          fingerprint: registered.fingerprint,
          file: registered.file,
          schema: registered.columns,
          uniqueKeys: registered.uniqueKeys,
          rows: roundedUp(registered.rows, policy.disclosure.step.rows),
          entity: registered.entity && {
            column: registered.entity.column,
            count: roundedUp(registered.entity.count, policy.disclosure.step.rows),
          },
          policyDigest: policyDigest(policy),
          policy: policyToJson(policy),
          ...(tables.length > 0 && { tables }),
          ...(applied.size > 0 && { desensitized: draft.unstated === true ? 'unstated' : 'stated' }),
        }
        await transaction.append(registration, owner)
      }, options)
    } catch (error) {
      // the entry may be durable although something failed after it: then the file is the dataset's
      const recorded = this.#zone.state().datasets.get(draft.name)?.file === registered.file
      if (!recorded) {
        await rm(registered.path, { force: true })
        await discard()
      }
      throw error
    }
    return this.show(draft.name)
  }

  #tables(
    policy: Policy,
    registered: readonly RegisteredTable[],
    pathOf: TablePath | undefined,
    { signal, onProgress }: DatasetOptions,
  ) {
    return registerTables(this.#zone, policy, {
      registered,
      ...(pathOf && { pathOf }),
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    })
  }

  /** The entry may be durable although something failed after it: then the files are the dataset's. */
  #records(name: string, tables: readonly RegisteredTable[]): boolean {
    const recorded = this.#zone.state().datasets.get(name)?.tables ?? []
    return tables.length > 0 && tables.every(({ file }) => recorded.some(table => table.file === file))
  }
}

function policyOf(text: string, source: string | undefined): Policy {
  return parsePolicy(text, source === undefined ? {} : { source })
}

function summaryOf({ facts, rows, since, retired }: DatasetState): DatasetSummary {
  const { name, version, owner, fingerprint, policyDigest, columns, policy } = facts
  return {
    name,
    version,
    owner,
    grade: policy.grade,
    rows,
    fingerprint,
    policyDigest,
    since,
    retired,
    columns,
    policy,
  }
}

/** Columns that may turn out to be unique keys, which makes joins along them cheap to account for. */
function keyCandidates(policy: Policy): string[][] {
  return Object.entries(policy.columns)
    .filter(
      ([, { role, uses, rule }]) => rule?.kind !== 'drop' && (role === 'identifier' || uses.includes('join')),
    )
    .map(([name]) => [name])
}

function roundedUp(count: number, step: number): number {
  return Math.ceil(count / step) * step
}

function assertName(name: string): void {
  if (NAME.test(name)) return
  throw new SluiceError(
    'USAGE',
    'a dataset’s name has lower-case letters, digits and _, and begins with a letter',
    {
      rule: 'dataset.name',
      remedy: 'Choose a name such as bird_strikes, of at most 63 characters.',
    },
  )
}

function nameTaken(name: string): SluiceError {
  return new SluiceError('NAME_TAKEN', `there is a dataset "${name}" already`, {
    remedy: 'Register another version of it with `sluice dataset update`, or choose another name.',
  })
}

function assertOwner(owner: string, signer: Signer): void {
  if (owner === signer.name) return
  throw new SluiceError('ROLE_DENIED', `the dataset belongs to "${owner}"`, {
    rule: 'dataset.owner',
    remedy: 'Its owner has to sign this.',
  })
}

function assertPolicyOwner(policy: Policy, signer: Signer): void {
  if (policy.owner === signer.name) return
  throw new SluiceError(
    'POLICY_INVALID',
    `the policy names "${policy.owner}" as the owner, not "${signer.name}"`,
    {
      rule: 'owner',
      remedy: 'Correct the policy’s owner, or sign with the owner’s key.',
    },
  )
}

function assertSameSchema(
  name: string,
  before: readonly ColumnSchema[],
  after: readonly ColumnSchema[],
): void {
  const changed = [...before.keys(), ...after.keys()].find(index => {
    const [a, b] = [before[index], after[index]]
    return !a || !b || a.name !== b.name || !sameType(a.type, b.type)
  })
  if (changed === undefined) return
  const column = before[changed]?.name ?? after[changed]?.name ?? ''
  throw new SluiceError(
    'SCHEMA_CHANGED',
    `the file's columns are not those of dataset "${name}": see "${column}"`,
    {
      rule: 'dataset.schema',
      remedy:
        'Register a file with the same columns and types, or say that the schema may change (--schema-change).',
      facts: { column },
    },
  )
}

import { createHmac, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { canonicalBytes, isSluiceError, SluiceError } from '@sluice/core'
import { hasTable, type MaskedColumn, maskedColumn, type Progress } from '@sluice/core/plan'
import { countPlan, drawnRows, SAMPLE_MARK, type SampleMark, standIn } from '@sluice/core/sample'
import {
  type PreparedSample,
  prepareSample,
  type Receipt,
  type Refusal,
  releaseSample,
  type Sample,
} from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import { assertFingerprints, datasetFiles } from '../catalogue/files.js'
import { DuckDbExecutor } from '../duckdb/executor.js'
import type { FileFormat } from '../io/format.js'
import { encodeTable } from '../io/write.js'
import { assertPrincipal } from '../principal/check.js'
import type { ZoneContext } from '../zone/context.js'
import { writeDurably, type ZoneLayout } from '../zone/layout.js'
import type { ZoneState } from '../zone/state.js'
import { drawnColumns, type Made, type Making, syntheticColumns } from './columns.js'
import { approveForSample, type SampleGrant, sampleGrant } from './consent.js'

export interface SampleOptions {
  /** at most; as many as the policy allows where absent */
  readonly rows?: number
  /** to whom it is given; the policy's one consumer where absent */
  readonly consumer?: string
  /** of the file; Parquet where absent */
  readonly format?: FileFormat
  /** of each run that it takes, wall-clock milliseconds */
  readonly timeout?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** A stand-in that left, and what proves it. */
export interface DatasetSample {
  readonly mark: SampleMark
  readonly consumer: string
  readonly columns: readonly string[]
  readonly format: FileFormat
  /** the file */
  readonly bytes: Uint8Array
  readonly sample: Sample
  readonly receipt: Receipt
  /** opens the entry's commitment to the file */
  readonly salt: string
}

/** Groups that a marginal can have: more tell single values rather than a distribution. */
const MOST_GROUPS = 10_000

/**
 * Makes a stand-in and hands it out when its entry is durable. The lock is not held while the engine works; all that
 * has to hold is looked at before and after.
 */
export async function sampleDataset(
  zone: ZoneContext,
  name: string,
  operator: Signer,
  options: SampleOptions,
): Promise<DatasetSample> {
  options.signal?.throwIfAborted()
  const granted = (state: ZoneState): SampleGrant => {
    assertPrincipal(state, operator, ['operator'])
    const grant = sampleGrant(state, name, options, zone.now())
    // who has to consent, for which purposes and consumers, until when: as for any query
    approveForSample(grant, countPlan(name), zone.now())
    return grant
  }
  try {
    const { grant, secret } = await zone.change(
      async ({ state }) => ({ grant: granted(state), secret: await sampleKey(zone.layout) }),
      { signal: options.signal },
    )
    const format = options.format ?? 'parquet'
    let mark: SampleMark | undefined
    const prepared: PreparedSample = await prepareSample(async look => {
      const made = await makeTable(zone, grant, { ...options, look, seed: seedOf(secret, grant) })
      mark = made.mark
      options.onProgress?.({ stage: 'write' })
      return encodeTable(made.table, format, {
        staging: zone.layout.staging,
        metadata: { [SAMPLE_MARK]: JSON.stringify(made.mark) },
        ...(options.signal && { signal: options.signal }),
      })
    })
    const { facts } = grant.dataset
    const released = await zone.change(async transaction => {
      const still = granted(transaction.state)
      assertUnchanged(grant, still)
      const { version, fingerprint, policyDigest } = facts
      const { consumer, rule, rows, consents } = still
      const sample = {
        dataset: name,
        version,
        fingerprint,
        policyDigest,
        consumer,
        mode: rule.mode,
        rows,
        consents,
      }
      return releaseSample(prepared, { writer: transaction, operator, sample })
    })
    return {
      ...released,
      mark: mark!,
      consumer: grant.consumer,
      columns: facts.columns.map(column => column.name),
      format,
    }
  } catch (error) {
    if (isSluiceError(error) && (error.exitCode === 3 || error.exitCode === 4)) {
      await zone.change(transaction => transaction.record(refusalOf(operator, error), operator), {
        signal: null,
      })
    }
    throw error
  }
}

async function makeTable(
  zone: ZoneContext,
  grant: SampleGrant,
  options: SampleOptions & Pick<Making, 'look' | 'seed'>,
) {
  const { dataset, rule } = grant
  const { facts } = dataset
  const columns = maskedColumns(grant)
  const [file] = datasetFiles(zone.layout, zone.state(), [facts])
  const pool = await zone.engine()
  const executor = new DuckDbExecutor(pool, {
    cells: Math.max(2 * MOST_GROUPS, rule.rows * columns.length),
    ...(options.timeout !== undefined && { milliseconds: options.timeout }),
  })
  const drawn = rule.mode === 'rows' ? drawnRows(dataset.rows, rule.rows, options.seed) : undefined
  const making: Making = {
    grant,
    columns,
    seed: options.seed,
    executor,
    inputs: { datasets: { [facts.name]: { ...file!, ...(drawn && { rows: drawn }) } } },
    look: options.look,
    now: zone.now(),
    ...(options.signal && { signal: options.signal }),
    ...(options.onProgress && { onProgress: options.onProgress }),
  }
  await assertFingerprints(file!, options.signal)
  const made: Made = await (drawn === undefined ? syntheticColumns(making) : drawnColumns(making))
  const rows = Math.min(grant.rows, made.rows)
  const mark: SampleMark = {
    format: 'sluice-sample/1',
    dataset: facts.name,
    version: facts.version,
    mode: rule.mode,
    rows,
  }
  return { mark, table: standIn(columns, made.values, { rows: made.rows, wanted: rows, mark }) }
}

/** As plans see them: a query on the stand-in meets the types that it meets in the zone. */
function maskedColumns({ dataset: { facts } }: SampleGrant): MaskedColumn[] {
  const { policy, tables } = facts
  return facts.columns.flatMap(column => {
    const rule = Object.hasOwn(policy.columns, column.name) ? policy.columns[column.name]!.rule : undefined
    return hasTable(rule, tables) ? [maskedColumn(column, rule, tables)] : []
  })
}

/** One stand-in for a version and a policy: asking again, or for another consumer, tells nothing more. */
function seedOf(secret: Uint8Array, { dataset: { facts }, rule }: SampleGrant): Uint8Array {
  const { name, version, fingerprint, policyDigest } = facts
  return createHmac('sha256', secret)
    .update(canonicalBytes({ name, version, fingerprint, policyDigest, mode: rule.mode }))
    .digest()
}

/** Under the zone's lock: made when it is first needed. */
async function sampleKey(layout: ZoneLayout): Promise<Uint8Array> {
  const text = await readFile(layout.sampleKey, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) {
    const key = randomBytes(32)
    await writeDurably(layout.sampleKey, Buffer.from(`${key.toString('hex')}\n`))
    return key
  }
  const [, hex] = /^([0-9a-f]{64})\n$/.exec(text) ?? []
  if (hex !== undefined) return Buffer.from(hex, 'hex')
  throw new SluiceError('ZONE_DAMAGED', `${layout.sampleKey} is not the key of stand-ins`, {
    remedy: 'Restore it from a copy of the zone; with another key, stand-ins have other rows.',
  })
}

function assertUnchanged(before: SampleGrant, now: SampleGrant): void {
  const { version, policyDigest } = before.dataset.facts
  if (now.dataset.facts.version === version && now.dataset.facts.policyDigest === policyDigest) return
  throw new SluiceError(
    'APPROVAL_MISMATCH',
    'the dataset or its policy changed while the stand-in was made',
    {
      rule: 'sample.version',
      remedy: 'Run the same command again.',
    },
  )
}

function refusalOf(operator: Signer, error: SluiceError): Omit<Refusal, 'time'> {
  const { code, rule, exitCode } = error
  const stage = exitCode === 4 ? 'approval' : code === 'DISCLOSURE_REFUSED' ? 'disclosure' : 'gate'
  return {
    kind: 'refusal',
    stage,
    code,
    rule: rule ?? null,
    requestDigest: null,
    run: null,
    principal: operator.name,
  }
}

import { isSluiceError, type SluiceError } from '@sluice/core'
import { type CheckedResult, checkDisclosure } from '@sluice/core/disclosure'
import type { MaskedColumn, Plan, Progress } from '@sluice/core/plan'
import {
  type Band,
  finest,
  type Marginal,
  marginalPlan,
  marginalValues,
  massOf,
  meanPlan,
  meanValues,
  mixed,
  partStream,
  rowsPlan,
  serialValues,
  sourceOf,
} from '@sluice/core/sample'
import type { Look } from '@sluice/ledger'
import type { Vector } from 'apache-arrow'
import type { DuckDbExecutor } from '../duckdb/executor.js'
import type { DuckDbInputs } from '../duckdb/inputs.js'
import { approveForSample, type SampleGrant } from './consent.js'

/** What the values of a stand-in's columns are made with. */
export interface Making {
  readonly grant: SampleGrant
  readonly columns: readonly MaskedColumn[]
  readonly seed: Uint8Array
  readonly executor: DuckDbExecutor
  readonly inputs: DuckDbInputs
  readonly look: Look
  readonly now: Date
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** Values by column, all of as many rows; columns that are not there are null. */
export interface Made {
  readonly values: ReadonlyMap<string, Vector>
  readonly rows: number
}

/**
 * Columns drawn together: the sampled rows, masked by the scan and held to the policy's k and ℓ.
 *
 * @throws SluiceError DISCLOSURE_REFUSED
 */
export async function drawnColumns(making: Making): Promise<Made> {
  const { grant, columns, seed, look } = making
  const { facts } = grant.dataset
  const drawn = columns.filter(column => sourceOf(facts, column, 'rows').kind === 'rows')
  making.onProgress?.({ stage: 'sample', fraction: 0 })
  const checked = await run(making, rowsPlan(facts.name, drawn))
  const table = mixed(look(checked), seed)
  const values = new Map(drawn.map(({ name }) => [name, table.getChild(name)!]))
  for (const column of columns) {
    const source = sourceOf(facts, column, 'rows')
    if (source.kind !== 'serial') continue
    const next = partStream(seed, `column ${column.name}`)
    values.set(column.name, serialValues(column.type, table.numRows, source.distinct, next))
  }
  return { values, rows: table.numRows }
}

/** Columns made up one by one, each from what passed the disclosure check. */
export async function syntheticColumns(making: Making): Promise<Made> {
  const { grant, columns, seed, onProgress } = making
  const { facts } = grant.dataset
  const { rows } = grant.rule
  const values = new Map<string, Vector>()
  for (const [index, column] of columns.entries()) {
    onProgress?.({ stage: 'sample', fraction: index / columns.length })
    making.signal?.throwIfAborted()
    const source = sourceOf(facts, column, 'synthetic')
    if (source.kind === 'empty') continue
    const next = partStream(seed, `column ${column.name}`)
    const made =
      source.kind === 'marginal'
        ? await fromMarginal(making, column, next)
        : source.kind === 'mean'
          ? await fromMean(making, column, next)
          : null
    const distinct = source.kind === 'serial' && source.distinct
    // nothing that passed: the form of the type alone
    values.set(column.name, made ?? serialValues(column.type, rows, distinct, next))
  }
  return { values, rows }
}

async function fromMarginal(
  making: Making,
  column: MaskedColumn,
  next: () => number,
): Promise<Vector | null> {
  const { facts } = making.grant.dataset
  const marginal = await marginalOf(making, column)
  if (marginal === null) return null
  const { minimumEntities } = facts.policy.disclosure
  const { bounds } = facts.policy.columns[column.name]!
  const drawing = { type: column.type, rows: making.grant.rule.rows, minimum: minimumEntities, bounds }
  return marginalValues(marginal, drawing, next)
}

async function fromMean(making: Making, column: MaskedColumn, next: () => number): Promise<Vector | null> {
  const { facts } = making.grant.dataset
  const checked = await ifReleased(() => run(making, meanPlan(facts.name, column)))
  const mean: unknown = checked === null ? null : making.look(checked).getChild('mean')!.get(0)
  if (typeof mean !== 'number' || !Number.isFinite(mean)) return null
  const { bounds } = facts.policy.columns[column.name]!
  return meanValues(mean, { type: column.type, rows: making.grant.rule.rows, bounds }, next)
}

/** Values as they are where nearly all of them pass, else in the narrowest bands that do. */
async function marginalOf(making: Making, column: MaskedColumn): Promise<Marginal | null> {
  const { type } = column
  const at = (band: Band) => marginal(making, column, band)
  const plain = await at(null)
  if (type.kind === 'date' || type.kind === 'timestamp') {
    const units = ['day', 'month', 'year'] as const
    const found: Marginal[] = [plain]
    for (const unit of units) found.push(await at({ kind: 'unit', unit }))
    return finest(found)
  }
  if (type.kind !== 'integer' && type.kind !== 'decimal' && type.kind !== 'float') return finest([plain])
  const width = (exponent: number) => at({ kind: 'width', exponent })
  const widest = await width(WIDEST)
  if (finest([plain, widest]) === plain || massOf(widest) === 0) return finest([plain])
  // the narrowest width that keeps enough: a band of ten times the width holds ten of the narrower ones
  let [narrow, wide] = [narrowest(type) - 1, WIDEST]
  let best = widest
  while (wide - narrow > 1) {
    const middle = Math.floor((narrow + wide) / 2)
    const found = await width(middle)
    if (massOf(found) >= 0.9 * massOf(widest)) [wide, best] = [middle, found]
    else narrow = middle
  }
  return finest([best])
}

const WIDEST = 12

function narrowest(type: MaskedColumn['type']): number {
  return type.kind === 'decimal' ? -type.scale : type.kind === 'float' ? -3 : 1
}

async function marginal(making: Making, column: MaskedColumn, band: Band): Promise<Marginal> {
  const checked = await ifReleased(() =>
    run(making, marginalPlan(making.grant.dataset.facts.name, column, band)),
  )
  return { band, table: checked === null ? await noGroups() : making.look(checked) }
}

async function noGroups(): Promise<Marginal['table']> {
  const { tableFromArrays } = await import('apache-arrow')
  return tableFromArrays({ value: new Float64Array(), count: new BigInt64Array() })
}

async function run(making: Making, plan: Plan): Promise<CheckedResult> {
  const { grant, executor, inputs, now, signal } = making
  const approved = approveForSample(grant, plan, now)
  return checkDisclosure(await executor.execute(approved, inputs, { ...(signal && { signal }) }))
}

/** What does not pass, or has too many groups to be a marginal of anything, says nothing. */
async function ifReleased(work: () => Promise<CheckedResult>): Promise<CheckedResult | null> {
  try {
    return await work()
  } catch (error) {
    if (isSluiceError(error) && NOTHING.has(error.code)) return null
    throw error
  }
}

const NOTHING: ReadonlySet<SluiceError['code']> = new Set(['DISCLOSURE_REFUSED', 'RESULT_TOO_LARGE'])

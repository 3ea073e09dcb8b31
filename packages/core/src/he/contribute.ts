import { SluiceError } from '../errors.js'
import type { Progress } from '../plan/executor.js'
import {
  type Aggregation,
  aggregationDigest,
  assertPublicKey,
  componentBounds,
  contributorOf,
  type Shape,
  shapeOf,
} from './aggregation.js'
import { type ByteSink, ContainerWriter } from './container.js'
import { InFlight } from './in-flight.js'
import { localAggregate } from './layout.js'
import type { ParameterSet } from './parameters.js'
import {
  type ContributionStatement,
  type Signed,
  type Signer,
  signStatement,
  statementBytes,
} from './statement.js'
import { type LaneOptions, type Lanes, openLanes } from './threads.js'
import { anyOutside, writeIntegers } from './words.js'

export interface WorkOptions extends LaneOptions {
  readonly onProgress?: (progress: Progress) => void
}

/** One component's values, a slot after the other: scaled integers. Doubles hold integers below 2^53. */
export type SlotValues = BigInt64Array | Float64Array | readonly bigint[]

/** Runs of slots in order; each gives one list a component, all of one length. */
export type Cells = Iterable<readonly SlotValues[]> | AsyncIterable<readonly SlotValues[]>

export interface ContributeInput {
  readonly publicKey: Uint8Array
  readonly signer: Signer
  /** see `cellsOf`, which computes them from rows */
  readonly cells: Cells
}

/** Ciphertexts that one message to a thread asks for. */
const BATCH = 8

/**
 * A contributor's part: encodes and encrypts its cells under the public key, writes them with its signature. Slots
 * that `cells` does not reach are zero. What is in memory at once is a few blocks, whatever the number of slots.
 *
 * @throws SluiceError KEY_INVALID (not the aggregation's public key), KEY_UNKNOWN (the signer is no contributor),
 * PARAMETER_INVALID `he.range` (a value that was not declared; its column is named), INTERRUPTED
 */
export async function contribute(
  aggregation: Aggregation,
  { publicKey, signer, cells }: ContributeInput,
  sink: ByteSink,
  options: WorkOptions = {},
): Promise<Signed<ContributionStatement>> {
  assertPublicKey(aggregation, publicKey)
  const contributor = contributorOf(aggregation, signer.name)
  if (contributor?.key !== signer.publicKey) {
    throw new SluiceError('KEY_UNKNOWN', `"${signer.name}" is no contributor with this key`, {
      rule: 'he.contributor',
      remedy: 'Use the key that the aggregation names for you.',
    })
  }
  const shape = shapeOf(aggregation)
  const statement = (ciphertexts: string): ContributionStatement => ({
    form: 'sluice-he-contribution/1',
    aggregation: aggregationDigest(aggregation),
    contributor: contributor.name,
    parameters: aggregation.parameters,
    ciphertexts,
  })
  const writer = new ContainerWriter(sink, shape, statementBytes(statement('0'.repeat(64))).length)
  const lanes = await openLanes(
    { set: aggregation.parameters, publicKey },
    Math.ceil(shape.ciphertexts / BATCH),
    options,
  )
  try {
    await encryptAll(lanes, encoded(aggregation, shape, cells), shape, writer, options)
  } finally {
    await lanes.close()
  }
  const signed = await signStatement(statement(writer.ciphertexts), signer)
  await writer.finish(signed)
  return signed
}

async function encryptAll(
  lanes: Lanes,
  plaintexts: AsyncIterable<BigInt64Array>,
  shape: Shape,
  writer: ContainerWriter,
  { onProgress }: WorkOptions,
): Promise<void> {
  const work = new InFlight(2 * lanes.width)
  let first = 0
  let done = 0
  for await (const values of plaintexts) {
    const at = first
    // before the values travel: nothing is left of them then
    const count = values.length / shape.set.degree
    first += count
    await work.add(async () => {
      const { bytes, digests } = await lanes.run({ kind: 'encrypt', values })
      await writer.put(at, bytes, digests)
      done += count
      onProgress?.({ stage: 'encrypt', fraction: done / shape.ciphertexts })
    })
  }
  await work.end()
}

/** Plaintexts in the order of the body, `BATCH` at a time: block by block, the components, of each the residues. */
async function* encoded(aggregation: Aggregation, shape: Shape, cells: Cells): AsyncGenerator<BigInt64Array> {
  const { set, components, ciphertexts } = shape
  const encoders = componentEncoders(aggregation, set)
  const size = components * set.plainPrimes.length
  let batch = new BigInt64Array(Math.min(BATCH, ciphertexts) * set.degree)
  let filled = 0
  let given = 0
  for await (const block of blocksOf(cells, shape)) {
    for (let at = 0; at < size; at++) {
      const component = Math.floor(at / set.plainPrimes.length)
      encoders[component]!(
        block[component]!,
        batch.subarray(filled, filled + set.degree),
        at % set.plainPrimes.length,
      )
      filled += set.degree
      given++
      if (filled < batch.length) continue
      yield batch
      batch = new BigInt64Array(Math.min(BATCH, ciphertexts - given) * set.degree)
      filled = 0
    }
  }
}

/** Cuts what comes into runs of `degree` slots, the last one as long as it is, and adds what is missing as zeros. */
async function* blocksOf(
  cells: Cells,
  { set, slots, blocks, components }: Shape,
): AsyncGenerator<SlotValues[]> {
  let given = 0
  let held: SlotValues[] = []
  let taken = 0
  const limit = () => Math.min(set.degree, slots - given * set.degree)
  for await (const run of cells) {
    const length = run[0]?.length ?? 0
    taken += length
    if (run.length !== components || run.some(values => values.length !== length) || taken > slots) {
      throw new SluiceError('PARAMETER_INVALID', 'the cells do not have the form of the aggregation', {
        rule: 'he.cells',
        remedy: `Give ${components} lists of one length a run, ${slots} slots in all.`,
      })
    }
    held = held.length === 0 ? [...run] : held.map((values, index) => joined(values, run[index]!))
    while (given < blocks && (held[0]?.length ?? 0) >= limit()) {
      const end = limit()
      yield held.map(values => slice(values, 0, end))
      held = held.map(values => slice(values, end, values.length))
      given++
    }
  }
  while (given < blocks) {
    yield held.length > 0 ? held : Array.from({ length: components }, () => new Float64Array())
    held = []
    given++
  }
}

type Encoder = (values: SlotValues, into: BigInt64Array, residue: number) => void

/** Writes values as they are, or as their centred residues where there are several moduli, each held to its bound. */
function componentEncoders(aggregation: Aggregation, set: ParameterSet): Encoder[] {
  const { aggregates } = localAggregate(aggregation.local)
  return componentBounds(aggregation).map((bound, index) => (values, into, residue) => {
    if (values instanceof Float64Array ? anyNotWithin(values, bound) : anyOutside(values, -bound, bound)) {
      throw outOfRange(aggregates[index]!.name)
    }
    if (set.plainPrimes.length === 1) write(values, into)
    else {
      const prime = set.plainPrimes[residue]!
      for (let slot = 0; slot < values.length; slot++) into[slot] = centred(BigInt(values[slot]!), prime)
    }
  })
}

/** Is any of these no integer that a double holds exactly, or larger than the bound? */
function anyNotWithin(values: Float64Array, bound: bigint): boolean {
  const most = Number(bound)
  return values.some(value => !Number.isSafeInteger(value) || value > most || value < -most)
}

function write(values: SlotValues, into: BigInt64Array): void {
  if (values instanceof Float64Array) writeIntegers(values, into.subarray(0, values.length))
  else into.set(values)
}

/** The representative of value mod prime that is nearest to zero. */
function centred(value: bigint, prime: bigint): bigint {
  const rest = ((value % prime) + prime) % prime
  return rest > prime / 2n ? rest - prime : rest
}

export function outOfRange(what: string): SluiceError {
  return new SluiceError('PARAMETER_INVALID', `a value of ${what} lies outside its declared range`, {
    rule: 'he.range',
    remedy: 'Correct the value, or ask the key holder for an aggregation with wider ranges.',
  })
}

function slice(values: SlotValues, from: number, to: number): SlotValues {
  return Array.isArray(values)
    ? values.slice(from, to)
    : (values as BigInt64Array | Float64Array).subarray(from, to)
}

function joined(a: SlotValues, b: SlotValues): SlotValues {
  if (a.length === 0) return b
  if (a instanceof Float64Array && b instanceof Float64Array) {
    const both = new Float64Array(a.length + b.length)
    both.set(a)
    both.set(b, a.length)
    return both
  }
  return [...bigints(a), ...bigints(b)]
}

function bigints(values: SlotValues): Iterable<bigint> {
  return values instanceof Float64Array ? Array.from(values, value => BigInt(value)) : values
}
